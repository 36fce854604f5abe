package app

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/proof"
)

// TestProofNothingTwice is row 4 for orders, charges and refunds: real use cases,
// journal, ledger and consumers in two replicas. Every fifth acknowledgement of
// store, lane and provider is lost, and everything is delivered three times.
func TestProofNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses of those who lose a race take no time
		proof.Random(t, "4", proof.Trials{CI: 5_000, Full: 100_000}, func(t *proof.Trial) {
			m := openMarket(t)
			for _, id := range m.orders {
				if !t.Chance(8) {
					m.place(id)
					m.open(id)
				}
			}
			for range 10 + t.IntN(20) {
				m.happen(m.orders[t.IntN(len(m.orders))])
			}
			m.quiesce()
			m.ship()
			m.quiesce()
			m.judge()
		})
	})
}

// TestProofEveryFenIsExplained is row 7: a month of orders with short lines,
// returns in pieces, notices that are late or never come, refunds that the provider
// closes, calls abnormal or refuses, and finance that sees to them. On each morning
// the bill of the day before is compared and there is no difference; at the end the
// clearing accounts are at zero and the provider holds what the books say.
func TestProofEveryFenIsExplained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses of those who lose a race take no time
		proof.Random(t, "7", proof.Trials{CI: 1, Full: 100}, func(t *proof.Trial) {
			m := openMonth(t)
			for n := range monthDays * monthOrders {
				id := ids.Derive("ord", strconv.Itoa(n))
				m.at(time.Duration(t.Int64N(int64(monthDays*24*time.Hour))), func() { m.order(id) })
			}
			for day := 0; day < monthDays || !m.done(); day++ {
				if day == monthDays+drainDays {
					m.Fatal("something is still open two months later")
				}
				midnight := m.begin.AddDate(0, 0, day)
				for hour := 3; hour < 24; hour += 3 {
					m.play(midnight.Add(time.Duration(hour) * time.Hour))
					m.look()
					if hour == 9 && day > 0 {
						m.play(midnight.Add(billFrom))
						m.morning()
					}
				}
			}
			m.audit()
		})
	})
}

// TestProofNotices is row 13: 25 virtual hours of WeChat Pay's schedule. Letters
// are lost, all of them in one of four trials, doubled, answered in vain, and come
// late; others are forged; some buyers paid another amount. What the provider holds
// at the end is what the books say and what was sold.
func TestProofNotices(t *testing.T) {
	stamps := newStamps(t)
	synctest.Test(t, func(t *testing.T) {
		proof.Random(t, "13", proof.Trials{CI: 1_000, Full: 20_000}, func(t *proof.Trial) {
			p := &post{market: openMarketAt(t, time.Now().Truncate(time.Second)), stamps: stamps, lost: []int{0, 1, 2, 4}[t.IntN(4)]}
			p.begin = p.clock.Now()
			p.provider.now = p.clock.Now
			for _, id := range p.orders {
				p.place(id)
				p.open(id)
				p.buyer(id)
			}
			for range 3 {
				p.at(time.Duration(t.Int64N(int64(3*time.Minute))), func() { p.forge(p.orders[t.IntN(2)]) })
			}
			for after := 10 * time.Second; after < 3*time.Minute; after += 10 * time.Second {
				p.at(after, p.look)
			}
			for after := 5 * time.Minute; after < 25*time.Hour; after += 5 * time.Hour {
				p.at(after, p.look)
			}
			p.run()
			p.until(p.begin.Add(25 * time.Hour))
			p.quiesce()
			p.judge()
		})
	})
}
