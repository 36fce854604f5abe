package keyfile_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/qingcang/qingcang/services/internal/keyfile"
)

func line(kid string, n int) string {
	return kid + ":" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", n)))
}

func TestTheFirstKeyIsActiveAndTheOthersStayKnown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	content := "# rotated in November\n\n" + line("new", 32) + "\r\n" + line("old", 64) + "\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := keyfile.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if set.Active != "new" || len(set.Secrets) != 2 || len(set.Secrets["old"]) != 64 {
		t.Fatalf("got active %q and %d keys", set.Active, len(set.Secrets))
	}
}

func TestAKeyFileIsRefusedWithoutQuotingIt(t *testing.T) {
	for name, content := range map[string]string{
		"empty":                      "",
		"only a comment":             "# none",
		"a short key":                line("k", 31),
		"a line without a colon":     strings.Repeat("s", 40),
		"a key that is not base64":   "k:ssss*",
		"an id twice":                line("k", 32) + "\n" + line("k", 33),
		"an id that is too long":     line("ninechars", 32),
		"an id with a dot":           line("k.1", 32),
		"no id":                      line("", 32),
		"more keys than can be used": strings.Repeat("\n", 1) + many(keyfile.MaxKeys+1),
		"a megabyte":                 strings.Repeat("#", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := keyfile.Parse([]byte(content))
			if err == nil {
				t.Fatal("it was accepted")
			}
			if strings.Contains(err.Error(), "sss") || strings.Contains(err.Error(), "c3Nz") {
				t.Fatalf("the error quotes the secret: %v", err)
			}
		})
	}
	if _, err := keyfile.Load("/does/not/exist"); err == nil {
		t.Fatal("a missing file was accepted")
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(string(rune('a'+i)), 32) + "\n")
	}
	return b.String()
}
