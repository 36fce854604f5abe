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
	"strings"
	"text/tabwriter"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/stockfile"
	"github.com/qingcang/qingcang/hack/internal/story"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// world is what a newcomer finds: a brand with approved stock, a store owner, a campaign that is open.
type world struct {
	brand      *actor.Brand
	operations *actor.Staff
	carrier    *actor.Staff
	style, sku string // of the campaign's first item
	// settlementFen is what the brand wants for a unit of sku.
	settlementFen int64
}

const (
	worldCampaign = "welcome"
	commissionBps = 1_000
	// deadline bounds the wait for the campaign to open.
	deadline = 40 * time.Second
)

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
	styles, err := stockfile.ReadStyles(story.SampleStyles(s.Root()))
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
	w.style, w.sku, w.settlementFen = rows[0].StyleNo, rows[0].Barcode, rows[0].SettlementFen
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

// print writes what a newcomer needs to go on by hand, and leaves it in a file for the shell.
func (w *world) print(out io.Writer, s *suite.Suite) error {
	file := filepath.Join(s.Dir, "env")
	if err := os.WriteFile(file, []byte(w.environment(s)), 0o600); err != nil {
		return fmt.Errorf("write the environment: %w", err)
	}
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table)
	for _, r := range [][2]string{
		{"brand-intake", s.BrandIntake}, {"catalog", s.Catalog}, {"store-owner", s.StoreOwner},
		{"order (two replicas)", s.Order}, {"fulfilment", s.Fulfilment}, {"simulators", s.Simulator},
		{"MongoDB (embedded)", s.Embedded.MongoURI}, {"Kafka", s.Embedded.Brokers},
		{"kubectl", s.Assets.Kubectl}, {"KUBECONFIG", s.Kubeconfig + " (namespace " + s.Namespace + ")"},
		{"brand", w.brand.ID + ", API key in $BRAND_KEY"}, {"staff tokens", "$OPERATIONS, $CARRIER; anew from " + s.Simulator + "/oidc/token"},
		{"WeChat log-in", "code-NAME is the code of the user NAME, for any NAME"},
		{"campaign", worldCampaign + ", Live, with style " + w.style}, {"data and logs", s.Dir},
	} {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", r[0], r[1])
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	_, err := fmt.Fprintf(out, "\nIt is up. For the story by hand (README.md), in another shell:\n\n    source %s\n\nCtrl-C stops it; the next start goes on from here.\n", file)
	return err
}

// environment is the table as shell variables.
func (w *world) environment(s *suite.Suite) string {
	var out strings.Builder
	for _, v := range [][2]string{
		{"BRAND_INTAKE", s.BrandIntake}, {"CATALOG", s.Catalog}, {"STORE_OWNER", s.StoreOwner}, {"ORDER", s.Order},
		{"FULFILMENT", s.Fulfilment}, {"SIM", s.Simulator}, {"KUBECONFIG", s.Kubeconfig},
		{"MONGODB_URI", s.Embedded.MongoURI}, {"KAFKA_BROKERS", s.Embedded.Brokers},
		{"OPERATIONS", w.operations.Token}, {"CARRIER", w.carrier.Token}, {"BRAND_ID", w.brand.ID}, {"BRAND_KEY", w.brand.Key},
		{"STYLE", w.style}, {"SKU", w.sku}, {"SETTLEMENT_FEN", fmt.Sprint(w.settlementFen)},
		{"PATH", filepath.Dir(s.Assets.Kubectl) + ":$PATH"},
	} {
		fmt.Fprintf(&out, "export %s=\"%s\"\n", v[0], v[1])
	}
	return out.String()
}
