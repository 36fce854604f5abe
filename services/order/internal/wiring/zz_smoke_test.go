package wiring

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	prefix := testkit.Prefix(t)
	os.WriteFile(dir+"/buyers", []byte("k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n"), 0o600)
	conn, err := eventkit.Dial(eventkit.Config{Brokers: testkit.Brokers(t), TopicPrefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Ensure(t.Context(), eventkit.Topics()...); err != nil {
		t.Fatal(err)
	}
	start := func(env []string, name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), env...)
		f, _ := os.Create("/tmp/moneysmoke/log-" + ids.New("x"))
		cmd.Stdout, cmd.Stderr = f, f
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() })
		return cmd
	}
	sim := "127.0.0.1:38801"
	start(nil, "/tmp/moneysmoke/sim", "-listen", sim, "-dir", dir+"/sim")
	time.Sleep(2 * time.Second)
	replicas := []string{"127.0.0.1:38802", "127.0.0.1:38803"}
	startReplica := func(addr string) *exec.Cmd {
		return start([]string{
			"HTTP_ADDR=" + addr, "BUYER_TOKEN_KEYS_FILE=" + dir + "/buyers", "SHARE_TOKEN_KEYS_FILE=" + dir + "/buyers",
			"MONGODB_DATABASE=smoke" + prefix[:8], "KAFKA_TOPIC_PREFIX=" + prefix, "SIMULATOR_ADDR=" + sim, "OTEL_SDK_DISABLED=true",
			"WECHATPAY_MCH_ID=1900000001", "WECHATPAY_APP_ID=wx1", "WECHATPAY_CERT_SERIAL=5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
			"WECHATPAY_PRIVATE_KEY_FILE=" + dir + "/sim/merchant_key.pem", "WECHATPAY_APIV3_KEY_FILE=" + dir + "/sim/apiv3.key",
			"WECHATPAY_PLATFORM_PUBLIC_KEY_FILE=" + dir + "/sim/platform_public.pem",
			"WECHATPAY_PLATFORM_PUBLIC_KEY_ID=PUB_KEY_ID_0116000000002026112200000000000001",
			"WECHATPAY_NOTIFY_URL=http://" + replicas[0] + "/v1/wechatpay/notices",
		}, "/tmp/moneysmoke/order")
	}
	var cmds []*exec.Cmd
	for _, addr := range replicas {
		cmds = append(cmds, startReplica(addr))
	}
	testkit.Eventually(t, patience, func() error {
		for _, r := range replicas {
			resp, err := http.Get("http://" + r + "/readyz?verbose")
			if err != nil {
				return err
			}
			b, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != 200 {
				return fmt.Errorf("%s", b)
			}
		}
		return nil
	})
	now := time.Now()
	lane := &campaignv1.Lane{Topic: "lanes.shared.v1", Partition: 0}
	conn.Put(t.Context(), "campaigns.v1", "c1", &campaignv1.Desired{Uid: "c1", Generation: 1, BrandId: "brand_1", HoldSeconds: 600, CommissionBps: 1000,
		StartAt: timestamppb.New(now.Add(-time.Minute)), EndAt: timestamppb.New(now.Add(time.Hour)),
		Items: []*campaignv1.Item{{Sku: "a", PriceFen: 6001, SettlementFen: 4000, Units: 100000}}, Lane: lane, ReturnWindow: &campaignv1.ReturnWindow{Seconds: 60}})
	m := &brandv1.StockAllocated{CampaignUid: "c1", Generation: 1, BrandId: "brand_1", Lane: lane, Add: []*brandv1.AllocatedUnits{{Sku: "a", Units: 100000}}}
	data, _ := proto.Marshal(m)
	time.Sleep(time.Second)
	if err := conn.Publish(t.Context(), "brand.events.v1", 0, []eventkit.Event{{ID: "brand/0/1/0", Type: "brand.v1.StockAllocated", Time: now, Data: data}}); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	keys, _ := auth.LoadKeys(dir + "/buyers")
	payer, _ := auth.SealSubject(keys, "per_b", "openid-b")
	token, _ := auth.Sign(keys, auth.Claims{Subject: "per_b", Audience: auth.Buyer, Payer: payer}, time.Hour, now)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	var do func(method, url string, key string, body any) (int, map[string]any)
	do1 := func(method, url string, key string, body any) (int, map[string]any) {
		var b bytes.Buffer
		if body != nil {
			json.NewEncoder(&b).Encode(body)
		}
		r, _ := http.NewRequestWithContext(context.Background(), method, url, &b)
		r.Header.Set("Authorization", "Bearer "+token)
		if body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		resp, err := client.Do(r)
		if err != nil {
			return 0, map[string]any{"err": err.Error()}
		}
		defer resp.Body.Close()
		out := map[string]any{}
		json.NewDecoder(resp.Body).Decode(&out)
		return resp.StatusCode, out
	}
	do = func(method, url string, key string, body any) (int, map[string]any) {
		for tries := 0; ; tries++ {
			code, out := do1(method, url, key, body)
			if tries > 300 || code > 0 && out["code"] != "unknown_campaign" && code < 500 && code != 429 && code != 408 {
				return code, out
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	go func() {
		for k := range 4 {
			time.Sleep(4 * time.Second)
			c := cmds[k%2]
			c.Process.Kill()
			c.Wait()
			time.Sleep(500 * time.Millisecond)
			cmds[k%2] = startReplica(replicas[k%2])
			t.Log("killed and restarted", k%2, "at", n.Load())
		}
	}()
	testkit.Eventually(t, patience, func() error {
		code, out := do("POST", "http://"+replicas[0]+"/v1/orders", "key-open-1", map[string]any{"campaignUid": "c1", "addressId": ids.New("addr"), "lines": []any{map[string]any{"sku": "a", "units": 1}}})
		if code != 201 && code != 422 {
			return fmt.Errorf("%d %v", code, out)
		}
		return nil
	})
	var bad atomic.Int64
	var place, pay, simpay, paidAfter atomic.Int64
	began := time.Now()
	var wg sync.WaitGroup
	const total = 3000
	for w := range 64 {
		wg.Go(func() {
			for {
				i := n.Add(1)
				if i > total {
					return
				}
				base := "http://" + replicas[int(i+int64(w))%2]
				t0 := time.Now()
				code, out := do("POST", base+"/v1/orders", fmt.Sprintf("key-%06d", i), map[string]any{"campaignUid": "c1", "addressId": ids.Derive("addr", fmt.Sprint(i)), "lines": []any{map[string]any{"sku": "a", "units": 1}}})
				if code != 201 {
					bad.Add(1)
					t.Log(code, out)
					continue
				}
				id := out["orderId"].(string)
				t1 := time.Now()
				code, out = do("POST", base+"/v1/orders/"+id+"/payments", fmt.Sprintf("key-%06d", i), nil)
				if code != 200 {
					bad.Add(1)
					t.Log(code, out)
					continue
				}
				t2 := time.Now()
				code, out2 := do("POST", "http://"+sim+"/sim/pay", "", map[string]any{"prepayId": out["payment"].(map[string]any)["prepayId"]})
				if code != 200 {
					bad.Add(1)
					t.Log(code, out2)
					continue
				}
				t3 := time.Now()
				for {
					code, out = do("GET", base+"/v1/orders/"+id, "", nil)
					if out["state"] == "paid" {
						break
					}
					if time.Since(t3) > 60*time.Second {
						bad.Add(1)
						t.Log("not paid", id, code, out)
						break
					}
					time.Sleep(50 * time.Millisecond)
				}
				place.Add(int64(t1.Sub(t0)))
				pay.Add(int64(t2.Sub(t1)))
				simpay.Add(int64(t3.Sub(t2)))
				paidAfter.Add(int64(time.Since(t3)))
			}
		})
	}
	wg.Wait()
	el := time.Since(began)
	t.Logf("%d orders in %s = %.0f/s, bad %d; avg place %s pay %s sim %s paid %s", total, el, total/el.Seconds(), bad.Load(),
		time.Duration(place.Load()/total), time.Duration(pay.Load()/total), time.Duration(simpay.Load()/total), time.Duration(paidAfter.Load()/total))
	time.Sleep(3 * time.Second)
	var paidEvents int
	for p := range 8 {
		off := int64(0)
		for {
			recs, err := conn.Fetch(t.Context(), "order.events.v1", p, off)
			if err != nil || len(recs) == 0 {
				break
			}
			for _, r := range recs {
				if r.Event.Type == "order.v1.OrderPaid" {
					paidEvents++
				}
			}
			off = recs[len(recs)-1].Offset + 1
		}
	}
	recs, _ := conn.Fetch(t.Context(), "campaign-status.v1", 0, 0)
	var s campaignv1.Status
	if len(recs) > 0 {
		proto.Unmarshal(recs[len(recs)-1].Value, &s)
	}
	t.Logf("paid events %d; status %v", paidEvents, &s)
}
