package v1alpha1_test

import (
	"strings"
	"testing"
)

const (
	ratioSentence    = "priceFen must cover settlementFen plus the commission of priceFen × commissionBps / 10000: raise priceFen, or lower settlementFen or commissionBps"
	holdSentence     = "hold must be 10s to 2h in whole hours, minutes and seconds, for example 15m or 1m30s"
	windowSentence   = "returnWindow.duration must be 1s to 8760h in whole hours, minutes and seconds, for example 168h"
	brandIDSentence  = "brandId must be the id that brand-intake gave the brand, brand_ and 26 more characters: copy it from there, for example brand_01k9z3w5n8e7s9v0q2c4x6b8da"
	momentSentence   = "write a time of this century in whole seconds, on a day that the calendar has: 2026-11-24T20:00:00, read in timeZone, or with its offset, 2026-11-24T20:00:00+08:00"
	zoneSentence     = "timeZone must be the IANA name of a zone, for example Asia/Shanghai or UTC"
	alikeSentence    = "previewAt, startAt and endAt must be written alike: all with an offset as +08:00 or Z, or all without, in timeZone"
	endSentence      = "endAt must be later than startAt: set a later endAt or an earlier startAt"
	previewSentence  = "previewAt must not be later than startAt: set an earlier previewAt or leave it out"
	clockSentence    = "the clock of timeZone must be known, and must not change within a day of previewAt, startAt or endAt: correct timeZone, or write all three with their offsets, for example 2026-03-29T02:30:00+01:00"
	skuSentence      = "sku must be the barcode as it stands in the stock file: letters, digits and signs without spaces"
	goodsSentence    = "a campaign needs goods: list them under items, or describe them under selector"
	titleSentence    = "title must be one line: take line breaks and control characters out"
	emptySentence    = "selector must name styles, seasons or categories, else all that the brand ever got approved would be on sale: give at least one of them"
	replicasSentence = "maxReplicas must not be under any of replicas: raise it to the largest of them"
)

// local writes the campaign's times without an offset, without a preview.
func local(startAt, endAt string) change {
	return as(drop("previewAt"), set(startAt, "startAt"), set(endAt, "endAt"))
}

// refusedCampaigns are wrong as they stand, each with the sentence that says what to change.
var refusedCampaigns = map[string]refused{
	"no spec": {func(spec map[string]any) { clear(spec) }, "spec.brandId: Required value"},

	"a missing brand":                  {drop("brandId"), "spec.brandId: Required value"},
	"a brand's name for its id":        {set("Peacebird", "brandId"), brandIDSentence},
	"an id that does not name a brand": {set("own_01k9z3w5n8e7s9v0q2c4x6b8da", "brandId"), brandIDSentence},
	"a brand id of 41 characters":      {set("brand_"+strings.Repeat("0", 35), "brandId"), "spec.brandId: Too long: may not be more than 40"},

	"a missing title":           {drop("title"), "spec.title: Required value"},
	"a title of two lines":      {set("Autumn\ncoats", "title"), titleSentence},
	"a title that clears":       {set("\x1b[2JAutumn", "title"), titleSentence},
	"an empty title":            {set("", "title"), "spec.title in body should be at least 1 chars long"},
	"a title of 121 characters": {set(strings.Repeat("清", 121), "title"), "spec.title: Too long: may not be more than 120"},

	"neither goods nor a selector":                 {drop("items"), goodsSentence},
	"an empty list of goods":                       {items(), "spec.items in body should have at least 1 items"},
	"1,001 goods":                                  {manyItems(1_001), "spec.items: Too many: 1001: must have at most 1000 items"},
	"a SKU twice":                                  {items(item("C1", 10, 1, 1), item("C1", 10, 1, 2)), `spec.items[1]: Duplicate value: {"sku":"C1"}`},
	"an item without a SKU":                        {itemWithout("sku"), "spec.items[0].sku: Required value"},
	"an item without a price":                      {itemWithout("priceFen"), "spec.items[0].priceFen: Required value"},
	"an item without a settlement price":           {itemWithout("settlementFen"), "spec.items[0].settlementFen: Required value"},
	"an item without units":                        {itemWithout("units"), "spec.items[0].units: Required value"},
	"an empty SKU":                                 {items(item("", 10, 1, 1)), "spec.items[0].sku in body should be at least 1 chars long"},
	"a SKU with a space":                           {items(item("C 1", 10, 1, 1)), skuSentence},
	"a SKU in Chinese":                             {items(item("大衣", 10, 1, 1)), skuSentence},
	"a SKU of 65 characters":                       {items(item(strings.Repeat("9", 65), 10, 1, 1)), "spec.items[0].sku: Too long: may not be more than 64"},
	"a price of nothing":                           {items(item("C1", 0, 0, 1)), "spec.items[0].priceFen in body should be greater than or equal to 1"},
	"a price over a million yuan":                  {items(item("C1", 100_000_001, 1, 1)), "spec.items[0].priceFen in body should be less than or equal to 100000000"},
	"a negative settlement price":                  {items(item("C1", 10, -1, 1)), "spec.items[0].settlementFen in body should be greater than or equal to 0"},
	"a settlement price over a million yuan":       {items(item("C1", 10, 100_000_001, 1)), "spec.items[0].settlementFen in body should be less than or equal to 100000000"},
	"negative units":                               {items(item("C1", 10, 1, -1)), "spec.items[0].units in body should be greater than or equal to 0"},
	"over a million units":                         {items(item("C1", 10, 1, 1_000_001)), "spec.items[0].units in body should be less than or equal to 1000000"},
	"a price under the settlement price":           {items(item("C1", 3_999, 4_000, 1)), "item C1: " + ratioSentence},
	"a price that does not cover the commission":   {items(item("C1", 6_000, 4_000, 1), item("C2", 4_444, 4_000, 1)), "item C2: " + ratioSentence},
	"a commission that only rounding would cover":  {items(item("C1", 99, 90, 1)), "item C1: " + ratioSentence},
	"a commission that leaves nothing for a brand": {set(int64(10_000), "commissionBps"), "item C1: " + ratioSentence},

	"a missing commission":         {drop("commissionBps"), "spec.commissionBps: Required value"},
	"a commission over the whole":  {set(int64(10_001), "commissionBps"), "spec.commissionBps in body should be less than or equal to 10000"},
	"a negative commission":        {set(int64(-1), "commissionBps"), "spec.commissionBps in body should be greater than or equal to 0"},
	"a commission in percent":      {set("10%", "commissionBps"), "spec.commissionBps in body must be of type integer"},
	"a commission with a fraction": {set(59.9, "commissionBps"), "spec.commissionBps in body must be of type int32"},

	"a selector of nothing":                   {selects(drop("styles")), emptySentence},
	"a selector with an empty list of styles": {selects(set(list[any](), "styles")), "spec.selector.styles in body should have at least 1 items"},
	"a selector of 201 styles":                {selects(set(numbered(201), "styles")), "spec.selector.styles: Too many: 201: must have at most 200 items"},
	"a style twice":                           {selects(set(list("PB-1", "PB-1"), "styles")), `spec.selector.styles[1]: Duplicate value: "PB-1"`},
	"an empty style":                          {selects(set(list(""), "styles")), "spec.selector.styles[0] in body should be at least 1 chars long"},
	"a style of 65 characters":                {selects(set(list(strings.Repeat("9", 65)), "styles")), "spec.selector.styles[0]: Too long: may not be more than 64"},
	"an empty list of seasons":                {selects(set(list[any](), "seasons")), "spec.selector.seasons in body should have at least 1 items"},
	"21 seasons":                              {selects(set(numbered(21), "seasons")), "spec.selector.seasons: Too many: 21: must have at most 20 items"},
	"an empty season":                         {selects(set(list(""), "seasons")), "spec.selector.seasons[0] in body should be at least 1 chars long"},
	"a season of 65 characters":               {selects(set(list(strings.Repeat("9", 65)), "seasons")), "spec.selector.seasons[0]: Too long: may not be more than 64"},
	"an empty list of categories":             {selects(set(list[any](), "categories")), "spec.selector.categories in body should have at least 1 items"},
	"51 categories":                           {selects(set(numbered(51), "categories")), "spec.selector.categories: Too many: 51: must have at most 50 items"},
	"an empty category":                       {selects(set(list(""), "categories")), "spec.selector.categories[0] in body should be at least 1 chars long"},
	"a season twice":                          {selects(set(list("2025", "2025"), "seasons")), `spec.selector.seasons[1]: Duplicate value: "2025"`},
	"a category twice":                        {selects(set(list("大衣", "大衣"), "categories")), `spec.selector.categories[1]: Duplicate value: "大衣"`},
	"a category of 65 characters":             {selects(set(list(strings.Repeat("9", 65)), "categories")), "spec.selector.categories[0]: Too long: may not be more than 64"},
	"a selector without a price":              {selects(drop("price")), "spec.selector.price: Required value"},
	"a price rule without a part":             {selects(drop("price", "tagBps")), "spec.selector.price.tagBps: Required value"},
	"a price of no part of the tag":           {selects(set(int64(0), "price", "tagBps")), "spec.selector.price.tagBps in body should be greater than or equal to 1"},
	"a price over the tag":                    {selects(set(int64(10_001), "price", "tagBps")), "spec.selector.price.tagBps in body should be less than or equal to 10000"},
	"a price rounded to nothing":              {selects(set(int64(0), "price", "roundUpToFen")), "spec.selector.price.roundUpToFen in body should be greater than or equal to 1"},
	"a price rounded to over a thousand yuan": {selects(set(int64(100_001), "price", "roundUpToFen")), "spec.selector.price.roundUpToFen in body should be less than or equal to 100000"},
	"a cap of no units":                       {selects(set(int64(0), "maxUnitsPerSku")), "spec.selector.maxUnitsPerSku in body should be greater than or equal to 1"},
	"a cap of over a million units":           {selects(set(int64(1_000_001), "maxUnitsPerSku")), "spec.selector.maxUnitsPerSku in body should be less than or equal to 1000000"},

	"an abbreviation for a zone":             {set("CST", "timeZone"), zoneSentence},
	"an offset for a zone":                   {set("+08:00", "timeZone"), zoneSentence},
	"a zone on Mars":                         {set("Mars/Olympus_Mons", "timeZone"), zoneSentence},
	"the API server's own zone":              {set("Local", "timeZone"), zoneSentence},
	"an empty zone":                          {set("", "timeZone"), zoneSentence},
	"a zone of 41 characters":                {set("A"+strings.Repeat("a", 40), "timeZone"), "spec.timeZone: Too long: may not be more than 40"},
	"a missing start":                        {drop("startAt"), "spec.startAt: Required value"},
	"a missing end":                          {drop("endAt"), "spec.endAt: Required value"},
	"a preview that is no time":              {set("noon", "previewAt"), "spec.previewAt: Invalid value: \"noon\": " + momentSentence},
	"a day that is not in the calendar":      {set("2026-11-31T00:00:00+08:00", "endAt"), `is invalid: spec.endAt: Invalid value: "2026-11-31T00:00:00+08:00": ` + momentSentence},
	"a day that is not in this year":         {set("2026-02-29T00:00:00+08:00", "startAt"), momentSentence},
	"an hour that no clock shows":            {set("2026-11-24T24:00:00+08:00", "startAt"), momentSentence},
	"a start with a part of a second":        {set("2026-11-24T12:00:00.5Z", "startAt"), momentSentence},
	"a start without seconds":                {set("2026-11-24T12:00", "startAt"), `is invalid: spec.startAt: Invalid value: "2026-11-24T12:00": ` + momentSentence},
	"a day for an end":                       {set("2026-11-25", "endAt"), momentSentence},
	"a start with its zone's name":           {set("2026-11-24T12:00:00[Asia/Shanghai]", "startAt"), "spec.startAt: Too long: may not be more than 25"},
	"a preview of 26 characters":             {set("2026-11-24T12:00:00.5+08:00", "previewAt"), "spec.previewAt: Too long: may not be more than 25"},
	"an end of 26 characters":                {set("2026-11-24T12:00:00.5+08:00", "endAt"), "spec.endAt: Too long: may not be more than 25"},
	"an end before the start":                {set("2026-11-24T03:00:00Z", "endAt"), endSentence},
	"an end at the start in another zone":    {set("2026-11-24T04:00:00Z", "endAt"), endSentence},
	"an end at the start, both in the zone":  {local("2026-11-24T20:00:00", "2026-11-24T20:00:00"), endSentence},
	"a preview after the start":              {set("2026-11-24T04:00:01Z", "previewAt"), previewSentence},
	"a preview after the start in the zone":  {as(local("2026-11-24T20:00:00", "2026-11-24T22:00:00"), set("2026-11-24T20:00:01", "previewAt")), previewSentence},
	"a start with an offset, an end without": {set("2026-11-24T22:00:00", "endAt"), alikeSentence},
	"a preview without an offset only":       {set("2026-11-24T08:00:00", "previewAt"), alikeSentence},
	"a start that a clock shows twice": {as(local("2026-10-25T02:30:00", "2026-10-27T02:30:00"), set("Europe/Berlin", "timeZone")),
		clockSentence},
	"an end that no clock shows": {as(local("2026-03-01T02:30:00", "2026-03-29T02:30:00"), set("Europe/Berlin", "timeZone")),
		clockSentence},

	"a negative buyer limit":       {set(int64(-1), "buyerLimitUnits"), "spec.buyerLimitUnits in body should be greater than or equal to 0"},
	"a buyer limit over a million": {set(int64(1_000_001), "buyerLimitUnits"), "spec.buyerLimitUnits in body should be less than or equal to 1000000"},
	"a negative hold limit":        {set(int64(-1), "holdLimitUnits"), "spec.holdLimitUnits in body should be greater than or equal to 0"},
	"a hold limit over a million":  {set(int64(1_000_001), "holdLimitUnits"), "spec.holdLimitUnits in body should be less than or equal to 1000000"},

	"a hold of a second":             {set("9s", "hold"), holdSentence},
	"a hold of a day":                {set("2h1s", "hold"), holdSentence},
	"a hold that is no duration":     {set("a while", "hold"), holdSentence},
	"a hold with a part of a second": {set("10.5s", "hold"), holdSentence},
	"an empty hold":                  {set("", "hold"), holdSentence},
	"a hold of 21 characters":        {set(strings.Repeat("1h", 10)+"1", "hold"), "spec.hold: Too long: may not be more than 20"},

	"a return window in days":          {set("7d", "returnWindow", "duration"), windowSentence},
	"a return window of nothing":       {set("0s", "returnWindow", "duration"), windowSentence},
	"a return window over a year":      {set("8761h", "returnWindow", "duration"), windowSentence},
	"a return window of 21 characters": {set(strings.Repeat("1h", 10)+"1", "returnWindow", "duration"), "spec.returnWindow.duration: Too long: may not be more than 20"},
	"a return window from the moon":    {set("Moon", "returnWindow", "from"), `spec.returnWindow.from: Unsupported value: "Moon": supported values: "NextMidnight", "Signing"`},

	"a negative trial index":  {set(int64(-1), "admission", "minTrialIndexTenths"), "spec.admission.minTrialIndexTenths in body should be greater than or equal to 0"},
	"a trial index over 10.0": {set(int64(101), "admission", "minTrialIndexTenths"), "spec.admission.minTrialIndexTenths in body should be less than or equal to 100"},
	"a trial index in points": {set(4.5, "admission", "minTrialIndexTenths"), "spec.admission.minTrialIndexTenths in body must be of type int32"},

	"a lane of its own without replicas":     {dedicated(drop("replicas")), "spec.lane.dedicated.replicas: Required value"},
	"a lane of its own without a bound":      {dedicated(drop("maxReplicas")), "spec.lane.dedicated.maxReplicas: Required value"},
	"no word of the replicas during":         {dedicated(drop("replicas", "during")), "spec.lane.dedicated.replicas.during: Required value"},
	"a sale without replicas":                {dedicated(set(int64(0), "replicas", "during")), "spec.lane.dedicated.replicas.during in body should be greater than or equal to 1"},
	"51 replicas":                            {dedicated(set(int64(51), "replicas", "during")), "spec.lane.dedicated.replicas.during in body should be less than or equal to 50"},
	"negative replicas before":               {dedicated(set(int64(-1), "replicas", "before")), "spec.lane.dedicated.replicas.before in body should be greater than or equal to 0"},
	"51 replicas before":                     {dedicated(set(int64(51), "replicas", "before")), "spec.lane.dedicated.replicas.before in body should be less than or equal to 50"},
	"negative replicas after":                {dedicated(set(int64(-1), "replicas", "after")), "spec.lane.dedicated.replicas.after in body should be greater than or equal to 0"},
	"51 replicas after":                      {dedicated(set(int64(51), "replicas", "after")), "spec.lane.dedicated.replicas.after in body should be less than or equal to 50"},
	"a bound of no replicas":                 {dedicated(set(int64(0), "maxReplicas")), "spec.lane.dedicated.maxReplicas in body should be greater than or equal to 1"},
	"a bound of 51 replicas":                 {dedicated(set(int64(51), "maxReplicas")), "spec.lane.dedicated.maxReplicas in body should be less than or equal to 50"},
	"a bound under the replicas of the sale": {dedicated(set(int64(2), "maxReplicas")), replicasSentence},
	"a bound under the replicas before":      {dedicated(set(int64(7), "replicas", "before")), replicasSentence},
	"a bound under the replicas after":       {dedicated(set(int64(7), "replicas", "after")), replicasSentence},
	"a negative offset to pass over":         {passOver(-1), "spec.lane.skipOffsets[0] in body should be greater than or equal to 0"},
	"an offset to pass over twice":           {passOver(7, 7), "spec.lane.skipOffsets[1]: Duplicate value: 7"},
	"17 offsets to pass over":                {passOver(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17), "spec.lane.skipOffsets: Too many: 17: must have at most 16 items"},
	"a lane of the author's choice":          {set(int64(3), "lane", "partition"), `unknown field "spec.lane.partition"`},

	"a deletion that nobody knows": {set("Never", "deletionPolicy"), `spec.deletionPolicy: Unsupported value: "Never": supported values: "EndNow", "EndOnTime"`},
	"suspended in words":           {set("yes", "suspend"), "spec.suspend in body must be of type boolean"},
	"a field that does not exist":  {set("10%", "comission"), `unknown field "spec.comission"`},
}

func TestTheAPIServerRefusesCampaigns(t *testing.T) {
	wantRefused(t, goodCampaign, refusedCampaigns)
}

func TestTheAPIServerTakesCampaigns(t *testing.T) {
	wantTaken(t, goodCampaign, map[string]change{
		"a price that covers the commission to the fen": items(item("C1", 100, 90, 1)),
		"1,000 goods":                            manyItems(1_000),
		"goods without units":                    items(item("C1", 100, 90, 0)),
		"a SKU of 64 signs":                      items(item(strings.Repeat("~", 64), 100, 90, 1)),
		"a title of 120 characters":              set(strings.Repeat("清", 120), "title"),
		"a hold of ten seconds":                  set("10s", "hold"),
		"a hold of two hours":                    set("2h", "hold"),
		"a hold of a minute and 30":              set("1m30s", "hold"),
		"a return window of a year":              set("8760h", "returnWindow", "duration"),
		"no preview":                             drop("previewAt"),
		"a preview at the start":                 set("2026-11-24T04:00:00Z", "previewAt"),
		"a second of a sale":                     set("2026-11-24T04:00:01Z", "endAt"),
		"times in the zone of the law":           local("2026-11-24T20:00:00", "2026-11-25T00:00:00"),
		"times in UTC":                           as(local("2026-11-24T12:00:00", "2026-11-24T16:00:00"), set("UTC", "timeZone")),
		"times two days after the clock changed": as(local("2026-10-27T02:30:00", "2026-10-28T02:30:00"), set("Europe/Berlin", "timeZone")),
		"a start that a clock shows twice, with its offset": as(local("2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"),
			set("Europe/Berlin", "timeZone")),
		"a zone with three parts":             set("America/Argentina/Buenos_Aires", "timeZone"),
		"no limit on holds":                   set(int64(0), "holdLimitUnits"),
		"an entry to pass over":               passOver(0),
		"a selector of one style":             selects(),
		"a selector of 200 styles":            selects(set(numbered(200), "styles")),
		"a selector of a season":              selects(drop("styles"), set(list("2025 autumn"), "seasons")),
		"a selector of a category":            selects(drop("styles"), set(list("大衣"), "categories")),
		"a selector at the whole tag price":   selects(set(int64(10_000), "price", "tagBps"), set(int64(1), "price", "roundUpToFen")),
		"a selector beside what it came to":   as(selects(), items(item("C1", 100, 90, 1))),
		"the mark of 5.0":                     set(int64(50), "admission", "minTrialIndexTenths"),
		"a lane of its own":                   dedicated(),
		"a lane of its own for the sale only": dedicated(set(int64(0), "replicas", "before"), set(int64(3), "maxReplicas")),
		"a deletion that waits":               set("EndOnTime", "deletionPolicy"),
	})
}
