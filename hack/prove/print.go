package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

func (r result) holds() bool {
	for _, p := range r.Planted {
		if !p.Caught {
			return false
		}
	}
	return r.Fault == "" && r.Violations == 0 && len(r.Planted) > 0
}

func allHold(results []result) bool {
	for _, r := range results {
		if !r.holds() {
			return false
		}
	}
	return len(results) > 0
}

// sentence is a result for somebody who waits.
func (r result) sentence() string {
	s := fmt.Sprintf("%s: %d trials, %d violations in %.1f s; %s", r.What, r.Trials, r.Violations, r.Seconds, r.planted())
	if r.Fault != "" {
		s += "\n" + r.Fault
	}
	for _, p := range r.Planted {
		if p.Fault != "" {
			s += "\n" + p.Bug + ": " + p.Fault
		}
	}
	return s
}

func (r result) planted() string {
	var said []string
	for _, p := range r.Planted {
		if p.Caught {
			said = append(said, p.Bug+" caught")
		} else {
			said = append(said, p.Bug+" NOT CAUGHT")
		}
	}
	return strings.Join(said, ", ")
}

func printCard(w io.Writer, results []result, whole bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "row\twhat\ttrials\ttarget\tviolations\tseed\tplanted bug\tseconds\tholds")
	failed := 0
	for _, r := range results {
		verdict := "yes"
		if !r.holds() {
			verdict = "NO"
			failed++
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%.1f\t%s\n",
			r.Row, r.What, r.Trials, r.Target, r.Violations, r.Seed, r.planted(), r.Seconds, verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if whole {
		fmt.Fprintln(w, "no proof here yet: rows", strings.Join(notYet(), ", "))
	}
	fmt.Fprintf(w, "%d of %d checks hold\n", len(results)-failed, len(results))
	for _, r := range results {
		if !r.holds() {
			fmt.Fprintf(w, "\nrow %s does not hold: %s\n\t%s\n", r.Row, r.What, strings.Join(r.amiss(), "\n\t"))
		}
	}
	return nil
}

// amiss is why a check does not hold, for the end of a log, whose beginning may be gone.
func (r result) amiss() []string {
	said := r.Violated
	if len(said) == 0 && r.Fault != "" {
		said = strings.Split(r.Fault, "\n")
	}
	for _, p := range r.Planted {
		if !p.Caught {
			said = append(said, p.Bug+" is not caught: "+p.Fault)
		}
	}
	if len(said) == 0 {
		return []string{"no word of why"}
	}
	return said
}
