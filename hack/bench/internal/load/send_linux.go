package load

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// send starts what may start now.
func (l *loop) send(now time.Time) error {
	if l.plan.Rate > 0 {
		return l.sendDue(now)
	}
	if l.plan.For > 0 && now.Sub(l.started) >= l.plan.For {
		l.over = true
	}
	for len(l.idle) > 0 && !l.over {
		if err := l.sendOne(now); err != nil {
			return err
		}
	}
	return nil
}

// sendDue notes the starts that were intended until now, sends as many as there are idle
// connections, and sets the timer to the next.
func (l *loop) sendDue(now time.Time) error {
	for !l.over && !l.due.After(now) {
		if len(l.waiting)-l.head >= maxWaiting {
			return errors.New("too many requests wait for a connection")
		}
		l.waiting = append(l.waiting, l.due)
		l.due = l.due.Add(time.Duration(l.arrival.ExpFloat64() / l.rate() * float64(time.Second)))
		l.over = l.due.Sub(l.started) >= l.plan.For
	}
	if l.plan.Drop && now.Sub(l.started) >= l.plan.For {
		l.waiting, l.head, l.over = l.waiting[:0], 0, true
	}
	for l.head < len(l.waiting) && len(l.idle) > 0 {
		intended := l.waiting[l.head]
		l.head++
		if err := l.sendOne(intended); err != nil {
			return err
		}
	}
	if l.head == len(l.waiting) {
		l.waiting, l.head = l.waiting[:0], 0
	}
	if l.over {
		return nil
	}
	wait := max(time.Until(l.due), time.Nanosecond) // zero would disarm it
	return unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(wait.Nanoseconds())}, nil)
}

// sendOne sends the next request on an idle connection.
func (l *loop) sendOne(intended time.Time) error {
	id := l.idle[len(l.idle)-1]
	c := &l.conns[id]
	if l.plan.Source == nil {
		c.request = l.plan.Orders.Next(c.request)
	} else {
		var more bool
		if c.request, more = l.plan.Source(c.request, l.sent); !more {
			l.over = true
			return nil
		}
	}
	l.idle = l.idle[:len(l.idle)-1]
	l.sent++
	l.inward++
	c.intended, c.sent, c.busy = intended, time.Now(), true
	return l.write(id)
}

// rate is how many requests a second are intended at the time of the last.
func (l *loop) rate() float64 {
	if l.plan.Shape == nil {
		return l.plan.Rate
	}
	return l.plan.Rate * l.plan.Shape(l.due.Sub(l.started))
}

// write sends a connection's request, on a new connection where the old one was cut. The socket takes it
// whole: it is shorter than the buffer, and nothing else is in flight.
func (l *loop) write(id int) error {
	c := &l.conns[id]
	if c.fd == cut {
		if err := l.connect(id); err != nil {
			return err
		}
	}
	n, err := unix.Write(c.fd, c.request)
	if err != nil {
		return l.lost(id, err)
	}
	if n < len(c.request) {
		return errors.New("a socket took only a part of a request")
	}
	return nil
}
