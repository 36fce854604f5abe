package journal

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

const (
	// aheadWidth is how many batches are looked up at a time. More than a few at a time wait for each
	// other in the embedded database, and two shards are read at once.
	aheadWidth = 8
	// farthest bounds how far behind its end a journal is searched: 500 times what is usually written
	// between two snapshots.
	farthest = 1 << 20
)

// lookup finds one batch of a shard.
type lookup func(ctx context.Context, seq uint64) (batch *journalv1.Batch, found bool, err error)

func lookupIn(store Store, shard int) lookup {
	return func(ctx context.Context, seq uint64) (*journalv1.Batch, bool, error) {
		return store.Get(ctx, shard, seq)
	}
}

// readTail implements Store.Range by look-ups alone, as nothing else is fast on the embedded database.
//
// Where it finds no batch it searches what should be empty behind: every place at first, then places
// ever farther away, each half as far again. So it notices every hole of up to aheadWidth batches, and
// a longer one with at least half as many behind it. What it overlooks is a longer hole with little
// behind, which no crash leaves: a batch is only ever inserted behind one that was read.
func readTail(ctx context.Context, get lookup, from uint64, each func(uint64, *journalv1.Batch) error) error {
	for {
		end, err := readOn(ctx, get, from, each)
		if err != nil {
			return err
		}
		stray, found, err := get.first(ctx, behind(end))
		if err != nil || !found {
			return err
		}
		// Others may have written both since we looked: then there is no hole, but more to read.
		if _, filled, err := get(ctx, end); err != nil {
			return err
		} else if !filled {
			return holeAt(end, stray)
		}
		from = end
	}
}

// readOn reads up to the first place that is empty, and returns it.
func readOn(ctx context.Context, get lookup, next uint64, each func(uint64, *journalv1.Batch) error) (end uint64, err error) {
	for {
		batches, err := get.all(ctx, ahead(next))
		if err != nil {
			return next, err
		}
		for _, batch := range batches {
			if batch == nil {
				return next, nil
			}
			if err := each(next, batch); err != nil {
				return next, err
			}
			next++
		}
	}
}

func holeAt(missing, there uint64) error {
	return fmt.Errorf("%w: batch %d is missing and %d is there", ErrHole, missing, there)
}

// ahead are the next places to read.
func ahead(next uint64) []uint64 {
	places := make([]uint64, aheadWidth)
	for i := range places {
		places[i] = next + uint64(i)
	}
	return places
}

// behind are the places that are searched when end is empty.
func behind(end uint64) []uint64 {
	var places []uint64
	for distance := uint64(1); distance <= farthest; {
		places = append(places, end+distance)
		if distance < aheadWidth {
			distance++
		} else {
			distance += distance / 2
		}
	}
	return places
}

// all looks places up, several at a time; what is not there is nil.
func (get lookup) all(ctx context.Context, places []uint64) ([]*journalv1.Batch, error) {
	batches := make([]*journalv1.Batch, len(places))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(aheadWidth)
	for i, seq := range places {
		group.Go(func() (err error) {
			batches[i], _, err = get(ctx, seq)
			return err
		})
	}
	return batches, group.Wait()
}

// first is the first of the places at which there is a batch.
func (get lookup) first(ctx context.Context, places []uint64) (seq uint64, found bool, err error) {
	batches, err := get.all(ctx, places)
	if err != nil {
		return 0, false, err
	}
	for i, batch := range batches {
		if batch != nil {
			return places[i], true, nil
		}
	}
	return 0, false, nil
}
