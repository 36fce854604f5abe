// Package loopback keeps servers without passwords off the network.
package loopback

import (
	"fmt"
	"net"
	"strconv"
)

// Port returns the port of an address such as 127.0.0.1:9092, and refuses one
// that other machines could reach.
func Port(address string) (int, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("-listen: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return 0, fmt.Errorf("-listen: %q is not a loopback address such as 127.0.0.1", host)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return 0, fmt.Errorf("-listen: %q is not a port between 1 and 65535", port)
	}
	return int(number), nil
}
