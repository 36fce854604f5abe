// Package ackproxy stands between a Kafka client and its broker and holds acknowledgements of
// produce requests back, as a broker would that is further away or waits for its disks.
package ackproxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Kafka's api keys that matter here.
const (
	apiProduce         = 0
	apiMetadata        = 3
	apiFindCoordinator = 10
)

const (
	// maxFrame is more than any request or answer of the suite: batches take 1 MiB.
	maxFrame = 64 << 20
	// maxInFlight bounds the requests of one connection that wait for their answers.
	maxInFlight = 1_024
)

// Proxy is ready to serve one broker.
type Proxy struct {
	delay    atomic.Int64
	listener net.Listener

	mu    sync.Mutex
	conns []net.Conn
}

// Delay holds acknowledgements back from now on.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Serve listens on loopback and returns the address to give to the client.
func (p *Proxy) Serve(broker string) (string, error) {
	var err error
	if p.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return "", err
	}
	own := p.listener.Addr().String()
	from, err := endpoint(broker)
	if err != nil {
		return "", err
	}
	to, err := endpoint(own)
	if err != nil {
		return "", err
	}
	go func() {
		for {
			client, err := p.listener.Accept()
			if err != nil {
				return // closed
			}
			if err := p.join(client, broker, from, to); err != nil {
				_ = client.Close() // the client tries again
			}
		}
	}()
	return own, nil
}

// Close cuts every connection.
func (p *Proxy) Close() {
	if p.listener != nil {
		_ = p.listener.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
}

// endpoint is how an answer names a broker: its host as bytes, then its port in 4 bytes.
func endpoint(address string) ([]byte, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("the broker's address: %w", err)
	}
	return binary.BigEndian.AppendUint32([]byte(at.Addr().String()), uint32(at.Port())), nil
}

func (p *Proxy) join(client net.Conn, broker string, from, to []byte) error {
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", broker) // as long as the listener lives
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	asked := make(chan int16, maxInFlight) // api keys: answers come in the order of the requests
	go func() {
		defer close(asked)
		defer server.Close() //nolint:errcheck // one side is gone; there is nobody to tell
		_ = copyRequests(server, client, asked)
	}()
	go func() {
		defer client.Close() //nolint:errcheck // as above
		_ = p.copyAnswers(client, server, asked, from, to)
		for range asked { // lets the other direction end
		}
	}()
	return nil
}

func copyRequests(to io.Writer, from io.Reader, asked chan<- int16) error {
	for {
		frame, err := readFrame(from)
		if err != nil {
			return err
		}
		if len(frame) < 6 {
			return errors.New("a request without a head")
		}
		asked <- int16(binary.BigEndian.Uint16(frame[4:]))
		if _, err := to.Write(frame); err != nil {
			return err
		}
	}
}

// copyAnswers holds each acknowledgement for the delay. A client has one produce request in flight on
// a connection, or waits for the first anyway.
func (p *Proxy) copyAnswers(to io.Writer, from io.Reader, asked <-chan int16, broker, own []byte) error {
	for {
		frame, err := readFrame(from)
		if err != nil {
			return err
		}
		key, ok := <-asked
		if !ok {
			return io.ErrUnexpectedEOF
		}
		switch key {
		case apiProduce:
			if d := time.Duration(p.delay.Load()); d > 0 {
				<-time.After(d)
			}
		case apiMetadata, apiFindCoordinator:
			frame = bytes.ReplaceAll(frame, broker, own) // of one length: the frame's size stays true
		}
		if _, err := to.Write(frame); err != nil {
			return err
		}
	}
}

// readFrame reads a request or an answer with its 4 bytes of size.
func readFrame(from io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes", size)
	}
	frame := make([]byte, 4+size)
	copy(frame, head[:])
	_, err := io.ReadFull(from, frame[4:])
	return frame, err
}
