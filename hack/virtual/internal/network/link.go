package network

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Bounds of a request or an answer: topics take 1 MiB in a batch, and the shortest answer is an error
// code behind a correlation id.
const (
	minFrameBytes = 6
	maxFrameBytes = 64 << 20
)

var errFrame = errors.New("no frame of Kafka's protocol")

// link carries one connection between a client and the broker.
type link struct {
	host           *Host
	client, server net.Conn

	mu    sync.Mutex
	asked map[int32]question // by correlation id
}

// question is what an answer is the answer to.
type question struct{ key, version int16 }

// Answer is one answer of the broker. Body is what follows its header; a rule may replace it.
type Answer struct {
	Key     kmsg.Key
	Version int16
	Body    []byte

	header []byte
}

func (l *link) close() {
	_ = l.client.Close()
	_ = l.server.Close()
}

func (l *link) leave() {
	l.close()
	l.host.network.mu.Lock()
	defer l.host.network.mu.Unlock()
	delete(l.host.network.links, l)
}

// requests carries them to the broker until either side hangs up.
func (l *link) requests() {
	defer l.leave()
	for {
		frame, err := readFrame(l.client)
		if err != nil {
			return
		}
		q := l.note(frame)
		if l.host.network.silentFor(l.host) {
			if membership(kmsg.Key(q.key)) {
				return
			}
			continue
		}
		if err := writeFrame(l.server, frame); err != nil {
			return
		}
	}
}

// membership reports whether a key is of the group protocol. kafka-go's member waits for these answers
// with a mutex locked, and virtual time stands still while anybody waits for a mutex: they come at
// once or not at all.
func membership(key kmsg.Key) bool {
	switch key {
	case kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.LeaveGroup, kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.FindCoordinator:
		return true
	}
	return false
}

// note remembers what is asked. A request begins with key, version and correlation id.
func (l *link) note(frame []byte) question {
	if len(frame) < 8 {
		return question{} // the broker hangs up on it
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	q := question{key: int16(binary.BigEndian.Uint16(frame)), version: int16(binary.BigEndian.Uint16(frame[2:]))}
	l.asked[int32(binary.BigEndian.Uint32(frame[4:]))] = q
	return q
}

// answers carries them to the client until either side hangs up.
func (l *link) answers() {
	defer l.leave()
	for {
		frame, err := readFrame(l.server)
		if err != nil {
			return
		}
		a := l.answer(frame)
		if !membership(a.Key) {
			time.Sleep(l.host.latency())
		}
		if l.host.network.silentFor(l.host) {
			if membership(a.Key) {
				return
			}
			continue
		}
		fate := l.host.network.judge(l.host, a)
		if fate == Lost {
			return
		}
		whole := slices.Concat(a.header, a.Body)
		if fate == Torn {
			tear(l.client, whole)
			return
		}
		l.host.follow(a)
		if err := writeFrame(l.client, whole); err != nil {
			return
		}
	}
}

// follow notes how the machine's membership goes.
func (h *Host) follow(a *Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch a.Key {
	case kmsg.JoinGroup:
		r := kmsg.NewPtrJoinGroupResponse()
		if r.SetVersion(a.Version); r.ReadFrom(a.Body) == nil && r.ErrorCode == 0 {
			h.joined = r.Generation
		}
	case kmsg.SyncGroup:
		r := kmsg.NewPtrSyncGroupResponse()
		if r.SetVersion(a.Version); r.ReadFrom(a.Body) == nil && r.ErrorCode == 0 {
			h.synced = h.joined
		}
	}
}

// answer takes a frame apart. It begins with the correlation id; where the version is flexible, and
// not of ApiVersions, tags follow, of which the broker sends none.
func (l *link) answer(frame []byte) *Answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := int32(binary.BigEndian.Uint32(frame))
	q := l.asked[id]
	delete(l.asked, id)
	header := 4
	if r := kmsg.ResponseForKey(q.key); r != nil && kmsg.Key(q.key) != kmsg.ApiVersions {
		if r.SetVersion(q.version); r.IsFlexible() {
			header++
		}
	}
	return &Answer{Key: kmsg.Key(q.key), Version: q.version, header: frame[:header:header], Body: frame[header:]}
}

func readFrame(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < minFrameBytes || n > maxFrameBytes {
		return nil, errFrame
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(from, frame)
	return frame, err
}

func writeFrame(to io.Writer, frame []byte) error {
	_, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
	return err
}

// tear writes the first half of a frame.
func tear(to io.Writer, frame []byte) {
	whole := append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
	_, _ = to.Write(whole[:len(whole)/2]) // the connection ends next
}
