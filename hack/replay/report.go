package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	mongooptions "go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/qingcang/qingcang/hack/internal/recount"
	"github.com/qingcang/qingcang/hack/internal/retail"
	"github.com/qingcang/qingcang/hack/internal/stockfile"
	"github.com/qingcang/qingcang/proto/eventkit"
)

// result is what the replay prints.
type result struct {
	Rows        int `json:"rows"`
	RowsRefused int `json:"rowsRefused"`
	SaleRows    int `json:"saleRows"`
	ReturnRows  int `json:"returnRows"`

	*recount.Result

	// Seconds are without building and without the start of the stack.
	Seconds    float64 `json:"seconds"`
	PeakRSSMiB int64   `json:"peakRSSMiB"`
}

const (
	// recountPause lets the last events arrive before it is counted again.
	recountPause = 2 * time.Second
	// stuckTimeout is how long the logs may stand still with something wrong in them.
	stuckTimeout = 40 * time.Second
)

// recount counts until nothing is wrong, or until what is wrong no longer changes: the last refunds
// and postings are on their way when the last parcel is signed for.
func (r *replay) recount(ctx context.Context, file *retail.File) (*result, error) {
	conn, err := eventkit.Dial(eventkit.Config{Brokers: strings.Split(r.suite.Embedded.Brokers, ",")})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	client, err := mongo.Connect(mongooptions.Client().ApplyURI(r.suite.Embedded.MongoURI))
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }() // only read
	source := recount.Source{Kafka: conn, Mongo: client}
	counted, err := settled(ctx, source, r.tally.intentions)
	if err != nil {
		return nil, fmt.Errorf("recount: %w", err)
	}
	for reason, lines := range r.tally.refused {
		counted.LinesRefused[reason] += lines
	}
	maps.DeleteFunc(counted.LinesRefused, func(_ string, n int64) bool { return n == 0 })
	return &result{
		Rows: file.Rows, RowsRefused: len(file.Refused), SaleRows: file.Sales(), ReturnRows: file.Returns(), Result: counted,
	}, nil
}

// settled counts again and again until nothing is wrong or nothing changes any more.
func settled(ctx context.Context, source recount.Source, intentions map[string]int) (*recount.Result, error) {
	var last []string
	for changed := time.Now(); ; {
		log, err := recount.Read(ctx, source) // a batch may come while its collection is read
		var counted *recount.Result
		if err == nil {
			counted = recount.Count(log, intentions)
			if !slices.Equal(counted.Faults, last) {
				last, changed = counted.Faults, time.Now()
			}
			if counted.Clean() {
				return counted, nil
			}
		}
		if time.Since(changed) > stuckTimeout {
			return counted, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(recountPause):
		}
	}
}

// errUnclean is the failure of a run whose recount is not clean.
var errUnclean = errors.New("the recount is not clean")

// write prints the result, as a table or as JSON, and fails unless the recount is clean.
func (r *result) write(out io.Writer, asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(out).Encode(r)
	} else {
		err = r.table(out)
	}
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	for _, fault := range r.Faults {
		_, _ = fmt.Fprintln(os.Stderr, "  ✗", fault)
	}
	if !r.Clean() {
		return errUnclean
	}
	return nil
}

// table prints the result for people.
func (r *result) table(out io.Writer) error {
	rows := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, line := range []string{
		fmt.Sprintf("rows\t%d: %d sales, %d returns, %d refused", r.Rows, r.SaleRows, r.ReturnRows, r.RowsRefused),
		fmt.Sprintf("orders\t%d placed, %d accepted", r.OrdersPlaced, r.OrdersAccepted),
		fmt.Sprintf("lines\t%d accepted, refused: %v", r.LinesAccepted, r.LinesRefused),
		fmt.Sprintf("units\t%d offered, %d sold, %d returned", r.UnitsOffered, r.UnitsSold, r.UnitsReturned),
		fmt.Sprintf("membership fees\t%s", yuan(r.MembershipFeeFen)),
		fmt.Sprintf("sales − refunds\t%s − %s", yuan(r.SalesFen), yuan(r.RefundFen)),
		fmt.Sprintf("= brands + owners + platform\t%s + %s + %s", yuan(r.BrandPayableFen), yuan(r.CommissionFen), yuan(r.PlatformFen)),
		fmt.Sprintf("oversold units\t%d", r.OversoldUnits),
		fmt.Sprintf("wrongly refused lines\t%d", r.WronglyRefusedLines),
		fmt.Sprintf("duplicate orders\t%d", r.DuplicateOrders),
		fmt.Sprintf("ledger sum\t%d fen", r.LedgerSumFen),
		fmt.Sprintf("unexplained\t%d fen", r.UnexplainedFen),
		fmt.Sprintf("took\t%.1f s, %d MiB at the peak", r.Seconds, r.PeakRSSMiB),
	} {
		_, _ = fmt.Fprintln(rows, line)
	}
	return rows.Flush()
}

func yuan(fen int64) string { return "¥" + stockfile.Yuan(fen) }
