package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CampaignSpec is the sale that operations want.
//
// ---
// The price rule is exact, not rounded: the commission of a line is rounded down over all its units,
// so a fen that one unit lacks would be missing ten times in a line of ten. Its message is put together
// by format(): joining strings with + is estimated at a hundred times the API server's cost limit.
// The rule about skipOffsets stands here and not at the list, because a rule is not asked about a list
// that is taken away as a whole.
//
// +kubebuilder:validation:XValidation:rule="self.endAt > self.startAt",fieldPath=".endAt",message="endAt must be later than startAt: move endAt back or startAt forward"
// +kubebuilder:validation:XValidation:rule="!has(self.previewAt) || self.previewAt <= self.startAt",fieldPath=".previewAt",message="previewAt must not be later than startAt: move previewAt forward or leave it out"
// +kubebuilder:validation:XValidation:rule="self.items.all(i, (i.priceFen - i.settlementFen) * 10000 >= i.priceFen * self.commissionBps)",fieldPath=".items",messageExpression="'item %s: priceFen must cover settlementFen plus the commission of priceFen × commissionBps / 10000: raise priceFen, or lower settlementFen or commissionBps'.format([self.items.filter(i, (i.priceFen - i.settlementFen) * 10000 < i.priceFen * self.commissionBps)[0].sku])",message="each item's priceFen must cover settlementFen plus the commission of priceFen × commissionBps / 10000: raise priceFen, or lower settlementFen or commissionBps"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.lane) || !has(oldSelf.lane.skipOffsets) || oldSelf.lane.skipOffsets.all(o, has(self.lane) && has(self.lane.skipOffsets) && o in self.lane.skipOffsets)",fieldPath=".lane.skipOffsets",message="lane.skipOffsets can only grow: put back what was taken out, because replicas that run have passed over it already and those that start must do the same"
type CampaignSpec struct {
	// BrandID is the brand whose stock is sold, as brand-intake named it, for example
	// brand_01k9z3w5n8e7s9v0q2c4x6b8da. It cannot change: delete the campaign and make another.
	//
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^brand_[0-7][0-9a-hjkmnp-tv-z]{25}$')",message="brandId must be the id that brand-intake gave the brand: brand_ and 26 more characters"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="brandId cannot change: delete this campaign and make another for the other brand"
	BrandID string `json:"brandId"`

	// Title is what buyers see above the goods, for example "Autumn clearance, coats and knitwear".
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	Title string `json:"title"`

	// Items are the goods on sale, one entry a SKU, at most 1,000. Goods that are left out are not
	// offered. To take a SKU off a running sale set its units to 0: what is held or sold of it stays so.
	//
	// +required
	// +listType=map
	// +listMapKey=sku
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	Items []Item `json:"items"`

	// CommissionBps is the store owner's share of the selling price in basis points (1/100 of a
	// percent), 0 to 10,000; 1000 is 10%. A sale without a share link leaves this part to the platform.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	CommissionBps int32 `json:"commissionBps"`

	// PreviewAt is when the catalogue begins to show the goods, in whole seconds, for example
	// 2026-11-24T12:00:00Z. Left out: as soon as the campaign is known.
	//
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=25
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$`
	PreviewAt *metav1.Time `json:"previewAt,omitempty"`

	// StartAt is when the sale opens, in whole seconds, for example 2026-11-24T20:00:00+08:00. A time
	// in the past opens it as soon as the brand's stock is allocated. It cannot change once the sale
	// has opened.
	//
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=25
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$`
	StartAt metav1.Time `json:"startAt"`

	// EndAt is when the sale closes, in whole seconds. Orders held then may still be paid within their
	// hold. To end a sale early set it to now. It cannot change once the sale has closed.
	//
	// +required
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=25
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$`
	EndAt metav1.Time `json:"endAt"`

	// BuyerLimitUnits is how many units one buyer may hold and buy of all items together, for example
	// 20. 0, the default, is no limit.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	BuyerLimitUnits int64 `json:"buyerLimitUnits,omitempty"`

	// HoldLimitUnits is how many units of all items together one buyer may hold unpaid at a time, so that
	// nobody parks the stock that others would pay for. Who has paid may hold as much again, and a cart
	// with more is refused with over_hold: it can be split and paid piece by piece. Each order that a
	// buyer lets run out halves the limit for him in this campaign, down to one unit, until he pays one.
	//
	// 200, the default, lets a store owner fill a cart for a whole group (at ¥60 a unit, ¥12,000 unpaid)
	// and is about 1% of a campaign that sells ¥1M. Where only a few hundred units are on sale set it
	// lower, for example to a tenth of them. 0 is no limit, for buyers who are known to pay: 64 units then
	// apply, halved as above, to those who let a hold run out.
	//
	// +optional
	// +kubebuilder:default=200
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	HoldLimitUnits *int64 `json:"holdLimitUnits,omitempty"`

	// Hold is how long an unpaid order keeps its stock, 10s to 2h, for example 15m.
	//
	// +optional
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('10s') && duration(self) <= duration('2h')",message="hold must be 10s to 2h in whole hours, minutes and seconds, for example 15m or 1m30s"
	Hold metav1.Duration `json:"hold,omitzero"`

	// ReturnWindow is how long a buyer may send goods back without a reason. Commission and the brand's
	// money become available after it.
	//
	// +optional
	// +kubebuilder:default={}
	ReturnWindow ReturnWindow `json:"returnWindow,omitzero"`

	// Suspend stops new orders until it is false again. What is held can still be paid, and the clock
	// of startAt and endAt runs on.
	//
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// Lane is for the day on which this campaign's lane stands still (LaneStopped). Leave it out
	// otherwise.
	//
	// +optional
	Lane LaneRepair `json:"lane,omitzero"`
}

// LaneRepair says how a lane that stands still goes on.
type LaneRepair struct {
	// SkipOffsets are entries of the campaign's lane that stopped it and are not to count, for example
	// [181204]: the offsets that the message of LaneStopped names, or, where it names a gap, each offset
	// that is missing. What such an entry asked for never happens, for any campaign of the lane, so first
	// find out what it was; an entry of a newer version calls for the newer order service, not for this.
	// An offset may be added while the sale runs and can never be taken out again, because every replica
	// that starts must pass over the same entries.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Minimum=0
	SkipOffsets []int64 `json:"skipOffsets,omitempty"`
}

// Item is one SKU on sale.
type Item struct {
	// SKU is the barcode under which the brand submitted the goods, for example 6901234567892.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[!-~]+$`
	SKU string `json:"sku"`

	// PriceFen is what a buyer pays for one unit, in fen (¥1 = 100 fen), for example 5990 for ¥59.90.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	PriceFen int64 `json:"priceFen"`

	// SettlementFen is what the brand gets for one unit, in fen. It must not be under the settlement
	// price of the brand's approved stock, else the campaign is refused with SettlementTooLow.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000000
	SettlementFen int64 `json:"settlementFen"`

	// Units is how many units the campaign may sell. They leave the brand's pool when they are
	// allocated; what is unsold goes back after the sale. Lowering it takes back only what is neither
	// held nor sold.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Units int64 `json:"units"`
}

// ReturnWindow is a length and the moment from which it counts.
type ReturnWindow struct {
	// Duration of the window, for example 168h, which is the seven days of the law and the default.
	// Less is refused (WindowTooShort) unless the operator runs with --min-return-window.
	//
	// +optional
	// +kubebuilder:default="168h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('1s') && duration(self) <= duration('8760h')",message="returnWindow.duration must be 1s to 8760h in whole hours, minutes and seconds, for example 168h"
	Duration metav1.Duration `json:"duration,omitzero"`

	// From is where the window begins: NextMidnight is the midnight in Asia/Shanghai after the parcel
	// was signed for, so that day 1 is the day after; Signing is that moment itself, for demos and tests.
	//
	// +optional
	// +kubebuilder:default=NextMidnight
	From WindowStart `json:"from,omitempty"`
}

// WindowStart is where a return window begins.
//
// +kubebuilder:validation:Enum=NextMidnight;Signing
type WindowStart string

// The starts of a return window.
const (
	FromNextMidnight WindowStart = "NextMidnight"
	FromSigning      WindowStart = "Signing"
)
