package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/order/api"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

const goodBody = `{"addressId":"addr_01h455vb4pex5vsknk084sn02q","lines":[{"sku":"6901234567892","units":1}]}`

// asked is a desk that notes what it is asked for, and refuses it early where a test says so.
type asked struct {
	OrderDesk
	early app.Refusal
	block chan struct{} // if set, Place waits for its end

	mu     sync.Mutex
	placed []app.PlaceOrder
}

func (d *asked) Refusal(context.Context, app.PlaceOrder) (app.Refusal, error) { return d.early, nil }

func (d *asked) Place(_ context.Context, c app.PlaceOrder) (app.OrderView, error) {
	if d.block != nil {
		<-d.block
	}
	c.Buyer = auth.Principal{}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.placed = append(d.placed, c)
	return app.OrderView{State: app.OrderHeld}, nil
}

// byTheDocument is the operation as the document and the generated code have it.
type byTheDocument struct {
	StrictServerInterface
	placed []app.PlaceOrder
}

func (d *byTheDocument) PlaceOrder(ctx context.Context, r PlaceOrderRequestObject) (PlaceOrderResponseObject, error) {
	c := app.PlaceOrder{
		IdempotencyKey: r.Params.IdempotencyKey, CampaignUID: r.CampaignUID, BodyHash: httpkit.BodyHash(ctx),
		AddressID: r.Body.AddressID, ShareToken: r.Body.ShareToken, TakeWhatFits: r.Body.TakeWhatFits,
	}
	for _, line := range r.Body.Lines {
		c.Lines = append(c.Lines, app.OrderLine{SKU: line.Sku, Units: line.Units})
	}
	d.placed = append(d.placed, c)
	return PlaceOrder201JSONResponse{}, nil
}

// twoDoors lead to the counter, and by the document to the generated handler.
type twoDoors struct {
	fast, slow http.Handler
	desk       *asked
	document   *byTheDocument
	token      string
}

func openTwoDoors(t testing.TB) *twoDoors {
	t.Helper()
	keys, err := auth.NewKeys(map[string][]byte{"k1": bytes.Repeat([]byte{7}, 32)}, "k1")
	if err != nil {
		t.Fatal(err)
	}
	d := &twoDoors{desk: &asked{}, document: &byTheDocument{}}
	if d.token, err = auth.Sign(keys, auth.Claims{Subject: "per_1", Audience: auth.Buyer}, time.Hour, time.Now()); err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	if d.fast, err = New(d.desk, NewPayments(nil, nil, nil, keys), nil, Door{Buyers: keys, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	engine, err := httpkit.New(httpkit.Options{
		Service: Service, Spec: api.Spec, MaxBodyBytes: maxBodyBytes, Log: quiet,
		Auth: httpkit.Authenticators{"buyerToken": keys.Authenticate(auth.Buyer), "staffToken": nobodyIsStaff},
	})
	if err != nil {
		t.Fatal(err)
	}
	strict := NewStrictHandlerWithOptions(d.document, nil, StrictGinServerOptions{
		RequestErrorHandlerFunc: httpkit.RequestError, HandlerErrorFunc: httpkit.HandlerError, ResponseErrorHandlerFunc: httpkit.ResponseError,
	})
	RegisterHandlersWithOptions(engine, strict, GinServerOptions{ErrorHandler: httpkit.ParameterError})
	d.slow = engine
	return d
}

func (d *twoDoors) request(uid, key, contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.URL = &url.URL{Path: "/v1/campaigns/" + uid + "/orders"}
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Idempotency-Key", key)
	return r
}

// bothSay sends a request to both doors and fails unless they agree.
func (d *twoDoors) bothSay(t *testing.T, uid, key, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	d.desk.placed, d.document.placed = nil, nil
	fast, slow := httptest.NewRecorder(), httptest.NewRecorder()
	d.fast.ServeHTTP(fast, d.request(uid, key, contentType, body))
	d.slow.ServeHTTP(slow, d.request(uid, key, contentType, body))
	if fast.Code != slow.Code {
		t.Fatalf("the counter says %d %s\nthe document says %d %s", fast.Code, fast.Body, slow.Code, slow.Body)
	}
	if fast.Code != http.StatusCreated && fast.Body.String() != slow.Body.String() {
		t.Fatalf("the counter's words are %s\nthe document's are  %s", fast.Body, slow.Body)
	}
	if !reflect.DeepEqual(d.desk.placed, d.document.placed) {
		t.Fatalf("the counter read  %+v\nthe document reads %+v", d.desk.placed, d.document.placed)
	}
	return fast
}

const goodType = "application/json"

// strangeOrders are bodies at the edges of the contract.
func strangeOrders() map[string]string {
	line := func(units string) string {
		return `{"addressId":"addr_01h455vb4pex5vsknk084sn02q","lines":[{"sku":"a","units":` + units + `}]}`
	}
	with := func(member string) string { return goodBody[:len(goodBody)-1] + "," + member + "}" }
	lines := func(n int) string {
		return `{"addressId":"addr_01h455vb4pex5vsknk084sn02q","lines":[` + strings.Repeat(`{"sku":"a","units":1},`, n-1) + `{"sku":"a","units":1}]}`
	}
	sku := func(s string) string {
		return `{"lines":[{"units":1,"sku":` + s + `}],"addressId":"addr_01h455vb4pex5vsknk084sn02q"}`
	}
	return map[string]string{
		"good": goodBody, "with spaces": " {\n\"lines\" : [ {\"units\":1 , \"sku\":\"a\"} ],\t\"addressId\":\"addr_01h455vb4pex5vsknk084sn02q\"}\r\n",
		"empty": "", "null": "null", "an array": "[]", "a string": `"a"`, "an empty object": "{}", "cut off": goodBody[:40],
		"two values": goodBody + goodBody, "with a brace too many": goodBody + "}", "with a comma too many": goodBody[:len(goodBody)-1] + ",}",
		"with a name twice": with(`"lines":[{"sku":"b","units":2}]`), "with a name twice, once escaped": with(`"\u006cines":[{"sku":"b","units":2}]`),
		"with an unknown name": with(`"price":1`), "with a name in capitals": with(`"SHARETOKEN":"x"`), "with an unknown name in a line": strings.Replace(goodBody, `"units"`, `"price":1,"units"`, 1),
		"with escaped names": strings.ReplaceAll(goodBody, "units", `\u0075nits`), "with a share token": with(`"shareToken":"x"`), "with an empty share token": with(`"shareToken":""`),
		"with a long share token": with(`"shareToken":"` + strings.Repeat("x", 160) + `"`), "with too long a share token": with(`"shareToken":"` + strings.Repeat("x", 161) + `"`),
		"with a null share token": with(`"shareToken":null`), "taking what fits": with(`"takeWhatFits":true`), "not taking what fits": with(`"takeWhatFits":false`),
		"taking null": with(`"takeWhatFits":null`), "taking one": with(`"takeWhatFits":1`), "taking words": with(`"takeWhatFits":"true"`),
		"no units": line("0"), "units of minus nought": line("-0"), "fewer": line("-1"), "as many as may be": line("1000000"), "too many": line("1000001"),
		"units in words": line(`"1"`), "units with a point": line("1.0"), "units with half": line("1.5"), "units with an exponent": line("1e2"), "units of null": line("null"),
		"units beyond 64 bits": line("18446744073709551617"), "units in an object": line(`{"a":[1,2]}`),
		"500 lines": lines(500), "501 lines": lines(501), "no lines": strings.Replace(goodBody, `[{"sku":"6901234567892","units":1}]`, "[]", 1),
		"lines of null": strings.Replace(goodBody, `[{"sku":"6901234567892","units":1}]`, "null", 1), "a line of null": strings.Replace(goodBody, `{"sku":"6901234567892","units":1}`, "null", 1),
		"a line without units": strings.Replace(goodBody, `,"units":1`, "", 1), "a line without a sku": strings.Replace(goodBody, `"sku":"6901234567892",`, "", 1),
		"an empty sku": sku(`""`), "a sku of 64 characters": sku(`"` + strings.Repeat("货", 64) + `"`), "a sku of 65 characters": sku(`"` + strings.Repeat("货", 65) + `"`),
		"a sku with escapes": sku(`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`), "half a surrogate": sku(`"\ud83d"`), "text that is not UTF-8": sku("\"\xff\""), "a control character": sku("\"\x01\""),
		"a sku of emoji":       sku(`"` + strings.Repeat("😀", 64) + `"`),
		"an address of others": strings.Replace(goodBody, "addr_", "ship_", 1), "an address that is too short": strings.Replace(goodBody, "02q", "02", 1),
		"an address in capitals": strings.Replace(goodBody, "02q", "02Q", 1), "an address with a new line": strings.Replace(goodBody, "02q", `02\n`, 1), "no address": `{"lines":[{"sku":"a","units":1}]}`,
		"an address with escapes": strings.Replace(goodBody, "addr_", `\u0061ddr_`, 1),
	}
}

func TestTheCounterAgreesWithTheDocument(t *testing.T) {
	d := openTwoDoors(t)
	accepted := 0
	for name, body := range strangeOrders() {
		t.Run(name, func(t *testing.T) {
			if d.bothSay(t, "sale", "key-0001", goodType, body).Code == http.StatusCreated {
				accepted++
			}
		})
	}
	if accepted < 10 {
		t.Errorf("only %d of the bodies are good", accepted)
	}
	for name, c := range map[string]struct {
		uid, key, contentType, body string
		want                        int
	}{
		"a short key":               {"sale", "key-001", goodType, goodBody, http.StatusBadRequest},
		"a long key":                {"sale", strings.Repeat("k", 65), goodType, goodBody, http.StatusBadRequest},
		"a key with a space":        {"sale", "key 0001", goodType, goodBody, http.StatusBadRequest},
		"no key":                    {"sale", "", goodType, goodBody, http.StatusBadRequest},
		"no key and a bad body":     {"sale", "", goodType, "{}", http.StatusBadRequest},
		"a long uid":                {strings.Repeat("u", 65), "key-0001", goodType, goodBody, http.StatusBadRequest},
		"a uid in Chinese":          {strings.Repeat("货", 64), "key-0001", goodType, goodBody, http.StatusCreated},
		"a uid with a percent sign": {"%41", "key-0001", goodType, goodBody, http.StatusCreated},
		"no uid":                    {"", "key-0001", goodType, goodBody, http.StatusBadRequest},
		"a type with a parameter":   {"sale", "key-0001", "Application/JSON; charset=utf-8", goodBody, http.StatusCreated},
		"another type":              {"sale", "key-0001", "text/csv", goodBody, http.StatusUnsupportedMediaType},
		"a broken type":             {"sale", "key-0001", "application/json;;", goodBody, http.StatusUnsupportedMediaType},
		"a body that is too long":   {"sale", "key-0001", goodType, goodBody + strings.Repeat(" ", maxBodyBytes), http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if got := d.bothSay(t, c.uid, c.key, c.contentType, c.body); got.Code != c.want {
				t.Fatalf("got %d %s, want %d", got.Code, got.Body, c.want)
			}
		})
	}
}

// FuzzTheCounterAgreesWithTheDocument: whatever is sent, the hand-made decoder and the contract's
// validator with the generated decoder give the same verdict, in the same words, and read the same.
func FuzzTheCounterAgreesWithTheDocument(f *testing.F) {
	for _, body := range strangeOrders() {
		f.Add("sale", "key-0001", goodType, body)
	}
	f.Add("货%2F", "key 0001", "application/json; charset=utf-8", goodBody)
	d := openTwoDoors(f)
	f.Fuzz(func(t *testing.T, uid, key, contentType, body string) {
		d.bothSay(t, uid, key, contentType, body)
	})
}

func TestAnOrderIsRefusedBeforeItsBodyIsRead(t *testing.T) {
	d := openTwoDoors(t)
	for reason, f := range app.EarlyRefusals() {
		t.Run(reason, func(t *testing.T) {
			d.desk.early = app.Refusal{Reason: reason, Offset: 42}
			r := d.request("sale", "key-0001", goodType, "")
			r.ContentLength, r.Body = 90, unreadable{t}
			w := httptest.NewRecorder()
			d.fast.ServeHTTP(w, r)
			var p httpkit.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			want := httpkit.Problem{Type: "about:blank", Title: http.StatusText(httpkit.Status(f.Kind)), Status: httpkit.Status(f.Kind), Code: f.Code, Detail: f.Detail}
			if p.TraceID = ""; w.Code != want.Status || !reflect.DeepEqual(p, want) || w.Header().Get(laneOffset) != "42" ||
				w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Cache-Control") != "no-store" {
				t.Fatalf("got %d %v %s, want %+v", w.Code, w.Header(), w.Body, want)
			}
		})
	}
}

func TestWhoCannotBeServedInTimeIsToldSoAtOnce(t *testing.T) {
	d := openTwoDoors(t)
	d.desk.block = make(chan struct{})
	var waiting sync.WaitGroup
	crowd := make(chan int, 6_000) // answers of those who came while nobody was served
	for range cap(crowd) {
		waiting.Go(func() {
			w := httptest.NewRecorder()
			d.fast.ServeHTTP(w, d.request("sale", "key-0001", goodType, goodBody))
			crowd <- w.Code
		})
	}
	for range cap(crowd) / 6 { // so many at least are turned away while the others wait
		if status := <-crowd; status != http.StatusTooManyRequests {
			t.Errorf("got %d before anybody was served", status)
		}
	}
	// From here on the limiter is full: somebody was turned away, and nobody has left.
	r := d.request("sale", "key-0001", goodType, "")
	r.ContentLength, r.Body = 90, unreadable{t}
	began, w := time.Now(), httptest.NewRecorder()
	d.fast.ServeHTTP(w, r)
	if took := time.Since(began); took > 2*time.Second { // on a machine that has nothing left
		t.Errorf("it took %s to be turned away", took)
	}
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), `"code":"busy"`) {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	cancel := httptest.NewRequest(http.MethodPost, "/v1/orders/ord_01h455vb4pex5vsknk084sn02q/cancellation", nil)
	cancel.Header.Set("Authorization", "Bearer "+d.token)
	w = httptest.NewRecorder()
	d.fast.ServeHTTP(w, cancel)
	if w.Code != http.StatusTooManyRequests {
		t.Errorf("a cancellation got %d", w.Code)
	}
	close(d.desk.block)
	waiting.Wait()
	w = httptest.NewRecorder()
	d.fast.ServeHTTP(w, d.request("sale", "key-0001", goodType, goodBody))
	if w.Code != http.StatusCreated {
		t.Errorf("after all were served: got %d", w.Code)
	}
}

// unreadable is a body that nobody may read.
type unreadable struct{ *testing.T }

func (u unreadable) Read([]byte) (int, error) { u.Fatal("the body was read"); return 0, nil }
func (u unreadable) Close() error             { return nil }

// Over the network too: a connection is good for more behind a refusal, and who announces a long body is
// refused without having sent it.
func TestARefusalDoesNotWaitForALongBody(t *testing.T) {
	d := openTwoDoors(t)
	d.desk.early = app.Refusal{Reason: "sold_out", Offset: 7}
	server := httptest.NewServer(d.fast)
	t.Cleanup(server.Close)
	head := func(length int) string {
		return "POST /v1/campaigns/sale/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + d.token +
			"\r\nIdempotency-Key: key-0001\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(length) + "\r\n\r\n"
	}
	conn := dial(t, server)
	for range 3 {
		conn.send(head(len(goodBody)) + goodBody)
		if status := conn.answer(); status != http.StatusConflict {
			t.Fatalf("got %d, want 409", status)
		}
	}
	conn.send(head(100_000))
	if status := conn.answer(); status != http.StatusConflict {
		t.Fatalf("got %d, want 409", status)
	}
	if _, err := conn.in.ReadByte(); err == nil {
		t.Fatal("the connection is still open")
	}
}

// wire is a connection on which a test sends what no client would.
type wire struct {
	*testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, server *httptest.Server) *wire {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &wire{t, conn, bufio.NewReader(conn)}
}

func (w *wire) send(s string) {
	w.Helper()
	if _, err := io.WriteString(w.conn, s); err != nil {
		w.Fatal(err)
	}
}

// answer reads one answer whole and returns its status.
func (w *wire) answer() int {
	w.Helper()
	response, err := http.ReadResponse(w.in, nil)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		w.Fatal(err)
	}
	return response.StatusCode
}
