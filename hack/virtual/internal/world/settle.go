package world

import (
	"net/http"
	"time"
)

// retryAfter is how long a caller waits who was not told.
const retryAfter = 200 * time.Millisecond

// Settled is whether an answer is the last word on a key: what is neither that nor Lost is one of
// the answers after which the contract asks the caller to come again with the same key.
func (a Answer) Settled() bool {
	switch a.Status {
	case Lost, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	}
	return true
}

// Insist asks for an order with the same key until the answer is the last word, at one replica after
// the other, beginning with the first. It may be called from any goroutine.
func (w *World) Insist(a Ask, replicas ...*Replica) Answer {
	return w.InsistAt(a, func(try int) *Replica { return replicas[try%len(replicas)] })
}

// InsistAt is Insist at whatever replica there is at each try.
func (w *World) InsistAt(a Ask, replica func(try int) *Replica) Answer {
	deadline := time.Now().Add(Patience)
	for try := 0; ; try++ {
		answer := replica(try).Place(a)
		switch {
		case answer.Settled():
			return answer
		case answer.Status != Lost && answer.RetryAfter == "":
			w.Errorf("%d %s does not say when to come again", answer.Status, answer.Code)
			return answer
		case time.Now().After(deadline):
			w.Errorf("no last word on %s within %s: %d %s", a.Key, Patience, answer.Status, answer.Text)
			return answer
		}
		time.Sleep(retryAfter)
	}
}
