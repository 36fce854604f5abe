package view

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// dash stands where nothing is known.
const dash = "–"

// node is one line of a tree and what hangs from it.
type node struct {
	label, text string
	tone        Tone
	below       []node
}

// Tree writes the view as a tree.
func (v View) Tree(w io.Writer, ink Ink) error {
	var out strings.Builder
	root := v.root()
	fmt.Fprintf(&out, "%s %s\n", ink.paint(Bold, root.label), oneLine(root.text))
	draw(&out, ink, "", root.below)
	_, err := io.WriteString(w, out.String())
	return err
}

func draw(out *strings.Builder, ink Ink, indent string, nodes []node) {
	width := 0
	for _, n := range nodes {
		width = max(width, columns(n.label))
	}
	for i, n := range nodes {
		branch, under := "├─ ", "│  "
		if i == len(nodes)-1 {
			branch, under = "└─ ", "   "
		}
		line := indent + branch + n.label + strings.Repeat(" ", width-columns(n.label)) + "  " + ink.paint(n.tone, oneLine(n.text))
		out.WriteString(strings.TrimRight(line, " ") + "\n")
		draw(out, ink, indent+under, n.below)
	}
}

// oneLine keeps what others wrote, a title, a message, from moving the cursor or breaking the tree.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

func (v View) root() node {
	root := node{label: "Campaign " + v.Namespace + "/" + v.Name, text: v.Title}
	root.below = append(root.below, v.phaseNode(), v.readyNode())
	for _, c := range v.Wrong {
		if v.Ready != nil && c.Reason == v.Ready.Reason && c.Message == v.Ready.Message {
			continue // Ready has said it already
		}
		root.below = append(root.below, node{label: c.Type, text: c.text(), tone: c.tone()})
	}
	root.below = append(root.below,
		node{label: "Stock", text: v.Stock.text()},
		node{label: "Orders", text: v.Orders.text()},
		v.laneNode(), v.childrenNode())
	if v.Fault != "" {
		root.below = append(root.below, node{label: "Look", tone: Bad,
			text: fmt.Sprintf("this is of %s; since then: %s", v.LookedAt.UTC().Format("15:04:05 UTC"), v.Fault)})
	}
	return root
}

func (v View) phaseNode() node {
	n := node{label: "Phase", text: v.Phase, tone: Good}
	if v.Phase == "" {
		n.text, n.tone = "not seen by an operator yet", Doubtful
	}
	if v.Paused {
		n.text, n.tone = n.text+", paused", Doubtful
	}
	if v.Deleting {
		n.text, n.tone = n.text+", being deleted", Doubtful
	}
	if v.Next != nil {
		n.text += ", " + v.Next.text()
		if v.Next.InSeconds < 0 && v.Next.What != lastHoldEnds {
			n.tone = Doubtful
		}
	}
	return n
}

func (v View) readyNode() node {
	if v.Ready == nil {
		return node{label: "Ready", text: dash}
	}
	n := node{label: "Ready", text: v.Ready.text(), tone: v.Ready.tone()}
	if v.Stale {
		n.text, n.tone = n.text+" (the operator has not answered the newest spec yet)", Doubtful
	}
	return n
}

func (c Condition) text() string {
	return fmt.Sprintf("%s, %s: %s", strings.ToLower(c.Status), c.Reason, c.Message)
}

func (c Condition) tone() Tone {
	switch {
	case c.Status == "True":
		return Good
	case c.Status == "Unknown" || c.Reason == "Pending":
		return Doubtful
	default:
		return Bad
	}
}

func (o Orders) text() string {
	text := fmt.Sprintf("%s paid, %s final", thousands(o.Paid), thousands(o.Final))
	if o.PaidPerSecond == nil || o.TakenPerSecond == nil {
		return text
	}
	return fmt.Sprintf("%s; %.1f paid/s, %.1f units taken/s", text, *o.PaidPerSecond, *o.TakenPerSecond)
}

func (v View) laneNode() node {
	if v.Lane == nil {
		return node{label: "Lane", text: "none chosen yet"}
	}
	n := node{label: "Lane", text: v.Lane.text(), below: []node{{label: "Lag", text: v.Lane.lag()}}}
	for _, p := range v.Lane.Pods {
		tone := Good
		if !p.Ready {
			tone = Bad
		}
		n.below = append(n.below, node{label: "Pod " + p.Name, text: p.text(), tone: tone})
	}
	if v.Lane.PodsNote != "" {
		n.below = append(n.below, node{label: "Pods", text: v.Lane.PodsNote, tone: Doubtful})
	}
	return n
}

func (v View) childrenNode() node {
	n := node{label: "Children"}
	switch {
	case v.ChildrenNote != "":
		n.text, n.tone = v.ChildrenNote, Doubtful
	case len(v.Children) == 0 && v.Lane != nil && !v.Lane.Dedicated:
		n.text = "none: the lane is shared"
	case len(v.Children) == 0:
		n.text = "none"
	}
	for _, c := range v.Children {
		tone := Good
		if !c.OK {
			tone = Bad
		}
		n.below = append(n.below, node{label: c.Kind + " " + c.Name, text: c.State, tone: tone})
	}
	return n
}
