package wiring_test

import (
	"fmt"
	"net/http"
	"testing"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

func TestABrandDoesNotReachAnothersOrders(t *testing.T) {
	w := newWorld(t)
	a, b, by := w.brand("a"), w.brand("b"), w.buyer("wang")
	o := w.signed("first", b, by)
	waiting := w.order("second", b, by, nil)
	back := w.call("POST", "/v1/orders/"+o.id+"/returns", by.token, w.key(), `{"lines":[{"sku":"K1","units":1}]}`).want(t, http.StatusCreated, "").str("returnId")

	w.call("GET", "/v1/brands/"+b.id+"/shipping-orders", a.key, "", "").want(t, http.StatusNotFound, "not_found")
	w.call("POST", "/v1/shipping-orders/"+waiting.shipping+"/picking", a.key, "", "").want(t, http.StatusNotFound, "not_found")
	w.call("POST", "/v1/shipping-orders/"+waiting.shipping+"/shipment", a.key, w.key(), sentWhole).want(t, http.StatusNotFound, "not_found")
	w.call("POST", "/v1/returns/"+back+"/receipt", a.key, "", "").want(t, http.StatusNotFound, "not_found")

	page := w.call("GET", "/v1/brands/"+b.id+"/shipping-orders", b.key, "", "").want(t, http.StatusOK, "")
	items, _ := page.body["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["shippingOrderId"] != waiting.shipping {
		t.Errorf("the brand's own list is %v, want %s alone", page.body, waiting.shipping)
	}
}

func TestAWarehousesListComesInPages(t *testing.T) {
	w := newWorld(t)
	a, by := w.brand("a"), w.buyer("wang")
	want := map[string]bool{}
	for n := range 4 {
		want[w.order(fmt.Sprint(n), a, by, nil).shipping] = true
	}
	list := "/v1/brands/" + a.id + "/shipping-orders?limit=2"
	last, pages := "", 0
	for after := ""; ; pages++ {
		page := w.call("GET", list+after, a.key, "", "").want(t, http.StatusOK, "")
		items, _ := page.body["items"].([]any)
		for _, i := range items {
			id, _ := i.(map[string]any)["shippingOrderId"].(string)
			if id <= last || !want[id] {
				t.Fatalf("%s comes behind %s", id, last)
			}
			delete(want, id)
			last = id
		}
		if page.str("next") == "" {
			break
		}
		after = "&after=" + page.str("next")
	}
	if len(want) > 0 || pages != 1 { // the second page is full, and the last
		t.Fatalf("%d are missing after %d pages, want 2", len(want), pages+1)
	}
}

func TestTheAddressIsShownToTheOrdersBrandWhilePicking(t *testing.T) {
	w := newWorld(t)
	a, b, by := w.brand("a"), w.brand("b"), w.buyer("wang")
	o := w.order("first", a, by, nil)
	picking := "/v1/shipping-orders/" + o.shipping + "/picking"

	w.call("POST", picking, b.key, "", "").want(t, http.StatusNotFound, "not_found")
	w.call("POST", picking, "", "", "").want(t, http.StatusUnauthorized, "no_credentials")
	w.call("POST", picking, by.token, "", "").want(t, http.StatusUnauthorized, "bad_token")
	w.call("POST", picking, w.issuer.Token(t, "operations"), "", "").want(t, http.StatusUnauthorized, "bad_token")
	w.call("POST", picking, a.key+"x", "", "").want(t, http.StatusUnauthorized, "bad_token")

	for range 2 {
		got := w.call("POST", picking, a.key, "", "").want(t, http.StatusOK, "")
		shown, _ := got.body["address"].(map[string]any)
		if shown["name"] != "王芳" || shown["phone"] != "+8613900000001" || shown["street"] != "文三路 1 号" || got.str("state") != "picking" {
			t.Fatalf("got %v", got.body)
		}
	}
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/shipment", a.key, w.key(), sentWhole).want(t, http.StatusOK, "")
	w.call("POST", picking, a.key, "", "").want(t, http.StatusConflict, "already_shipped")
}

func TestAnOrderWithoutAnAddressOfItsBuyerIsReportedShort(t *testing.T) {
	w := newWorld(t)
	a, wang := w.brand("a"), w.buyer("wang")
	for name, addressID := range map[string]string{
		"somebody else's": wang.addressID,
		"none":            ids.Derive("addr", t.Name()),
	} {
		li := w.buyer("li")
		li.addressID = addressID
		o := w.order(name, a, li, nil)
		got := w.call("POST", "/v1/shipping-orders/"+o.shipping+"/picking", a.key, "", "").want(t, http.StatusConflict, "address_not_buyers")
		if got.body["address"] != nil {
			t.Errorf("%s: got %v", name, got.body)
		}
		short := w.call("POST", "/v1/shipping-orders/"+o.shipping+"/shipment", a.key, w.key(), `{`+nothingThere).want(t, http.StatusOK, "")
		if short.str("state") != "short" {
			t.Errorf("%s: got %v", name, short.body)
		}
	}
}

func TestWhatIsShortIsTold(t *testing.T) {
	w := newWorld(t)
	a, by := w.brand("a"), w.buyer("wang")
	o := w.picked("first", a, by)
	shipment := "/v1/shipping-orders/" + o.shipping + "/shipment"

	wrong := `{"carrier":"SF","waybillNo":"SF1","lines":[{"sku":"C1","num":2,"realnum":1,"lacknum":0},{"sku":"C1","num":2,"realnum":2,"lacknum":0}]}`
	got := w.call("POST", shipment, a.key, w.key(), wrong).want(t, http.StatusUnprocessableEntity, "shipment_mismatch")
	if faults, _ := got.body["errors"].([]any); len(faults) != 3 {
		t.Errorf("got %v, want a sum, a repeat and a missing line at once", got.body)
	}

	short := `{"carrier":"SF","waybillNo":"SF1","lines":[{"sku":"C1","num":2,"realnum":1,"lacknum":1},{"sku":"K1","num":1,"realnum":1,"lacknum":0}]}`
	for range 2 { // a repeat with a key of its own changes nothing either
		if got := w.call("POST", shipment, a.key, w.key(), short).want(t, http.StatusOK, ""); got.str("state") != "shipped" {
			t.Fatalf("got %v", got.body)
		}
	}
	w.call("POST", shipment, a.key, w.key(), sentWhole).want(t, http.StatusConflict, "already_shipped")

	facts := eventuallyTold[*fulfilmentv1.ParcelShipped](w, o.id)
	if len(facts) != 1 || facts[0].GetLines()[0].GetRealnum() != 1 || facts[0].GetLines()[0].GetLacknum() != 1 {
		t.Errorf("got %v", facts)
	}
}

func TestAnOrderOfWhichNothingIsThereIsShortAtOnce(t *testing.T) {
	w := newWorld(t)
	a, by := w.brand("a"), w.buyer("wang")
	o := w.picked("first", a, by)
	shipment := "/v1/shipping-orders/" + o.shipping + "/shipment"
	w.call("POST", shipment, a.key, w.key(), `{"carrier":"SF","waybillNo":"SF1",`+nothingThere).want(t, http.StatusUnprocessableEntity, "waybill_unused")
	if got := w.call("POST", shipment, a.key, w.key(), `{`+nothingThere).want(t, http.StatusOK, ""); got.str("state") != "short" {
		t.Fatalf("got %v", got.body)
	}
	if facts := eventuallyTold[*fulfilmentv1.ReturnWindowClosed](w, o.id); len(facts) != 1 {
		t.Errorf("got %v", facts)
	}
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/receipt", w.issuer.Token(t, "carrier"), "", "").want(t, http.StatusConflict, "not_shipped")
	w.call("POST", "/v1/orders/"+o.id+"/returns", by.token, w.key(), `{"lines":[{"sku":"K1","units":1}]}`).want(t, http.StatusConflict, "window_closed")
}

func TestARevokedKeyStaysRevoked(t *testing.T) {
	w := newWorld(t)
	a := w.brand("a")
	list := "/v1/brands/" + a.id + "/shipping-orders"
	w.publish("brand.events.v1", "brand", a.id, &brandv1.BrandKeyRevoked{BrandId: a.id, KeyId: a.keyID})
	testkit.Eventually(t, waitAtMost, func() error {
		if got := w.call("GET", list, a.key, "", ""); got.status != http.StatusUnauthorized {
			return fmt.Errorf("it still opens: %d", got.status)
		}
		return nil
	})
	// A publisher that lost its shard may repeat what it has published before.
	w.repeat("brand.events.v1", ids.Shard(a.id, 8), a.issued)
	another := a
	another.keyID = ids.Derive("key", t.Name(), "behind the repeat")
	w.publish("brand.events.v1", "brand", a.id, issued(&another))
	testkit.Eventually(t, waitAtMost, func() error {
		if got := w.call("GET", list, another.key, "", ""); got.status != http.StatusOK {
			return fmt.Errorf("the new key does not open yet: %d", got.status)
		}
		return nil
	})
	w.call("GET", list, a.key, "", "").want(t, http.StatusUnauthorized, "bad_token")
}

func TestAnOrderThatIsHeardOfTwiceIsShippedOnce(t *testing.T) {
	w := newWorld(t)
	a, by := w.brand("a"), w.buyer("wang")
	o := w.order("first", a, by, &campaignv1.ReturnWindow{Seconds: 60})
	shard := ids.Shard(o.id, 8)
	records, err := w.conn.Fetch(t.Context(), "order.events.v1", shard, 0)
	if err != nil || len(records) == 0 {
		t.Fatalf("got %v, %v", records, err)
	}
	w.repeat("order.events.v1", shard, records[0].Event)
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/picking", a.key, "", "").want(t, http.StatusOK, "")
	eventuallyTold[*fulfilmentv1.PickingStarted](w, o.id)
	if facts := told[*fulfilmentv1.ShippingOrderCreated](w, o.id); len(facts) != 1 {
		t.Errorf("got %d shipping orders", len(facts))
	}
}

// Each step goes to the other replica, at once.
func TestTwoReplicasAnswerAsOne(t *testing.T) {
	w := newWorld(t)
	a, by := w.brand("a"), w.buyer("wang")
	first := w.url
	w.start()
	replicas, asked := []string{first, w.url}, 0
	next := func(path, token, key, body string) answer {
		asked++
		w.url = replicas[asked%2]
		return w.call("POST", path, token, key, body)
	}
	listed := func(state, shipping string) {
		for _, w.url = range replicas {
			page := w.call("GET", "/v1/brands/"+a.id+"/shipping-orders?state="+state, a.key, "", "").want(t, http.StatusOK, "")
			if items, _ := page.body["items"].([]any); len(items) != 1 || items[0].(map[string]any)["shippingOrderId"] != shipping {
				t.Fatalf("%s lists %v as %s, want %s", w.url, items, state, shipping)
			}
		}
	}
	for n := range 5 {
		o := w.order(fmt.Sprint(n), a, by, &campaignv1.ReturnWindow{Seconds: 3600})
		carrier := w.issuer.Token(t, "carrier")
		listed("waiting", o.shipping)
		next("/v1/shipping-orders/"+o.shipping+"/picking", a.key, "", "").want(t, http.StatusOK, "")
		listed("picking", o.shipping)
		next("/v1/shipping-orders/"+o.shipping+"/shipment", a.key, w.key(), sentWhole).want(t, http.StatusOK, "")
		next("/v1/shipping-orders/"+o.shipping+"/receipt", carrier, "", "").want(t, http.StatusOK, "")
		key, one := w.key(), `{"lines":[{"sku":"C1","units":1}]}`
		made := next("/v1/orders/"+o.id+"/returns", by.token, key, one)
		again := next("/v1/orders/"+o.id+"/returns", by.token, key, one)
		if made.str("returnId") == "" || made.str("returnId") != again.str("returnId") {
			t.Fatalf("one key made %v and %v", made.body, again.body)
		}
		next("/v1/returns/"+made.str("returnId")+"/receipt", a.key, "", "").want(t, http.StatusOK, "")
	}
}
