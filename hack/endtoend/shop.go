package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/stockfile"
	"github.com/qingcang/qingcang/hack/internal/story"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

const (
	// crowd is how many people buy.
	crowd = 24
	// stockUnits is more of each SKU than all scenes sell.
	stockUnits = 20_000
	// settle bounds the wait for what follows by itself from what was done.
	settle = 90 * time.Second
)

// shop is what all scenes sell and buy with.
type shop struct {
	addresses suite.Addresses
	desk      campaigns.Desk
	cast      *actor.Cast
	brand     *actor.Brand
	item      stockfile.Row
	buyers    []buyer
	mongoURI  string // as this machine reaches it
}

// buyer is a person with an address to deliver to.
type buyer struct {
	*actor.Person
	name, addressID string
}

// openShop finds the ways in, takes a brand with stock in and logs the crowd in.
func (t *test) openShop(ctx context.Context) error {
	s := &shop{desk: campaigns.Desk{Kubectl: t.cluster.Kubectl, Namespace: namespace}}
	t.shop = s
	for service, address := range map[string]*string{
		"brand-intake": &s.addresses.BrandIntake, "catalog": &s.addresses.Catalog, "store-owner": &s.addresses.StoreOwner,
		"order": &s.addresses.Order, "fulfilment": &s.addresses.Fulfilment,
	} {
		var err error
		if *address, err = t.url(ctx, namespace, release+"-"+service); err != nil {
			return err
		}
	}
	var err error
	if s.addresses.Simulator, err = t.url(ctx, outsideNamespace, "sim"); err != nil {
		return err
	}
	database, err := t.reach(ctx, outsideNamespace, "ferretdb", mongoPort)
	if err != nil {
		return err
	}
	s.mongoURI = mongoURI(database)
	if s.cast, err = actor.NewCast(s.addresses); err != nil {
		return err
	}
	if err := s.stock(ctx, story.SampleStyles(t.root)); err != nil {
		return err
	}
	s.buyers = make([]buyer, crowd)
	people, ctx := errgroup.WithContext(ctx)
	for i := range s.buyers {
		people.Go(func() (err error) {
			s.buyers[i], err = s.welcome(ctx, s.cast, fmt.Sprintf("e2e-%d", i))
			return err
		})
	}
	return people.Wait()
}

// stock takes a brand in, and enough of one SKU for all sales.
func (s *shop) stock(ctx context.Context, file string) error {
	operations, err := s.cast.Staff(ctx, "operations")
	if err != nil {
		return err
	}
	id, err := s.cast.ApplyBrand(ctx, "e2e-brand", "Anta", brandintake.Contact{Name: "王建国", Phone: "+8613712345678", Email: "jianguo.wang@example.com"})
	if err != nil {
		return err
	}
	if err := operations.ApproveBrand(ctx, id); err != nil {
		return err
	}
	key, err := operations.IssueKey(ctx, id, fmt.Sprintf("e2e-key-%d", time.Now().Unix()))
	if err != nil {
		return err
	}
	s.brand = s.cast.Brand(id, key)
	styles, err := stockfile.ReadStyles(file)
	if err != nil {
		return err
	}
	rows := stockfile.Generate(styles[200:201], 3)
	s.item = rows[0]
	for i := range rows {
		rows[i].Units = stockUnits
	}
	var text bytes.Buffer
	if err := stockfile.Write(&text, rows); err != nil {
		return err
	}
	submission, err := s.brand.Submit(ctx, "e2e-stock", text.Bytes())
	if err != nil {
		return err
	}
	return operations.ApproveSubmission(ctx, id, submission.SubmissionId)
}

// welcome logs somebody in, who says where goods are to be sent.
func (s *shop) welcome(ctx context.Context, cast *actor.Cast, name string) (buyer, error) {
	p, err := cast.LogIn(ctx, name)
	if err != nil {
		return buyer{}, err
	}
	address, err := p.AddAddress(ctx, "e2e-address", fulfilment.Address{
		Name: "测试", Phone: "13712345678", Province: "浙江省", City: "杭州市", District: "上城区", Street: "解放路 1 号",
	})
	return buyer{Person: p, name: name, addressID: address}, err
}

// campaign is a sale of so many units of the one SKU that opens at once. Its start has passed, so that it
// may be ended in the second in which it opened.
func (s *shop) campaign(name string, units int64) campaigns.Campaign {
	return campaigns.Campaign{
		Name: name, BrandID: s.brand.ID, Title: "End to end: " + name, CommissionBps: 1_000,
		Start: time.Now().Add(-time.Minute), End: time.Now().Add(time.Hour), Hold: 10 * time.Minute,
		ReturnWindow: time.Hour, ReturnsFromSigning: true,
		Items: []campaigns.Item{{SKU: s.item.Barcode, PriceFen: s.item.SettlementFen * 4 / 100 * 100, SettlementFen: s.item.SettlementFen, Units: units}},
	}
}

// reaches waits until a campaign is in a phase.
func (s *shop) reaches(ctx context.Context, name, phase string) (campaigns.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	all, err := s.desk.Await(ctx, phase, []string{name}, campaigns.InPhase(phase))
	return all[name], err
}

// open applies a campaign and waits until it is live.
func (s *shop) open(ctx context.Context, c campaigns.Campaign) (campaigns.Status, error) {
	if err := s.desk.Apply(ctx, c); err != nil {
		return campaigns.Status{}, err
	}
	return s.reaches(ctx, c.Name, "Live")
}

// soon waits for what follows by itself from what was done, for settle at the most.
func soon(ctx context.Context, check func(context.Context) error) error {
	return poll.Within(ctx, settle, check)
}

// refusedWith reports whether an error is a service's refusal with one of these codes.
func refusedWith(err error, codes ...string) bool {
	var problem *actor.Problem
	if !errors.As(err, &problem) {
		return false
	}
	for _, code := range codes {
		if problem.Code == code {
			return true
		}
	}
	return false
}
