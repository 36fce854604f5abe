package httpapi

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/order/internal/app"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// TestAnOrderIsWrittenAsTheGeneratedTypeIs: whoever reads the two cannot tell them apart.
func TestAnOrderIsWrittenAsTheGeneratedTypeIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, number := rapid.String(), rapid.Int64()
		var o app.OrderView
		o.ID, o.CampaignUID = text.Draw(t, "id"), text.Draw(t, "campaign")
		o.State = app.OrderState(text.Draw(t, "state"))
		o.Fen, o.Refunded = money.Fen(number.Draw(t, "fen")), money.Fen(number.Draw(t, "refunded"))
		if rapid.Bool().Draw(t, "has a deadline") {
			zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
			o.Deadline = time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "deadline"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).In(zone)
		}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			o.Lines = append(o.Lines, ledger.Line{SKU: text.Draw(t, "sku"), Units: number.Draw(t, "units"), Price: money.Fen(number.Draw(t, "price"))})
		}
		for range rapid.IntRange(0, 3).Draw(t, "dropped") {
			o.Dropped = append(o.Dropped, ledger.Dropped{
				SKU: text.Draw(t, "sku"), Units: number.Draw(t, "units"), Reason: text.Draw(t, "reason"), Left: number.Draw(t, "left"),
			})
		}
		generated, err := json.Marshal(shown(o))
		if err != nil {
			t.Fatal(err)
		}
		got := appendOrder([]byte("before"), o)[len("before"):]
		if !reflect.DeepEqual(read(t, got), read(t, generated)) {
			t.Fatalf("got  %s\nwant %s", got, generated)
		}
	})
}

func read(t *rapid.T, body []byte) (o map[string]any) {
	if err := json.Unmarshal(body, &o); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return o
}

func BenchmarkAppendOrder(b *testing.B) {
	o, _ := holds{}.Place(b.Context(), app.PlaceOrder{CampaignUID: "8c0c7f5a-3f0e-4a4e-9d51-0e6f3b8f0c11", Lines: []app.OrderLine{{SKU: "6901234567892", Units: 1}}})
	b.Run("by hand", func(b *testing.B) {
		buffer := make([]byte, 0, 1<<10)
		b.ReportAllocs()
		for b.Loop() {
			buffer = appendOrder(buffer[:0], o)
		}
	})
	b.Run("the generated type", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(shown(o)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeOrder(b *testing.B) {
	body := []byte(goodBody)
	b.ReportAllocs()
	for b.Loop() {
		var o app.PlaceOrder
		if err := decodeOrder(body, &o); err != nil {
			b.Fatal(err)
		}
	}
}
