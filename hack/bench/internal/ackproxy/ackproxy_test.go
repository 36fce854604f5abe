package ackproxy

import (
	"bytes"
	"encoding/binary"
	"net"
	"testing"
	"time"
)

// broker answers each request with its correlation id and its own endpoint.
func broker(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	own, err := endpoint(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			for {
				request, err := readFrame(conn)
				if err != nil {
					break
				}
				answer := append(bytes.Clone(request[8:12]), own...)
				_, _ = conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
			}
		}
	}()
	return listener.Addr().String()
}

func ask(t *testing.T, conn net.Conn, key int16) (answer []byte, took time.Duration) {
	t.Helper()
	request := []byte{0, 0, 0, 8, 0, byte(key), 0, 1, 0, 0, 0, 7}
	started := time.Now()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	answer, err := readFrame(conn)
	if err != nil {
		t.Fatal(err)
	}
	return answer[8:], time.Since(started)
}

func TestProxy(t *testing.T) {
	proxy := &Proxy{}
	own, err := proxy.Serve(broker(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	conn, err := net.Dial("tcp", own)
	if err != nil {
		t.Fatal(err)
	}
	wantOwn, err := endpoint(own)
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := ask(t, conn, apiMetadata); !bytes.Equal(answer, wantOwn) {
		t.Errorf("metadata names %q, want the proxy: the client would go past it", answer)
	}
	const delay = time.Second
	proxy.Delay(delay)
	if _, took := ask(t, conn, apiProduce); took < delay {
		t.Errorf("an acknowledgement came after %s, want at least %s", took, delay)
	}
	const fetch = 1
	if _, took := ask(t, conn, fetch); took >= delay {
		t.Errorf("a fetch took %s: only acknowledgements are to be held back", took)
	}
}
