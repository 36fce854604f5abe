package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CampaignSpec is the sale that operations want.
//
// ---
// The price rule is exact, not rounded: the commission of a line is rounded down over all its units,
// so a fen that one unit lacks would be missing ten times in a line of ten. Its message is put together
// by format(): joining strings with + is estimated at a hundred times the API server's cost limit.
// The rule about skipOffsets stands here and not at the list, because a rule is not asked about a list
// that is taken away as a whole. Times with the same offset, or none, are compared as text, which is
// their order; what is too short for a time is refused by itself and compared with nothing. Two moments
// 48 hours apart show the same hour and minute unless the zone's clock changes between them; Shanghai's
// has not since 1991. That rule fails of an unknown zone as well, and its message says so.
//
// +kubebuilder:validation:XValidation:rule="has(self.items) || has(self.selector)",message="a campaign needs goods: list them under items, or describe them under selector"
// +kubebuilder:validation:XValidation:rule="[self.startAt, self.endAt, has(self.previewAt) ? self.previewAt : self.startAt].exists(t, t.size() < 19) || [self.endAt, has(self.previewAt) ? self.previewAt : self.startAt].all(t, (t.size() == 19) == (self.startAt.size() == 19))",fieldPath=".startAt",message="previewAt, startAt and endAt must be written alike: all with an offset as +08:00 or Z, or all without, in timeZone"
// +kubebuilder:validation:XValidation:rule="[self.startAt, self.endAt].exists(t, t.size() < 19) || (self.startAt.substring(19) == self.endAt.substring(19) ? self.endAt > self.startAt : [self.startAt, self.endAt].exists(t, t.size() == 19) || timestamp(self.endAt) > timestamp(self.startAt))",fieldPath=".endAt",message="endAt must be later than startAt: set a later endAt or an earlier startAt"
// +kubebuilder:validation:XValidation:rule="!has(self.previewAt) || [self.startAt, self.previewAt].exists(t, t.size() < 19) || (self.startAt.substring(19) == self.previewAt.substring(19) ? self.previewAt <= self.startAt : [self.startAt, self.previewAt].exists(t, t.size() == 19) || timestamp(self.previewAt) <= timestamp(self.startAt))",fieldPath=".previewAt",message="previewAt must not be later than startAt: set an earlier previewAt or leave it out"
// +kubebuilder:validation:XValidation:rule="self.timeZone == 'Asia/Shanghai' || [self.startAt, self.endAt, has(self.previewAt) ? self.previewAt : self.startAt].all(t, t.size() != 19 || [timestamp(t + 'Z')].all(u, (u - duration('24h')).getHours(self.timeZone) == (u + duration('24h')).getHours(self.timeZone) && (u - duration('24h')).getMinutes(self.timeZone) == (u + duration('24h')).getMinutes(self.timeZone)))",fieldPath=".timeZone",message="the clock of timeZone must be known, and must not change within a day of previewAt, startAt or endAt: correct timeZone, or write all three with their offsets, for example 2026-03-29T02:30:00+01:00"
// +kubebuilder:validation:XValidation:rule="!has(self.items) || self.items.all(i, (i.priceFen - i.settlementFen) * 10000 >= i.priceFen * self.commissionBps)",fieldPath=".items",messageExpression="'item %s: priceFen must cover settlementFen plus the commission of priceFen × commissionBps / 10000: raise priceFen, or lower settlementFen or commissionBps'.format([self.items.filter(i, (i.priceFen - i.settlementFen) * 10000 < i.priceFen * self.commissionBps)[0].sku])",message="priceFen must cover settlementFen plus the commission of priceFen × commissionBps / 10000: raise priceFen, or lower settlementFen or commissionBps"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.items) || !has(self.items) || (has(self.selector) == has(oldSelf.selector) && (!has(self.selector) || self.selector == oldSelf.selector))",fieldPath=".selector",message="selector is not looked at while items stand: take items out to have it resolved, or put selector back as it was and edit items"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.lane) || !has(oldSelf.lane.skipOffsets) || oldSelf.lane.skipOffsets.all(o, has(self.lane) && has(self.lane.skipOffsets) && o in self.lane.skipOffsets)",fieldPath=".lane.skipOffsets",message="lane.skipOffsets can only grow: put back what was taken out, because replicas that run have passed over it already and those that start must do the same"
type CampaignSpec struct {
	// BrandID is the brand whose stock is sold, as brand-intake named it, for
	// example brand_01k9z3w5n8e7s9v0q2c4x6b8da. It cannot change: delete the
	// campaign and make another.
	//
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^brand_[0-7][0-9a-hjkmnp-tv-z]{25}$')",message="brandId must be the id that brand-intake gave the brand, brand_ and 26 more characters: copy it from there, for example brand_01k9z3w5n8e7s9v0q2c4x6b8da"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="brandId cannot change: delete this campaign and make another for the other brand"
	BrandID string `json:"brandId"`

	// Title is what buyers see above the goods, one line of 1 to 120 characters,
	// for example "Autumn clearance, coats and knitwear".
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:cntrl:]]')",message="title must be one line: take line breaks and control characters out"
	Title string `json:"title"`

	// Items are the goods on sale, one entry a SKU, at most 1,000. Goods that are
	// left out are not offered. To take a SKU off a running sale set its units to
	// 0: what is held or sold of it stays so.
	//
	// Leave it out to have selector fill it. Once the sale has opened no SKU can
	// leave the list and no price can rise, because posters with the goods and the
	// price are out; prices may fall and goods may be added.
	//
	// +optional
	// +listType=map
	// +listMapKey=sku
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	Items []Item `json:"items,omitempty"`

	// Selector describes the goods in place of items: which of the brand's
	// approved stock, at which price. What is chosen belongs to one of the styles,
	// one of the seasons and one of the categories, where these are given, and has
	// free units.
	//
	// The operator resolves it once, as soon as such stock is there, and writes
	// the result to items; from then on items count, and `kubectl get campaign
	// NAME -o yaml` shows what is sold. While items stand the selector is not
	// looked at, also where both are given at once, and cannot be edited. To
	// resolve it anew before the sale has opened, take items out:
	//
	//	kubectl patch campaign NAME --type=json \
	//	  -p '[{"op":"remove","path":"/spec/items"}]'
	//
	// +optional
	Selector *Selector `json:"selector,omitempty"`

	// CommissionBps is the store owner's share of the selling price in basis
	// points (1/100 of a percent), 0 to 10,000; 1000 is 10%. A sale without a
	// share link leaves this part to the platform. It may rise at any time and
	// cannot fall once the sale has opened.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	CommissionBps int32 `json:"commissionBps"`

	// TimeZone is the zone, by its IANA name, in which times without an offset are
	// read and in which `kubectl get campaigns` shows them, for example
	// Asia/Shanghai (the default) or Asia/Urumqi. It cannot change once the sale
	// has opened. Return windows count in Asia/Shanghai whatever stands here.
	//
	// +optional
	// +kubebuilder:default=Asia/Shanghai
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$') && self != 'Local' && timestamp('2026-01-01T00:00:00Z').getHours(self) >= 0",message="timeZone must be the IANA name of a zone, for example Asia/Shanghai or UTC"
	TimeZone string `json:"timeZone,omitempty"`

	// PreviewAt is when the catalogue begins to show the goods, in whole seconds,
	// for example 2026-11-24T12:00:00. Left out: as soon as the campaign is known.
	//
	// +optional
	PreviewAt Moment `json:"previewAt,omitempty"`

	// StartAt is when the sale opens, in whole seconds: 2026-11-24T20:00:00 is
	// eight in the evening in timeZone, 2026-11-24T20:00:00+08:00 says its offset
	// itself. Write all times of a campaign in one of the two ways. A time in the
	// past opens the sale as soon as the brand's stock is allocated. It cannot
	// change once the sale has opened.
	//
	// +required
	StartAt Moment `json:"startAt"`

	// EndAt is when the sale closes, in whole seconds, for example
	// 2026-11-25T00:00:00. Orders held then may still be paid within their hold.
	// To end a sale early set it to now. It cannot change once the sale has
	// closed.
	//
	// +required
	EndAt Moment `json:"endAt"`

	// BuyerLimitUnits is how many units one buyer may hold and buy of all items
	// together, 0 to 1,000,000, for example 20. 0, the default, is no limit.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	BuyerLimitUnits int64 `json:"buyerLimitUnits,omitempty"`

	// HoldLimitUnits is how many units of all items together one buyer may hold
	// unpaid at a time, 0 to 1,000,000, so that nobody parks the stock that others
	// would pay for. Who has paid may hold as much again, and a cart with more is
	// refused with over_hold: it can be split and paid piece by piece. Each order
	// that a buyer lets run out or cancels unpaid halves the limit for him in this
	// campaign, at most eight times and not under one unit, until he pays one.
	//
	// 200, the default, lets a store owner fill a cart for a whole group (at ¥60 a
	// unit, ¥12,000 unpaid) and is about 1% of a campaign that sells ¥1M. Where
	// only a few hundred units are on sale set it lower, for example to a tenth of
	// them. 0 is no limit, for buyers who are known to pay: 64 units then apply,
	// halved as above, to those who let a hold run out.
	//
	// +optional
	// +kubebuilder:default=200
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	HoldLimitUnits *int64 `json:"holdLimitUnits,omitempty"`

	// Hold is how long an unpaid order keeps its stock, 10s to 2h in whole hours,
	// minutes and seconds, for example 1m30s; 15m is the default. For a buyer who
	// lets orders run out it is halved as holdLimitUnits is, not under one minute.
	//
	// +optional
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('10s') && duration(self) <= duration('2h')",message="hold must be 10s to 2h in whole hours, minutes and seconds, for example 15m or 1m30s"
	Hold metav1.Duration `json:"hold,omitzero"`

	// ReturnWindow is how long a buyer may send goods back without a reason.
	// Commission and the brand's money become available after it. Once the sale
	// has opened it may become longer, not shorter.
	//
	// +optional
	// +kubebuilder:default={}
	ReturnWindow ReturnWindow `json:"returnWindow,omitzero"`

	// Admission says which goods are good enough to be sold. Left out: all that
	// the brand got approved.
	//
	// +optional
	Admission Admission `json:"admission,omitzero"`

	// Lane says where the campaign's orders are computed. Left out: in the shared
	// pool, which is right for all but the largest sales.
	//
	// +optional
	Lane LaneSpec `json:"lane,omitzero"`

	// Suspend stops new orders until it is false again. What is held can still be
	// paid, and the clock of startAt and endAt runs on.
	//
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// DeletionPolicy is what `kubectl delete campaign` does to a sale that has
	// opened. One that has not is ended at once in any case.
	//
	// EndNow, the default: the end is published and the object goes as soon as
	// that is durable, normally within a second. The lane sells nothing more; what
	// is held can still be paid within hold; unsold units go back to the brand's
	// pool.
	//
	// EndOnTime: the sale is safe from a deletion by mistake, for example of its
	// namespace. The finalizer holds the object, shown as Terminating, until
	// endAt, or until the lane has closed the sale if that is earlier. Meanwhile
	// everything goes on, the spec can be edited, and Ready says EndingOnTime. At
	// endAt the end is published as with EndNow, whether or not the order service
	// can be heard, so that no deletion hangs longer.
	//
	// It may change at any time, also while the object is being deleted:
	//
	//	kubectl patch campaign NAME --type=merge \
	//	  -p '{"spec":{"deletionPolicy":"EndNow"}}'
	//
	// +optional
	// +kubebuilder:default=EndNow
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// DeletionPolicy is what a deletion does to a sale that has opened.
//
// +kubebuilder:validation:Enum=EndNow;EndOnTime
type DeletionPolicy string

// The deletion policies; spec.deletionPolicy says what they do.
const (
	EndNow    DeletionPolicy = "EndNow"
	EndOnTime DeletionPolicy = "EndOnTime"
)

// Admission is what goods need to be sold.
type Admission struct {
	// MinTrialIndexTenths is the least trial index, in tenths of a point, that
	// each item's style needs, 0 to 100: 50 is 5.0 of 10, the mark of Yunji's
	// index. The index is the mean of what trial users gave for performance,
	// price, look and packaging, as brand-intake has it. A style that has not been
	// tried does not have it. A campaign with such goods is refused with
	// TrialIndexTooLow, which names them, and goes on by itself once they have
	// been tried well enough; a selector leaves them out. 0, the default, asks for
	// no trial.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	MinTrialIndexTenths int32 `json:"minTrialIndexTenths,omitempty"`
}

// Item is one SKU on sale.
type Item struct {
	// SKU is the barcode under which the brand submitted the goods, 1 to 64 ASCII
	// letters, digits and signs without spaces, for example "6901234567892". Put
	// it in quotes: YAML reads bare digits as a number.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[!-~]+$')",message="sku must be the barcode as it stands in the stock file: letters, digits and signs without spaces"
	SKU string `json:"sku"`

	// PriceFen is what a buyer pays for one unit, in fen (¥1 = 100 fen), 1 to
	// 100,000,000 (¥1,000,000), for example 5990 for ¥59.90. It must cover
	// settlementFen and the commission: 5990 at commissionBps 1000 leaves up to
	// 5391 to settle.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	PriceFen int64 `json:"priceFen"`

	// SettlementFen is what the brand gets for one unit, in fen, 0 to 100,000,000,
	// for example 4500 for ¥45. It must not be under the settlement price of the
	// brand's approved stock, else the campaign is refused with SettlementTooLow.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000000
	SettlementFen int64 `json:"settlementFen"`

	// Units is how many units the campaign may sell, 0 to 1,000,000, for example
	// 120. They leave the brand's pool when they are allocated; what is unsold
	// goes back after the sale. Lowering it takes back only what is neither held
	// nor sold.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	Units int64 `json:"units"`
}

// LegalReturnWindow is how long goods bought at a distance, and a membership, can be had back without a
// reason: seven days (消费者权益保护法, article 25).
const LegalReturnWindow = 7 * 24 * time.Hour

// ReturnWindow is a length and the moment from which it counts.
type ReturnWindow struct {
	// Duration of the window, 1s to 8760h, for example 168h, which is the seven
	// days of the law (消费者权益保护法, article 25) and the default. Less is refused
	// (WindowTooShort) unless the operator runs with --min-return-window.
	//
	// +optional
	// +kubebuilder:default="168h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) >= duration('1s') && duration(self) <= duration('8760h')",message="returnWindow.duration must be 1s to 8760h in whole hours, minutes and seconds, for example 168h"
	Duration metav1.Duration `json:"duration,omitzero"`

	// From is where the window begins: NextMidnight is the midnight in
	// Asia/Shanghai after the parcel was signed for, so that day 1 is the day
	// after; Signing is that moment itself, for demos and tests.
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
