package mirror

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/types"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// Record is the whole desired state of something: the value of a compacted topic, keyed by its uid.
type Record interface {
	proto.Message
	GetUid() string
	GetCluster() string
	GetNamespace() string
	GetName() string
	GetGeneration() int64
	GetClosed() bool
}

// Records are what a topic of desired states holds. This operator is its writer for one cluster.
type Records[D Record] struct {
	topic   string
	cluster string
	broker  Broker
	watcher Watcher
	log     *slog.Logger
	codec   codec[D]
	ready   chan struct{}

	mu   sync.RWMutex
	next int64 // the offset to be read next
	kept map[string]kept[D]
	// ended are the generations of the records that are over, which only become more: with its uid each takes
	// about a hundred bytes.
	ended map[string]int64
	// attempted are records that the broker may have taken and has not confirmed.
	attempted map[string]attempt
	onOlder   func(types.NamespacedName)
}

// codec is what Records need to know of their messages.
type codec[D Record] struct {
	empty func() D
	// outline takes out what nothing is planned from; D is the caller's own.
	outline func(D) D
	// end is a closed record that says nothing else.
	end func(uid string, generation int64) D
	// onClosed is told of each record that is closed, nil for nobody.
	onClosed func(D)
}

// kept is a record in memory: its outline to look through, and all of it as it stands in the topic.
// A list of a hundred items takes 2.5 kB as bytes and five times as much as messages.
type kept[D Record] struct {
	outline D
	whole   []byte // nil where nothing is planned from it: ended, or another cluster's
	// read tells that it has come back from the topic.
	read bool
	// newest is the outline of the greatest generation that was ever read, of two the first, as other readers
	// have it; another record may have replaced it. Ended tells that an end was seen.
	newest D
	ended  bool
}

// attempt is a record that the broker did not confirm, as bytes, and its generation.
type attempt struct {
	whole      []byte
	generation int64
}

// over tells whether no more than its generation needs to be known of a record: its end is what is there, and
// what its readers go by.
func (k kept[D]) over() bool {
	return k.read && k.outline.GetClosed() && k.newest.GetClosed() && k.outline.GetGeneration() == k.newest.GetGeneration()
}

func newRecords[D Record](topic, cluster string, broker Broker, watcher Watcher, log *slog.Logger, c codec[D]) *Records[D] {
	return &Records[D]{
		topic: topic, cluster: cluster, broker: broker, watcher: watcher, log: log, codec: c,
		ready: make(chan struct{}), kept: map[string]kept[D]{}, ended: map[string]int64{}, attempted: map[string]attempt{},
	}
}

// Topic is the logical name of what is read and written.
func (r *Records[D]) Topic() string { return r.topic }

// run reads the topic from its start and follows it until ctx ends.
func (r *Records[D]) run(ctx context.Context) error {
	return r.broker.Follow(ctx, r.topic, r.apply, func() { close(r.ready) })
}

// apply takes a record in. One that cannot be decoded is parked: it would stop the operator for
// everything else.
func (r *Records[D]) apply(e eventkit.Record) error {
	uid := string(e.Key)
	defer r.passed(e)
	if e.Value == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.kept, uid)
		delete(r.ended, uid)
		return nil
	}
	d := r.codec.empty()
	switch err := proto.Unmarshal(e.Value, d); {
	case err != nil:
		r.park(e, Undecodable)
	case d.GetUid() != uid:
		r.park(e, Misplaced)
	default:
		r.keep(d, e.Value, true)
	}
	return nil
}

func (r *Records[D]) passed(e eventkit.Record) {
	r.mu.Lock()
	r.next = e.Offset + 1
	r.mu.Unlock()
	r.watcher.Read(r.topic, e.Partition, e.Offset)
}

func (r *Records[D]) park(e eventkit.Record, cause Cause) {
	r.watcher.Parked(r.topic, string(cause))
	r.log.Error("a record is parked", "topic", r.topic, "offset", e.Offset, "key", string(e.Key), "cause", cause)
}

// keep takes a desired state in. One that Publish has kept stays until it has come back from the topic,
// behind records that were written before it. What is read after that counts though it is not newer: an
// operator that stood still in mid-write has put it over the newer one, for whoever reads the topic next.
func (r *Records[D]) keep(d D, whole []byte, read bool) {
	uid, generation := d.GetUid(), d.GetGeneration()
	r.mu.Lock()
	pending, unconfirmed := r.attempted[uid]
	if !read && !unconfirmed {
		r.mu.Unlock()
		return // it came back before the broker had answered
	}
	if !read || generation > pending.generation || bytes.Equal(whole, pending.whole) {
		delete(r.attempted, uid)
	}
	if d.GetClosed() || d.GetCluster() != r.cluster {
		whole = nil
	}
	known, ok := r.known(uid)
	k := kept[D]{outline: r.codec.outline(d), whole: whole, read: read, newest: known.newest, ended: known.ended || d.GetClosed()}
	if read && generation > known.newest.GetGeneration() {
		k.newest = k.outline
	}
	if ok && !known.read && generation < known.outline.GetGeneration() {
		known.newest, known.ended = k.newest, k.ended
		k = known
	}
	r.put(uid, k)
	onOlder := r.onOlder
	r.mu.Unlock()
	if k.outline.GetClosed() && r.codec.onClosed != nil {
		r.codec.onClosed(d)
	}
	older := ok && read && known.read && generation <= known.outline.GetGeneration()
	if older && onOlder != nil && d.GetCluster() == r.cluster {
		onOlder(types.NamespacedName{Namespace: d.GetNamespace(), Name: d.GetName()})
	}
}

// put keeps a record. It is called with the lock held, and so is known.
func (r *Records[D]) put(uid string, k kept[D]) {
	if k.over() {
		delete(r.kept, uid)
		r.ended[uid] = k.newest.GetGeneration()
		return
	}
	delete(r.ended, uid)
	r.kept[uid] = k
}

// known is what is kept of a uid.
func (r *Records[D]) known(uid string) (kept[D], bool) {
	if generation, ended := r.ended[uid]; ended {
		end := r.codec.end(uid, generation)
		return kept[D]{outline: end, read: true, newest: end, ended: true}, true
	}
	k, ok := r.kept[uid]
	return k, ok
}

// OnOlder sets who is told of a record that another one has replaced which is not newer.
func (r *Records[D]) OnOlder(fn func(types.NamespacedName)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.onOlder = fn
}

// Publish writes a desired state and returns when it is durable. The mirror shows it at once, so that
// the next plan does not publish it again before the topic brings it back. After an error the record
// may be in the topic all the same, and is remembered for that.
func (r *Records[D]) Publish(ctx context.Context, d D) error {
	d = proto.CloneOf(d)
	whole, err := proto.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode %s for %s: %w", d.GetUid(), r.topic, err)
	}
	r.mu.Lock()
	r.attempted[d.GetUid()] = attempt{whole, d.GetGeneration()}
	r.mu.Unlock()
	if err := r.broker.Put(ctx, r.topic, d.GetUid(), d); err != nil {
		return err
	}
	r.keep(d, whole, false)
	return nil
}

// Of returns what is published of a uid, false for nothing. Of one that is closed or another cluster's it
// is the outline. The message is shared where it is an outline: read it only.
func (r *Records[D]) Of(uid string) (D, bool) {
	r.mu.RLock()
	k, ok := r.known(uid)
	r.mu.RUnlock()
	if k.whole == nil {
		return k.outline, ok
	}
	return r.decode(k.whole)
}

// Attempted returns what the broker did not confirm when it was last published, false for nothing.
func (r *Records[D]) Attempted(uid string) (D, bool) {
	r.mu.RLock()
	a, ok := r.attempted[uid]
	r.mu.RUnlock()
	if !ok {
		var none D
		return none, false
	}
	return r.decode(a.whole)
}

// decode returns a record that was encoded or decoded before it was kept.
func (r *Records[D]) decode(whole []byte) (D, bool) {
	d := r.codec.empty()
	err := proto.Unmarshal(whole, d)
	return d, err == nil
}

// Outline returns a record's outline, false if there is none: of one that is closed for good no more than
// its uid and generation. It is shared: read it only.
func (r *Records[D]) Outline(uid string) (D, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, ok := r.known(uid)
	return k.outline, ok
}

// Newest returns the outline of the greatest generation of a uid that was ever read, which another record
// may have replaced, and whether an end of it was seen.
func (r *Records[D]) Newest(uid string) (newest D, ended bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, _ := r.known(uid)
	return k.newest, k.ended
}

// Outlines returns the outline of every record but those that are closed for good, in no order. They are
// shared: read them only.
func (r *Records[D]) Outlines() []D {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]D, 0, len(r.kept))
	for _, k := range r.kept {
		all = append(all, k.outline)
	}
	return all
}

// Ready tells whether all that the topic held at the start has been read.
func (r *Records[D]) Ready() bool {
	select {
	case <-r.ready:
		return true
	default:
		return false
	}
}

// catchUp waits until all that the topic holds now has been read.
func (r *Records[D]) catchUp(ctx context.Context) error {
	end, err := ask(ctx, func() (int64, error) { return r.broker.EndOffset(ctx, r.topic, 0) })
	for err == nil && r.position() < end {
		err = pause(ctx, catchUpPause)
	}
	return err
}

func (r *Records[D]) position() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.next
}

const (
	catchUpPause = 5 * time.Millisecond
	// askPause is the wait after a broker did not answer.
	askPause = 250 * time.Millisecond
)

// ask repeats a question until the broker answers or ctx ends.
func ask(ctx context.Context, question func() (int64, error)) (int64, error) {
	for {
		answer, err := question()
		if err == nil {
			return answer, nil
		}
		if ended := pause(ctx, askPause); ended != nil {
			return 0, ended
		}
	}
}

// pause returns an error when ctx ends before d is over.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
