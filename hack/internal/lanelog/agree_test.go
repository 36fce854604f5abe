package lanelog

import (
	"bytes"
	"errors"
	"testing"

	"github.com/qingcang/qingcang/proto/lane/record"
)

// The service and its checkers must pass over the same records and stop at the same ones: else the
// checkers count another log than the one that was sold from.
func FuzzReadsWhatTheServiceReads(f *testing.F) {
	for _, pattern := range []string{"*.hex", "refused/*.hex"} {
		for _, path := range glob(f, pattern) {
			f.Add(value(f, path))
		}
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		ours, err := Read(value)
		theirs, theirErr := record.Decode(value)
		if errors.Is(err, ErrFormat) != errors.Is(theirErr, record.ErrVersion) || errors.Is(err, ErrMalformed) != errors.Is(theirErr, record.ErrMalformed) {
			t.Fatalf("read with %v, by the service with %v", err, theirErr)
		}
		if err != nil {
			return
		}
		if ours.Rules != theirs.Rules || ours.Writer != theirs.Writer || ours.Count != theirs.Seq || !bytes.Equal(ours.Trace, traced(theirs.Trace)) {
			t.Fatalf("read as %+v, by the service as %+v", ours, theirs)
		}
		if c, ok := ours.Command.(Place); ok {
			their, ok := theirs.Command.(*record.Place)
			if !ok || c.Order != their.OrderID || c.Campaign != their.CampaignUID || c.Buyer != their.BuyerID || len(c.Lines) != len(their.Lines) {
				t.Fatalf("read as %+v, by the service as %+v", c, theirs.Command)
			}
			for i, line := range c.Lines {
				if line != (Line)(their.Lines[i]) {
					t.Fatalf("line %d read as %+v, by the service as %+v", i, line, their.Lines[i])
				}
			}
		}
	})
}

func traced(t record.Trace) []byte {
	if t == (record.Trace{}) {
		return nil
	}
	return t[:]
}
