// Command tokens signs buyers' tokens with a key file of the services and prints one a line.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/ids"
)

// lifetime outlasts any run.
const lifetime = 12 * time.Hour

func main() {
	keys := flag.String("keys", "", "key `file`")
	n := flag.Int("n", 1, "how many buyers")
	flag.Parse()
	if err := run(*keys, *n); err != nil {
		fmt.Fprintln(os.Stderr, "tokens:", err)
		os.Exit(1)
	}
}

func run(file string, n int) error {
	keys, err := auth.LoadKeys(file)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	now := time.Now()
	for i := range n {
		buyer := ids.Derive("mem", "bench", strconv.Itoa(i))
		// Real tokens carry the buyer's sealed openid: length counts when a token is checked.
		payer, err := auth.SealSubject(keys, buyer, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")
		if err != nil {
			return err
		}
		token, err := auth.Sign(keys, auth.Claims{Subject: buyer, Audience: auth.Buyer, ID: ids.Derive("tok", buyer), Payer: payer}, lifetime, now)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, token); err != nil {
			return err
		}
	}
	return out.Flush()
}
