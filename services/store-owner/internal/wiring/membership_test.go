package wiring_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

func TestLoggingIn(t *testing.T) {
	w := newWorld(t, 1)
	session := w.logIn("chen")

	t.Run("the same WeChat user is the same person at every log-in", func(t *testing.T) {
		if again := w.logIn("chen"); again.str("personId") != session.str("personId") {
			t.Fatalf("got %s, want %s", again.str("personId"), session.str("personId"))
		}
	})
	t.Run("another WeChat user is another person", func(t *testing.T) {
		if other := w.logIn("wang"); other.str("personId") == session.str("personId") {
			t.Fatal("two users are one person")
		}
	})
	t.Run("a replica that starts later knows people by the same ids", func(t *testing.T) {
		w.start()
		again := w.callAt(w.replicas[1], "POST", "/v1/sessions", "", "", `{"code":"code-chen"}`).want(t, 200, "")
		if again.str("personId") != session.str("personId") {
			t.Fatalf("got %s, want %s", again.str("personId"), session.str("personId"))
		}
	})
	t.Run("the buyer's token carries the openid for those who have the key only", func(t *testing.T) {
		keys := w.authKeys(w.cfg.BuyerTokenKeys)
		claims, err := auth.Verify(keys, auth.Buyer, session.str("buyerToken"), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		openID, err := auth.OpenSubject(keys, session.str("personId"), claims.Payer)
		if err != nil || openID != openIDOf("chen") {
			t.Fatalf("got %q, %v", openID, err)
		}
	})
	t.Run("who paid no fee gets no owner's token", func(t *testing.T) {
		if session.str("ownerToken") != "" {
			t.Fatal("a buyer got an owner's token")
		}
		w.call("POST", "/v1/owner-tokens", session.str("buyerToken"), "", "").want(t, 403, "not_an_owner")
	})
	t.Run("a code that WeChat does not know is refused", func(t *testing.T) {
		w.call("POST", "/v1/sessions", "", "", `{"code":"stolen"}`).want(t, 401, "bad_login_code")
	})
	t.Run("an unknown field is refused and named", func(t *testing.T) {
		a := w.call("POST", "/v1/sessions", "", "", `{"code":"code-chen","openid":"oX"}`).want(t, 400, "request_invalid")
		if errs, _ := a.body["errors"].([]any); len(errs) == 0 {
			t.Fatalf("no errors in %v", a.body)
		}
	})
	t.Run("an openid stands nowhere in the clear", func(t *testing.T) {
		if bytes.Contains(w.everything(), []byte("oOPENID")) {
			t.Error("the database holds an openid")
		}
		for _, e := range w.published() {
			if bytes.Contains(e.Data, []byte("oOPENID")) {
				t.Errorf("%s holds an openid", e.ID)
			}
		}
		for _, private := range []string{"oOPENID", "code-chen", "login-secret"} {
			if w.logs.contain(private) {
				t.Errorf("a log line holds %q", private)
			}
		}
	})
}

func TestBuyingTheMembership(t *testing.T) {
	w := newWorld(t, 2)
	buyer := w.logIn("chen").str("buyerToken")
	key := w.key()
	ordered := w.call("POST", "/v1/memberships", buyer, key, `{"feeFen":39800}`).want(t, 201, "")
	id := ordered.str("membershipId")

	t.Run("the page gets what it needs to pay 398 yuan", func(t *testing.T) {
		payment, _ := ordered.body["payment"].(map[string]any)
		if ordered.fen(t, "feeFen") != fee || ordered.str("state") != "prepaid" || payment["package"] != "prepay_id=wx-"+id || payment["paySign"] == "" {
			t.Fatalf("got %v", ordered.body)
		}
		if got := w.wechat.payer(id); got != openIDOf("chen") {
			t.Fatalf("%s may pay", got)
		}
	})
	t.Run("the same key gives the same membership at another replica", func(t *testing.T) {
		again := w.callAt(w.replicas[1], "POST", "/v1/memberships", buyer, key, `{"feeFen": 39800}`).want(t, 201, "")
		if again.str("membershipId") != id || again.str("expiresAt") != ordered.str("expiresAt") {
			t.Fatalf("got %v, want %v", again.body, ordered.body)
		}
	})
	t.Run("the same key with another body is refused", func(t *testing.T) {
		w.call("POST", "/v1/memberships", buyer, key, "").want(t, 422, "idempotency_key_reused")
	})
	t.Run("another person may use the same key for another membership", func(t *testing.T) {
		other := w.call("POST", "/v1/memberships", w.logIn("li").str("buyerToken"), key, "").want(t, 201, "")
		if other.str("membershipId") == id {
			t.Fatal("two people have one membership")
		}
	})
	t.Run("another fee than the page showed is refused", func(t *testing.T) {
		w.call("POST", "/v1/memberships", buyer, w.key(), `{"feeFen":1}`).want(t, 422, "fee_differs")
	})
	t.Run("an order without a key is refused", func(t *testing.T) {
		w.call("POST", "/v1/memberships", buyer, "", "").want(t, 400, "request_invalid")
	})
	t.Run("an order without a token is refused", func(t *testing.T) {
		w.call("POST", "/v1/memberships", "", w.key(), "").want(t, 401, "no_credentials")
	})
	t.Run("nobody else sees the membership", func(t *testing.T) {
		w.call("GET", "/v1/memberships/"+id, w.logIn("wang").str("buyerToken"), "", "").want(t, 404, "unknown_membership")
	})
	t.Run("an owner's token is not a buyer's", func(t *testing.T) {
		_, _, ownerToken := w.owner("zhao")
		w.call("GET", "/v1/memberships/"+id, ownerToken, "", "").want(t, 401, "bad_token")
	})

	paid := w.wechat.pay(id, "tx-1", fee)
	t.Run("a forged notice changes nothing", func(t *testing.T) {
		before := w.count()
		good := w.wechat.notice(paid)
		changed := good
		changed.body = bytes.Replace(good.body, []byte("EV-1"), []byte("EV-2"), 1)
		unsigned := good
		unsigned.header = http.Header{"Content-Type": {"application/json"}}
		for name, forged := range map[string]notice{
			"by another key":          w.wechat.noticeBy(rsaKey(t), paid, time.Now()),
			"with a changed body":     changed,
			"without a signature":     unsigned,
			"that is ten minutes old": w.wechat.noticeBy(w.wechat.platform, paid, time.Now().Add(-10*time.Minute)),
		} {
			t.Run(name, func(t *testing.T) { w.tell(w.replicas[0], forged).want(t, 401, "notice_not_authentic") })
		}
		if after := w.count(); after != before {
			t.Fatalf("%d facts became %d", before, after)
		}
	})
	t.Run("the notice makes a store owner, whichever replica hears it", func(t *testing.T) {
		w.tell(w.replicas[1], w.wechat.notice(paid)).want(t, 204, "")
		if state := w.call("GET", "/v1/memberships/"+id, buyer, "", "").want(t, 200, "").str("state"); state != "paid" {
			t.Fatalf("the membership is %s", state)
		}
		if w.call("POST", "/v1/owner-tokens", buyer, "", "").want(t, 200, "").str("ownerToken") == "" {
			t.Fatal("no owner's token")
		}
	})
	t.Run("a replayed notice changes nothing", func(t *testing.T) {
		before := w.count()
		for _, replica := range w.replicas {
			w.tell(replica, w.wechat.notice(paid)).want(t, 204, "")
		}
		if after := w.count(); after != before {
			t.Fatalf("%d facts became %d", before, after)
		}
	})
	t.Run("an owner has nothing more to pay", func(t *testing.T) {
		w.call("POST", "/v1/memberships", buyer, w.key(), "").want(t, 409, "already_owner")
		again := w.call("POST", "/v1/memberships", buyer, key, `{"feeFen":39800}`).want(t, 201, "")
		if again.str("state") != "paid" || again.body["payment"] != nil {
			t.Fatalf("got %v", again.body)
		}
	})
	t.Run("a notice about a membership that nobody ordered is not confirmed", func(t *testing.T) {
		stranger := map[string]any{
			"mchid": mchID, "appid": appID, "out_trade_no": "mem_unknown", "trade_state": "SUCCESS", "transaction_id": "tx-9",
			"amount": map[string]any{"total": fee, "currency": "CNY"},
		}
		w.tell(w.replicas[0], w.wechat.notice(stranger)).want(t, 404, "unknown_membership")
	})
}

func TestMoneyThatIsNotWantedGoesBack(t *testing.T) {
	w := newWorld(t, 1)
	settled := func(t *testing.T, refunds int) {
		t.Helper()
		testkit.Eventually(t, waitAtMost, func() error {
			if got := len(w.facts()["owner.v1.MembershipRefundSettled"]); got != refunds {
				return errors.New("not settled yet")
			}
			return nil
		})
	}
	t.Run("another amount is noted and given back", func(t *testing.T) {
		buyer := w.logIn("chen").str("buyerToken")
		id := w.call("POST", "/v1/memberships", buyer, w.key(), "").want(t, 201, "").str("membershipId")
		w.tell(w.replicas[0], w.wechat.notice(w.wechat.pay(id, "tx-short", fee-1))).want(t, 204, "")
		if state := w.call("GET", "/v1/memberships/"+id, buyer, "", "").str("state"); state != "returned" {
			t.Fatalf("the membership is %s", state)
		}
		settled(t, 1)
		if got := w.wechat.refunded(); got != fee-1 {
			t.Fatalf("%d fen went back", got)
		}
		w.call("POST", "/v1/owner-tokens", buyer, "", "").want(t, 403, "not_an_owner")
	})
	t.Run("the fee of a second membership goes back", func(t *testing.T) {
		buyer := w.logIn("wang").str("buyerToken")
		var ids []string
		for range 2 {
			ids = append(ids, w.call("POST", "/v1/memberships", buyer, w.key(), "").want(t, 201, "").str("membershipId"))
		}
		for _, id := range ids {
			w.tell(w.replicas[0], w.wechat.notice(w.wechat.pay(id, "tx-"+id, fee))).want(t, 204, "")
		}
		settled(t, 2)
		if got := w.wechat.refunded(); got != fee-1+fee {
			t.Fatalf("%d fen went back in all", got)
		}
		w.call("POST", "/v1/owner-tokens", buyer, "", "").want(t, 200, "")
	})
}

func TestALostNoticeIsAskedFor(t *testing.T) {
	w := newWorld(t, 1)
	buyer := w.logIn("chen").str("buyerToken")
	id := w.call("POST", "/v1/memberships", buyer, w.key(), "").want(t, 201, "").str("membershipId")
	w.wechat.pay(id, "tx-1", fee)
	testkit.Eventually(t, waitAtMost, func() error {
		if state := w.call("GET", "/v1/memberships/"+id, buyer, "", "").str("state"); state != "paid" {
			return errors.New("the membership is " + state)
		}
		return nil
	})
}

func TestALinkOfAnOwner(t *testing.T) {
	w := newWorld(t, 1)
	const campaign = "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11"
	w.campaign(campaign)
	person, buyer, owner := w.owner("chen")
	body := `{"campaignUid":"` + campaign + `","styleNo":"A2045"}`
	key := w.key()
	link := w.call("POST", "/v1/shares", owner, key, body).want(t, 201, "")
	keys := w.authKeys(w.cfg.ShareTokenKeys)

	t.Run("it says who shared what", func(t *testing.T) {
		got, err := auth.DecodeShare(keys, link.str("token"))
		want := auth.ShareToken{ShareID: link.str("shareId"), Owner: person, Campaign: campaign, Style: "A2045"}
		if err != nil || got != want || link.str("path") != "/s/"+link.str("token") {
			t.Fatalf("got %+v, %v, %v; want %+v", got, err, link.body, want)
		}
	})
	t.Run("with one character changed it is refused", func(t *testing.T) {
		token := link.str("token")
		for i := range len(token) {
			other := "A"
			if token[i] == 'A' {
				other = "B"
			}
			if _, err := auth.DecodeShare(keys, token[:i]+other+token[i+1:]); err == nil {
				t.Fatalf("character %d can be changed", i)
			}
		}
	})
	t.Run("a repeat gives the same link", func(t *testing.T) {
		if again := w.call("POST", "/v1/shares", owner, key, body).want(t, 201, ""); again.str("token") != link.str("token") {
			t.Fatalf("got %v, want %v", again.body, link.body)
		}
	})
	t.Run("another key for the same style gives the same link", func(t *testing.T) {
		if again := w.call("POST", "/v1/shares", owner, w.key(), body).want(t, 201, ""); again.str("token") != link.str("token") {
			t.Fatalf("got %v, want %v", again.body, link.body)
		}
	})
	t.Run("the same key for another style is refused", func(t *testing.T) {
		w.call("POST", "/v1/shares", owner, key, strings.Replace(body, "A2045", "B1", 1)).want(t, 422, "idempotency_key_reused")
	})
	t.Run("a buyer's token is not enough", func(t *testing.T) {
		w.call("POST", "/v1/shares", buyer, w.key(), body).want(t, 401, "bad_token")
	})
	t.Run("nobody shares without a token", func(t *testing.T) {
		w.call("POST", "/v1/shares", "", w.key(), body).want(t, 401, "no_credentials")
	})
	t.Run("a campaign that is not there is refused", func(t *testing.T) {
		w.call("POST", "/v1/shares", owner, w.key(), strings.Replace(body, "8c0c", "0000", 1)).want(t, 404, "unknown_campaign")
	})
	t.Run("a style number of 32 bytes fits, a longer one is refused", func(t *testing.T) {
		w.call("POST", "/v1/shares", owner, w.key(), strings.Replace(body, "A2045", strings.Repeat("9", 32), 1)).want(t, 201, "")
		w.call("POST", "/v1/shares", owner, w.key(), strings.Replace(body, "A2045", strings.Repeat("款", 11), 1)).want(t, 400, "style_too_long")
	})
	t.Run("it moved no money", func(t *testing.T) {
		for kind := range w.facts() {
			if slices.Contains([]string{"owner.v1.CommissionAccrued", "owner.v1.CommissionMatured"}, kind) {
				t.Errorf("there is a %s", kind)
			}
		}
	})
}
