package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/stockfile"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// world is what a newcomer finds: a brand with approved stock, a store owner, a campaign that is open.
type world struct {
	brand      *actor.Brand
	operations *actor.Staff
	carrier    *actor.Staff
	style      string
}

const worldCampaign = "welcome"

// seedWorld makes the small world, or finds it: every write carries a fixed key, so that a second
// start of the same demo changes nothing.
func seedWorld(ctx context.Context, s *suite.Suite) (*world, error) {
	cast, err := actor.NewCast(s.Addresses)
	if err != nil {
		return nil, err
	}
	w := &world{}
	if w.operations, err = cast.Staff(ctx, "operations"); err != nil {
		return nil, err
	}
	if w.carrier, err = cast.Staff(ctx, "carrier"); err != nil {
		return nil, err
	}
	if err := w.seedBrand(ctx, cast, filepath.Join(s.Dir, "keys", "demo-brand")); err != nil {
		return nil, fmt.Errorf("seed the brand: %w", err)
	}
	rows, err := w.seedStock(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("seed the stock: %w", err)
	}
	if err := w.seedCampaign(ctx, s, rows); err != nil {
		return nil, fmt.Errorf("seed the campaign: %w", err)
	}
	return w, nil
}

// seedBrand keeps the brand's key beside the suite's own: it is shown once.
func (w *world) seedBrand(ctx context.Context, cast *actor.Cast, keyFile string) error {
	id, err := cast.ApplyBrand(ctx, "demo-brand-1", "Levis", brandintake.Contact{Name: "Demo Contact", Phone: "+8613800000000", Email: "demo@example.com"})
	if err != nil {
		return err
	}
	if err := w.operations.ApproveBrand(ctx, id); err != nil {
		return err
	}
	key, err := os.ReadFile(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		issued, err := w.operations.IssueKey(ctx, id, fmt.Sprintf("demo-key-%d", time.Now().Unix()))
		if err != nil {
			return err
		}
		key = []byte(issued)
		if err := os.WriteFile(keyFile, key, 0o600); err != nil {
			return fmt.Errorf("keep the brand's key: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("read the brand's key: %w", err)
	}
	w.brand = cast.Brand(id, string(key))
	return nil
}

func (w *world) seedStock(ctx context.Context, s *suite.Suite) ([]stockfile.Row, error) {
	styles, err := stockfile.ReadStyles(sampleStyles(s.Root()))
	if err != nil {
		return nil, err
	}
	rows := stockfile.Generate(styles[60:120], 2)
	var file bytes.Buffer
	if err := stockfile.Write(&file, rows); err != nil {
		return nil, err
	}
	submission, err := w.brand.Submit(ctx, "demo-stock-1", file.Bytes())
	if err != nil {
		return nil, err
	}
	return rows, w.operations.ApproveSubmission(ctx, w.brand.ID, submission.SubmissionId)
}

func (w *world) seedCampaign(ctx context.Context, s *suite.Suite, rows []stockfile.Row) error {
	desk := campaigns.Desk{Kubectl: s.Kubectl, Namespace: s.Namespace}
	known, err := desk.Get(ctx)
	if err != nil {
		return err
	}
	w.style = rows[0].StyleNo
	if _, ok := known[worldCampaign]; ok {
		return nil
	}
	c := campaigns.Campaign{
		Name: worldCampaign, BrandID: w.brand.ID, Title: "Welcome sale", CommissionBps: commissionBps,
		Start: time.Now(), End: time.Now().Add(24 * time.Hour), BuyerLimitUnits: 10, Hold: 15 * time.Minute,
	}
	for _, r := range rows[:40] {
		c.Items = append(c.Items, campaigns.Item{SKU: r.Barcode, PriceFen: r.SettlementFen * 4 / 100 * 100, SettlementFen: r.SettlementFen, Units: r.Units})
	}
	if err := desk.Apply(ctx, c); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	_, err = desk.Await(waiting, "Live", []string{worldCampaign}, campaigns.InPhase("Live"))
	return err
}

// print writes what a newcomer needs to go on by hand.
func (w *world) print(out io.Writer, s *suite.Suite) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	rows := [][2]string{
		{"brand-intake", s.BrandIntake}, {"catalog", s.Catalog}, {"store-owner", s.StoreOwner},
		{"order (two replicas)", s.Order}, {"fulfilment", s.Fulfilment}, {"simulators", s.Simulator},
		{"", ""},
		{"kubectl", s.Assets.Kubectl}, {"KUBECONFIG", s.Plane.Kubeconfig("admin")}, {"namespace", s.Namespace},
		{"MongoDB (embedded)", s.Embedded.MongoURI}, {"Kafka (embedded)", s.Embedded.Brokers}, {"data and logs", s.Dir},
		{"", ""},
		{"brand", w.brand.ID}, {"brand's API key", w.brand.Key},
		{"staff: operations", w.operations.Token}, {"staff: carrier", w.carrier.Token},
		{"a WeChat log-in code", "code-NAME, for any name"}, {"campaign", worldCampaign + ", with style " + w.style},
	}
	_, _ = fmt.Fprintln(table)
	for _, r := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", r[0], r[1])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	_, err := fmt.Fprintln(out, "\nIt is up. README.md goes through the story by hand. Ctrl-C stops it; the next start goes on from here.")
	return err
}
