package wiring_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
)

func TestAnAddressIsKeptOncePerKey(t *testing.T) {
	w := newWorld(t)
	by, other := w.buyer("wang"), w.buyer("li")
	key := w.key()
	first := w.call("POST", "/v1/addresses", by.token, key, address).want(t, http.StatusCreated, "").str("addressId")
	again := w.call("POST", "/v1/addresses", by.token, key, address).want(t, http.StatusCreated, "").str("addressId")
	others := w.call("POST", "/v1/addresses", other.token, key, address).want(t, http.StatusCreated, "").str("addressId")
	if first != again || first == others {
		t.Errorf("got %s, then %s; somebody else got %s", first, again, others)
	}
	elsewhere := strings.Replace(address, "文三路", "文二路", 1)
	w.call("POST", "/v1/addresses", by.token, key, elsewhere).want(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
}

func TestBadAddressesAreRefused(t *testing.T) {
	w := newWorld(t)
	by := w.buyer("wang")
	cases := map[string]struct {
		key, body, wantPointer string
	}{
		"an unknown field":           {w.key(), strings.Replace(address, `{`, `{"nickname":"芳",`, 1), ""},
		"a missing field":            {w.key(), strings.Replace(address, `"city":"杭州市",`, "", 1), "/city"},
		"a blank name":               {w.key(), strings.Replace(address, "王芳", "  ", 1), "/name"},
		"a number nobody can call":   {w.key(), strings.Replace(address, "13900000001", "12345678", 1), "/phone"},
		"letters in a number":        {w.key(), strings.Replace(address, "13900000001", "call me", 1), "/phone"},
		"a key that is too short":    {"short", address, "header:Idempotency-Key"},
		"no key":                     {"", address, "header:Idempotency-Key"},
		"something behind the value": {w.key(), address + address, ""},
	}
	for name, c := range cases {
		t.Run(name+" is refused", func(t *testing.T) {
			got := w.call("POST", "/v1/addresses", by.token, c.key, c.body).want(t, http.StatusBadRequest, "request_invalid")
			faults, _ := got.body["errors"].([]any)
			if len(faults) == 0 || faults[0].(map[string]any)["pointer"] != c.wantPointer {
				t.Errorf("got %v, want %s", got.body, c.wantPointer)
			}
		})
	}
	w.call("POST", "/v1/addresses", "", w.key(), address).want(t, http.StatusUnauthorized, "no_credentials")
}

func TestTheCarrierAloneReportsWhatWasSignedFor(t *testing.T) {
	w := newWorld(t)
	a, by := w.brand("a"), w.buyer("wang")
	o := w.picked("first", a, by)
	receipt, carrier := "/v1/shipping-orders/"+o.shipping+"/receipt", w.issuer.Token(t, "carrier")
	w.call("POST", receipt, carrier, "", "").want(t, http.StatusConflict, "not_shipped")
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/shipment", a.key, w.key(), sentWhole).want(t, http.StatusOK, "")

	w.call("POST", receipt, "", "", "").want(t, http.StatusUnauthorized, "no_credentials")
	w.call("POST", receipt, by.token, "", "").want(t, http.StatusUnauthorized, "bad_token")
	w.call("POST", receipt, a.key, "", "").want(t, http.StatusUnauthorized, "bad_token")
	w.call("POST", receipt, w.issuer.Token(t, "operations", "finance"), "", "").want(t, http.StatusForbidden, "role_missing")
	for range 2 {
		if got := w.call("POST", receipt, carrier, "", "").want(t, http.StatusOK, ""); got.str("state") != "signed" {
			t.Fatalf("got %v", got.body)
		}
	}
	facts := eventuallyTold[*fulfilmentv1.ParcelSigned](w, o.id)
	if len(facts) != 1 {
		t.Fatalf("got %v", facts)
	}
	// The window begins with the midnight after the signing, which is up to a day later.
	const day = 24 * time.Hour
	signed, ends := facts[0].GetSignedAt().AsTime(), facts[0].GetWindowEndsAt().AsTime()
	if window := ends.Sub(signed); window <= 7*day || window > 8*day {
		t.Errorf("signed %s, the window ends %s", signed, ends)
	}
}

func TestGoodsComeBack(t *testing.T) {
	w := newWorld(t)
	a, by, other := w.brand("a"), w.buyer("wang"), w.buyer("li")
	unsigned, o := w.picked("unsigned", a, by), w.signed("signed", a, by)
	returns, key := "/v1/orders/"+o.id+"/returns", w.key()
	one, two := `{"lines":[{"sku":"C1","units":1}]}`, `{"lines":[{"sku":"C1","units":2}]}`

	w.call("POST", "/v1/orders/"+unsigned.id+"/returns", by.token, w.key(), one).want(t, http.StatusConflict, "not_signed")
	w.call("POST", returns, other.token, w.key(), one).want(t, http.StatusNotFound, "not_found")
	w.call("GET", "/v1/orders/"+o.id+"/delivery", other.token, "", "").want(t, http.StatusNotFound, "not_found")

	made := w.call("POST", returns, by.token, key, one).want(t, http.StatusCreated, "").str("returnId")
	again := w.call("POST", returns, by.token, key, one).want(t, http.StatusCreated, "").str("returnId")
	if made != again {
		t.Errorf("the same key made %s and %s", made, again)
	}
	w.call("POST", returns, by.token, key, two).want(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
	w.call("POST", returns, by.token, w.key(), two).want(t, http.StatusUnprocessableEntity, "nothing_to_return")
	w.call("POST", returns, by.token, w.key(), `{"lines":[{"sku":"C1","units":1,"reason":"x"}]}`).want(t, http.StatusBadRequest, "request_invalid")

	w.call("POST", "/v1/returns/"+made+"/receipt", by.token, "", "").want(t, http.StatusUnauthorized, "bad_token")
	for range 2 {
		if got := w.call("POST", "/v1/returns/"+made+"/receipt", a.key, "", "").want(t, http.StatusOK, ""); got.str("state") != "received" {
			t.Fatalf("got %v", got.body)
		}
	}
	if facts := eventuallyTold[*fulfilmentv1.ReturnReceived](w, o.id); len(facts) != 1 || facts[0].GetLines()[0].GetUnits() != 1 {
		t.Errorf("got %v", facts)
	}
	delivery := w.call("GET", "/v1/orders/"+o.id+"/delivery", by.token, "", "").want(t, http.StatusOK, "")
	lines, _ := delivery.body["lines"].([]any)
	back, _ := delivery.body["returns"].([]any)
	if len(back) != 1 || lines[0].(map[string]any)["returnedUnits"] != 1.0 {
		t.Errorf("got %v", delivery.body)
	}
}

func TestTheWindowClosesByItself(t *testing.T) {
	w := newWorld(t)
	a, by := w.brand("a"), w.buyer("wang")
	o := w.order("first", a, by, &campaignv1.ReturnWindow{Seconds: 1, From: campaignv1.ReturnWindow_FROM_SIGNING})
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/picking", a.key, "", "").want(t, http.StatusOK, "")
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/shipment", a.key, w.key(), sentWhole).want(t, http.StatusOK, "")
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/receipt", w.issuer.Token(t, "carrier"), "", "").want(t, http.StatusOK, "")
	eventuallyTold[*fulfilmentv1.ReturnWindowClosed](w, o.id)
	if got := w.call("GET", "/v1/orders/"+o.id+"/delivery", by.token, "", "").want(t, http.StatusOK, ""); got.str("state") != "closed" {
		t.Errorf("got %v", got.body)
	}
	w.call("POST", "/v1/orders/"+o.id+"/returns", by.token, w.key(), `{"lines":[{"sku":"C1","units":1}]}`).want(t, http.StatusConflict, "window_closed")
}

// TestWhatIsPersonalStaysInTheVault goes through an order's whole life, with refusals on the way,
// and looks for the buyer's words wherever they must not be.
func TestWhatIsPersonalStaysInTheVault(t *testing.T) {
	w := newWorld(t)
	a, b, by := w.brand("a"), w.brand("b"), w.buyer("wang")
	o := w.signed("first", a, by)
	w.call("POST", "/v1/shipping-orders/"+o.shipping+"/picking", b.key, "", "").want(t, http.StatusNotFound, "not_found")
	w.call("POST", "/v1/addresses", by.token, w.key(), strings.Replace(address, "13900000001", "139000000012345", 1)).want(t, http.StatusBadRequest, "request_invalid")
	w.call("POST", "/v1/addresses", by.token, w.key(), address+"{").want(t, http.StatusBadRequest, "request_invalid")
	back := w.call("POST", "/v1/orders/"+o.id+"/returns", by.token, w.key(), `{"lines":[{"sku":"K1","units":1}]}`).want(t, http.StatusCreated, "").str("returnId")
	w.call("POST", "/v1/returns/"+back+"/receipt", a.key, "", "").want(t, http.StatusOK, "")
	eventuallyTold[*fulfilmentv1.ReturnReceived](w, o.id)

	var events []byte
	for shard := range journal.Shards {
		for _, r := range w.published(shard) {
			events = append(append(append(events, r.Key...), r.Value...), r.Event.Subject...)
		}
	}
	stored, log := w.stored(), w.log.bytes()
	for where, found := range map[string][]byte{"the events": events, "the database": stored} {
		if !bytes.Contains(found, []byte(o.id)) { // else this test would look at nothing
			t.Errorf("%s do not name the order", where)
		}
	}
	if !bytes.Contains(log, []byte("request failed")) {
		t.Error("the log does not name the refusals")
	}
	for _, personal := range []string{"王芳", "13900000001", "1390000", "文三路", "西湖区"} {
		for where, found := range map[string][]byte{"the events": events, "the database": stored, "the log": log} {
			if bytes.Contains(found, []byte(personal)) {
				t.Errorf("%s hold %q", where, personal)
			}
		}
	}
}
