package view

import (
	"fmt"
	"strings"
	"time"
)

// Line is the view in one line of words that grep finds, without what changes by itself. Two views
// with the same Line look the same.
func (v View) Line() string {
	words := []string{"phase=" + or(v.Phase, dash), "ready=" + v.readyWord()}
	if v.Paused {
		words = append(words, "paused")
	}
	if v.Deleting {
		words = append(words, "deleting")
	}
	words = append(words, fmt.Sprintf("units=%d sold=%d held=%d left=%d paid=%d final=%d",
		v.Stock.Units, v.Stock.Sold, v.Stock.Held, v.Stock.Left, v.Orders.Paid, v.Orders.Final))
	if v.Lane != nil && v.Lane.Dedicated {
		ready := 0
		for _, p := range v.Lane.Pods {
			if p.Ready {
				ready++
			}
		}
		words = append(words, fmt.Sprintf("pods=%d/%d", ready, len(v.Lane.Pods)))
	}
	if v.Fault != "" {
		words = append(words, fmt.Sprintf("fault=%q", v.Fault))
	}
	return strings.Join(words, " ")
}

// Stamped is the line with the time of its look and the campaign's name in front of it.
func (v View) Stamped() string {
	return v.LookedAt.UTC().Format(time.RFC3339) + " " + v.Namespace + "/" + v.Name + " " + v.Line()
}

func (v View) readyWord() string {
	switch {
	case v.Ready == nil:
		return dash
	case v.Ready.Status == "True":
		return "yes"
	default:
		return "no:" + v.Ready.Reason
	}
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
