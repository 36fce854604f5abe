package main

import (
	"encoding/json"
	"net/http"
	"time"
)

// The states of a refund.
const (
	refundSuccess  = "SUCCESS"
	refundClosed   = "CLOSED"
	refundAbnormal = "ABNORMAL"
)

// faults are what POST /sim/faults asks for.
type faults struct {
	// The next Lose notices are lost for good, each of the next Double is sent twice.
	Lose   int `json:"lose"`
	Double int `json:"double"`
	// The next CloseRefunds refunds are closed as if the balance had been short for a week, the next
	// AbnormalRefunds wait for finance: POST /sim/refund {"outRefundNo": …} lets one succeed.
	CloseRefunds    int `json:"closeRefunds"`
	AbnormalRefunds int `json:"abnormalRefunds"`
	// Bill is what is wrong with every bill from now on.
	Bill billFaults `json:"bill"`
}

// billFaults are how many rows of a bill are left out, written twice, a fen off, and made up.
type billFaults struct {
	Missing int `json:"missing"`
	Doubled int `json:"doubled"`
	Wrong   int `json:"wrong"`
	Strange int `json:"strange"`
}

// mostFaults bounds each number: made-up rows are kept in memory.
const mostFaults = 100_000

func (f faults) sound() bool {
	for _, n := range []int{
		f.Lose, f.Double, f.CloseRefunds, f.AbnormalRefunds, f.Bill.Missing, f.Bill.Doubled, f.Bill.Wrong, f.Bill.Strange,
	} {
		if n < 0 || n > mostFaults {
			return false
		}
	}
	return true
}

// refundState is what becomes of the next refund.
func (f *faults) refundState() string {
	switch {
	case f.CloseRefunds > 0:
		f.CloseRefunds--
		return refundClosed
	case f.AbnormalRefunds > 0:
		f.AbnormalRefunds--
		return refundAbnormal
	default:
		return refundSuccess
	}
}

func (p *pay) setFaults(w http.ResponseWriter, r *http.Request) {
	var in faults
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !in.sound() {
		writeJSON(w, http.StatusBadRequest, map[string]any{
			"error": `send {"lose": N, "double": N, "closeRefunds": N, "abnormalRefunds": N, "bill": {"missing": N, "doubled": N, "wrong": N, "strange": N}}, each N from 0 to 100000`,
		})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = in
	writeJSON(w, http.StatusOK, in)
}

// refundByHand is finance in the merchant's pages, who says where an abnormal refund is to go.
func (p *pay) refundByHand(w http.ResponseWriter, r *http.Request) {
	var in struct {
		OutRefundNo string `json:"outRefundNo"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": `send {"outRefundNo": …}`})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	done, ok := p.refunds[in.OutRefundNo]
	switch {
	case !ok:
		writeJSON(w, http.StatusNotFound, map[string]any{"error": "no such refund"})
		return
	case done.State != refundAbnormal:
		writeJSON(w, http.StatusConflict, map[string]any{"error": "the refund is " + done.State})
		return
	}
	changed := *done
	changed.State, changed.SettledAt = refundSuccess, time.Now()
	if err := p.disk.write(entry{Refund: &changed}); err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]any{"error": err.Error()})
		return
	}
	*done = changed
	if done.NotifyURL != "" {
		p.send(notice{Refund: done.OutRefundNo})
	}
	writeJSON(w, http.StatusOK, map[string]any{"refundId": done.ID})
}
