package v1alpha1

// The condition types. Ready and Published are a Campaign's and an OwnerProgram's, the others a Campaign's.
const (
	// ConditionReady is the one to look at: the object does what its spec says.
	ConditionReady = "Ready"
	// ConditionSelected: spec.items stands, written by hand or resolved from spec.selector.
	ConditionSelected = "Selected"
	// ConditionPublished: the services have been told this generation of the spec.
	ConditionPublished = "Published"
	// ConditionAllocated: the brand's pool gave the stock of this generation.
	ConditionAllocated = "Allocated"
	// ConditionLaneRunning: the lane takes in what is wanted and keeps time.
	ConditionLaneRunning = "LaneRunning"
	// ConditionScaled: a dedicated lane has the pods that the schedule asks for. It never gates a sale,
	// because the shared pool follows the lane, too.
	ConditionScaled = "Scaled"
)

// The reasons of more than one condition.
const (
	// ReasonPending: an answer is awaited, nothing is wrong yet.
	ReasonPending = "Pending"
	// ReasonAsWanted: everything is as the spec says.
	ReasonAsWanted = "AsWanted"
)

// The reasons of Ready alone.
const (
	// ReasonSuspended: as wanted, and spec.suspend keeps it from selling.
	ReasonSuspended = "Suspended"
	// ReasonEndingOnTime: as wanted; the object was deleted, and spec.deletionPolicy lets the sale run to
	// spec.endAt.
	ReasonEndingOnTime = "EndingOnTime"
)

// The reasons of Selected.
const (
	// ReasonListed: spec.items was written by hand.
	ReasonListed = "Listed"
	// ReasonResolved: spec.items was resolved from spec.selector.
	ReasonResolved = "Resolved"
	// ReasonNothingSelected: no approved stock of the brand fits spec.selector; it is asked again when
	// stock is approved.
	ReasonNothingSelected = "NothingSelected"
	// ReasonStyleNotFound: the brand has no approved stock of a style that spec.selector names; it is
	// asked again when stock is approved.
	ReasonStyleNotFound = "StyleNotFound"
	// ReasonTooMuchSelected: more SKUs fit spec.selector than a campaign can have.
	ReasonTooMuchSelected = "TooMuchSelected"
)

// The reasons of Published.
const (
	// ReasonPublished: the desired state stands in its topic.
	ReasonPublished = "Published"
	// ReasonWindowTooShort: the return window is under what this operator allows.
	ReasonWindowTooShort = "WindowTooShort"
	// ReasonTimeUnreadable: a time or the zone of the spec cannot be read by this operator.
	ReasonTimeUnreadable = "TimeUnreadable"
	// ReasonTrialIndexTooLow: a style's trial index is under spec.admission.minTrialIndexTenths, or it was
	// never tried.
	ReasonTrialIndexTooLow = "TrialIndexTooLow"
	// ReasonAlreadyOpen: the sale opened while the operator was away, and the spec was then changed as that of
	// a sale that has opened may not be.
	ReasonAlreadyOpen = "AlreadyOpen"
	// ReasonDedicatedUnavailable: this operator cannot run dedicated lanes.
	ReasonDedicatedUnavailable = "DedicatedUnavailable"
	// ReasonSignOffNotYet: the sign-off of an OwnerProgram bears a date that is still to come.
	ReasonSignOffNotYet = "SignOffNotYet"
	// ReasonPublishFailed: the broker did not take the desired state; it is tried again.
	ReasonPublishFailed = "PublishFailed"
	// ReasonEnded: the end of this object was published before, and an end is final.
	ReasonEnded = "Ended"
)

// The reasons of Allocated. The brand's pool brings those of its refusals itself.
const (
	// ReasonAllocated: the pool gave the stock.
	ReasonAllocated = "Allocated"
	// ReasonUnknownBrand: nobody has taken this brand in.
	ReasonUnknownBrand = "UnknownBrand"
	// ReasonBrandSuspended: operations suspended the brand.
	ReasonBrandSuspended = "BrandSuspended"
	// ReasonUnknownSKU: the brand has no approved stock of an item.
	ReasonUnknownSKU = "UnknownSKU"
	// ReasonSettlementTooLow: an item's settlementFen is under the brand's.
	ReasonSettlementTooLow = "SettlementTooLow"
	// ReasonNotEnoughStock: the pool holds fewer units than an item asks for.
	ReasonNotEnoughStock = "NotEnoughStock"
	// ReasonRefused: the pool refused without a reason of its own.
	ReasonRefused = "Refused"
)

// The reasons of LaneRunning.
const (
	// ReasonRunning: the lane follows.
	ReasonRunning = "Running"
	// ReasonLaneStopped: the lane stands still and says why.
	ReasonLaneStopped = "LaneStopped"
	// ReasonLaneSilent: the lane does not answer or did not keep a time.
	ReasonLaneSilent = "LaneSilent"
)

// The reasons of Scaled, beside AsWanted and Pending.
const (
	// ReasonSharedPool: the campaign has no pods of its own and needs none.
	ReasonSharedPool = "SharedPool"
	// ReasonRollingOut: fewer pods answer than the schedule asks for, and they are on their way.
	ReasonRollingOut = "RollingOut"
	// ReasonPodsMissing: fewer pods answer than the schedule asks for, and the Deployment says that it
	// makes no progress.
	ReasonPodsMissing = "PodsMissing"
	// ReasonChildRefused: the API server refused an object of the lane.
	ReasonChildRefused = "ChildRefused"
)

// Finalizer keeps a deleted Campaign until its end stands in campaigns.v1, from which the lane
// closes the sale. Paid orders do not need the object after that.
const Finalizer = "sale.qingcang.io/campaign"

// LaneAnnotation notes which shared lane the operator has chosen for a Campaign, "lanes.shared.v1/3" for example. It is
// written with the finalizer, before anything is published: of two operators one alone can choose.
const LaneAnnotation = "sale.qingcang.io/lane"
