package loopback_test

import (
	"testing"

	"github.com/qingcang/qingcang/hack/embedded/internal/loopback"
)

func TestPort(t *testing.T) {
	tests := map[string]struct {
		address string
		want    int
		wantErr bool
	}{
		"a loopback address is taken":              {address: "127.0.0.1:9092", want: 9092},
		"the IPv6 loopback is taken":               {address: "[::1]:27017", want: 27017},
		"an address of every interface is refused": {address: "0.0.0.0:9092", wantErr: true},
		"no host means every interface":            {address: ":9092", wantErr: true},
		"a name is refused":                        {address: "localhost:9092", wantErr: true},
		"a port of the system's choice is refused": {address: "127.0.0.1:0", wantErr: true},
		"a port over 65535 is refused":             {address: "127.0.0.1:70000", wantErr: true},
		"no port is refused":                       {address: "127.0.0.1", wantErr: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := loopback.Port(test.address)
			if (err != nil) != test.wantErr || got != test.want {
				t.Errorf("Port(%q) = %d, %v; want %d, error %v", test.address, got, err, test.want, test.wantErr)
			}
		})
	}
}
