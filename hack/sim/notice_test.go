package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shop is a merchant's address: it notes when notices come, and answers the first
// ones with what it is told to.
type shop struct {
	mu      sync.Mutex
	came    []time.Time
	answers []int // then 204; 0 is no answer
}

func (s *shop) RoundTrip(*http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.came = append(s.came, time.Now())
	status := http.StatusNoContent
	if n := len(s.came); n <= len(s.answers) {
		status = s.answers[n-1]
	}
	if status == 0 {
		return nil, errors.New("the connection was cut")
	}
	return &http.Response{StatusCode: status, Body: http.NoBody}, nil
}

// provider is a simulator that keeps WeChat Pay's own time, with one payment made.
func provider(t *testing.T, keys *keySet) *pay {
	t.Helper()
	p, err := openPay(t.TempDir(), keys, 1, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	p.trades["pay_1"] = &trade{MchID: "1", OutTradeNo: "pay_1", Fen: 100, State: "SUCCESS", NotifyURL: "https://shop.example/", PaidAt: time.Now()}
	return p
}

func TestANoticeIsRepeatedOnWeChatPaysSchedule(t *testing.T) {
	keys, err := loadKeys(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	all := []time.Duration{0}
	for _, delay := range retryDelays {
		all = append(all, all[len(all)-1]+delay)
	}
	if last := all[len(all)-1]; last != 24*time.Hour+4*time.Minute {
		t.Fatalf("the schedule takes %s", last)
	}
	never := make([]int, 100)
	for name, c := range map[string]struct {
		answers []int
		faults  faults
		want    []time.Duration
	}{
		"answered at once, it comes once":               {want: all[:1]},
		"answered at the fourth time, it comes no more": {answers: []int{500, 0, 401}, want: all[:4]},
		"never answered, it comes for a day":            {answers: never, want: all},
		"lost for good, it never comes":                 {faults: faults{Lose: 1}},
		"doubled, it comes twice":                       {faults: faults{Double: 1}, want: []time.Duration{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, merchant := provider(t, keys), &shop{answers: c.answers}
				p.failures = c.faults
				ctx, cancel := context.WithCancel(t.Context())
				p.startNotices(ctx, &http.Client{Transport: merchant})
				paid := time.Now()
				p.mu.Lock()
				p.send(notice{Trade: "pay_1"})
				p.mu.Unlock()
				<-time.After(25 * time.Hour)
				cancel()
				synctest.Wait()
				var got []time.Duration
				for _, at := range merchant.came {
					got = append(got, at.Sub(paid))
				}
				if !slices.Equal(got, c.want) {
					t.Fatalf("it came after %v, want %v", got, c.want)
				}
			})
		})
	}
}
