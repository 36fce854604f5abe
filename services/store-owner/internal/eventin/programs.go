package eventin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
)

// ProgramTable is the topic of the programmes' desired state.
const ProgramTable = "programs.v1"

// lookPause is the time between looks whether the topic is there.
const lookPause = time.Second

var errProgramsNotRead = fault.New(fault.Unavailable, "programmes_not_read", "the programmes are being read; try again soon").RetryAfter(1)

// Programs knows the fee of the programme with one name. Of objects that had this name one after the
// other, or have it in several namespaces, the one heard of last counts.
type Programs struct {
	name string
	log  *slog.Logger

	mu    sync.RWMutex
	named map[string]program // by uid
	turns int64              // of all that was taken in
	ready bool
}

// program is what counts of a programme here.
type program struct {
	generation int64
	fee        money.Fen
	closed     bool
	turn       int64
}

// NewPrograms returns a table that knows of none yet.
func NewPrograms(name string, log *slog.Logger) *Programs {
	return &Programs{name: name, log: log, named: map[string]program{}}
}

// Fee is what a membership costs that is ordered now. Before the table is read nobody can say.
func (p *Programs) Fee() (money.Fen, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.ready {
		return 0, errProgramsNotRead
	}
	fee, last := membership.DefaultFee, int64(0)
	for _, one := range p.named {
		if !one.closed && one.turn > last {
			fee, last = one.fee, one.turn
		}
	}
	return fee, nil
}

// Ready is a readiness check: nil once the table was read to its end, or is known to be missing.
func (p *Programs) Ready(*http.Request) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if !p.ready {
		return errProgramsNotRead
	}
	return nil
}

// ProgramSource is the broker that the table is read from.
type ProgramSource interface {
	Table(ctx context.Context, topic string, apply func(key string, value []byte) error, caughtUp func()) error
	EndOffset(ctx context.Context, topic string, partition int) (int64, error)
}

var _ ProgramSource = (*eventkit.Conn)(nil)

// Follow reads the topic until ctx ends. Where there is no such topic, in an installation from before
// there were programmes, no programme is known, and one counts when the topic has come.
func (p *Programs) Follow(ctx context.Context, from ProgramSource) error {
	p.look(ctx, from)
	return from.Table(ctx, ProgramTable, p.apply, p.read)
}

// look waits until the broker says whether there is a table.
func (p *Programs) look(ctx context.Context, from ProgramSource) {
	pause := time.NewTicker(lookPause)
	defer pause.Stop()
	for {
		_, err := from.EndOffset(ctx, ProgramTable, 0)
		if errors.Is(err, eventkit.ErrNoTopic) {
			p.log.WarnContext(ctx, "no topic of programmes: a membership costs what it costs without one", "topic", ProgramTable, "feeFen", int64(membership.DefaultFee))
			p.read()
			return
		}
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

func (p *Programs) read() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = true
}

// apply takes a desired state in. What is none is parked: logged, and what was known before stays.
func (p *Programs) apply(uid string, value []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if value == nil {
		delete(p.named, uid)
		return nil
	}
	desired := &programv1.Desired{}
	if err := decode(desired, uid, value); err != nil {
		p.log.Error("value parked", "topic", ProgramTable, "key", uid, "err", err)
		return nil
	}
	if desired.GetName() != p.name || desired.GetGeneration() <= p.named[uid].generation {
		return nil
	}
	p.turns++
	p.named[uid] = program{
		generation: desired.GetGeneration(), fee: money.Fen(desired.GetFeeFen()), closed: desired.GetClosed(), turn: p.turns,
	}
	return nil
}

var (
	errOtherUID = errors.New("its uid is not its key")
	errNoFee    = errors.New("its fee is none that a membership can have")
)

func decode(desired *programv1.Desired, uid string, value []byte) error {
	switch err := proto.Unmarshal(value, desired); {
	case err != nil:
		return err
	case desired.GetUid() != uid || uid == "":
		return errOtherUID
	case !membership.CanCost(money.Fen(desired.GetFeeFen())):
		return errNoFee
	}
	return nil
}
