package stock

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// The reasons of a refusal. They show as the reason of the Campaign's condition.
const (
	UnknownBrand     = "UnknownBrand"
	BrandSuspended   = "BrandSuspended"
	UnknownSKU       = "UnknownSKU"
	SettlementTooLow = "SettlementTooLow"
	NotEnoughStock   = "NotEnoughStock"
)

// maxNamed bounds the SKUs that a refusal names; the sentence must fit a condition.
const maxNamed = 5

// Standing is whether a brand may give stock to campaigns.
type Standing int

// The standings.
const (
	Absent Standing = iota // never approved
	Open
	Barred // suspended
)

// Allocate answers a generation of a campaign's desired state: with the units
// that come on top of what the campaign has, or with a refusal of the whole
// generation. A generation is answered once; an older one not at all.
//
// What needs no unit on top is never refused for the brand's sake: a campaign
// of a suspended brand can still be ended earlier, and a settlement price that
// the brand has raised since counts for new units only.
func (p *Pool) Allocate(standing Standing, d *campaignv1.Desired, now time.Time) []proto.Message {
	known := p.Campaigns[d.GetUid()]
	if known == nil {
		known = &Campaign{}
	}
	if d.GetGeneration() <= known.Answered {
		return nil
	}
	if standing == Absent {
		return refuse(d, UnknownBrand, fmt.Sprintf("There is no approved brand %q; have it approved, or make another Campaign with the right spec.brandId.", d.GetBrandId()))
	}
	if known.Closed || d.GetClosed() {
		return allow(d, nil, now)
	}
	w := p.want(known, d)
	switch {
	case len(w.unknown) > 0:
		return refuse(d, UnknownSKU, fmt.Sprintf("The brand has no approved stock of %s; take it out of spec.items or have it approved first.", named(w.unknown)))
	case standing == Barred && (len(w.add) > 0 || known.Answered == 0):
		return refuse(d, BrandSuspended, "The brand is suspended and gives no stock to campaigns.")
	case len(w.cheap) > 0:
		return refuse(d, SettlementTooLow, fmt.Sprintf("settlementFen is under the brand's settlement price: %s; raise it to at least that.", named(w.cheap)))
	case len(w.scarce) > 0:
		return refuse(d, NotEnoughStock, fmt.Sprintf("The brand's pool has not enough free units: %s; lower the units or have more stock approved.", named(w.scarce)))
	}
	return allow(d, w.add, now)
}

// want is a generation held against the pool.
type want struct {
	add                    []*brandv1.AllocatedUnits
	unknown, cheap, scarce []string
}

func (p *Pool) want(known *Campaign, d *campaignv1.Desired) want {
	var w want
	for _, wanted := range summed(d.GetItems()) {
		item, ok := p.Items[wanted.sku]
		if !ok {
			w.unknown = append(w.unknown, wanted.sku)
			continue
		}
		more := max(wanted.Units-known.Given[wanted.sku], 0)
		agreed, before := known.Agreed[wanted.sku]
		lowered := !before || wanted.Settlement < agreed.Settlement
		if wanted.Settlement < item.Goods.Settlement && (more > 0 || lowered) {
			w.cheap = append(w.cheap, fmt.Sprintf("%s (%d fen wanted)", wanted.sku, item.Goods.Settlement))
		}
		if more > item.Free() {
			w.scarce = append(w.scarce, fmt.Sprintf("%s (%d more wanted, %d free)", wanted.sku, more, item.Free()))
		}
		if more > 0 {
			w.add = append(w.add, &brandv1.AllocatedUnits{Sku: wanted.sku, Units: more})
		}
	}
	return w
}

// wanted is one SKU of a generation.
type wanted struct {
	sku string
	Terms
}

// summed adds up items of one SKU, in the order of the list. The API server
// keeps SKUs unique; a message that breaks that must not get units twice.
func summed(items []*campaignv1.Item) []wanted {
	out := make([]wanted, 0, len(items))
	place := make(map[string]int, len(items))
	for _, item := range items {
		i, seen := place[item.GetSku()]
		if !seen {
			i = len(out)
			place[item.GetSku()] = i
			out = append(out, wanted{item.GetSku(), Terms{Settlement: money.Fen(item.GetSettlementFen())}})
		}
		out[i].Units += max(item.GetUnits(), 0)
		out[i].Settlement = min(out[i].Settlement, money.Fen(item.GetSettlementFen()))
	}
	return out
}

func allow(d *campaignv1.Desired, add []*brandv1.AllocatedUnits, now time.Time) []proto.Message {
	return []proto.Message{
		&brandv1.CampaignHeard{Desired: d, At: timestamppb.New(now)},
		&brandv1.StockAllocated{
			CampaignUid: d.GetUid(), Generation: d.GetGeneration(), BrandId: d.GetBrandId(), Lane: d.GetLane(), Add: add,
		},
	}
}

func refuse(d *campaignv1.Desired, reason, message string) []proto.Message {
	return []proto.Message{&brandv1.StockRefused{
		CampaignUid: d.GetUid(), Generation: d.GetGeneration(), BrandId: d.GetBrandId(), Lane: d.GetLane(),
		Reason: reason, Message: message,
	}}
}

// named lists at most maxNamed of them: "A, B and 7 more".
func named(all []string) string {
	if len(all) <= maxNamed {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:maxNamed], ", "), len(all)-maxNamed)
}
