// Package plot draws line charts as SVG: small, readable in any browser, and the same bytes for the
// same points.
package plot

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Chart is a set of lines over one pair of axes.
type Chart struct {
	Title, X, Y string
	// LogY spreads small values; every Y is then above 0.
	LogY  bool
	Lines []Line
}

// Line is one system's points, in the order of X.
type Line struct {
	Name   string
	Points []Point
}

// Point is one measurement.
type Point struct{ X, Y float64 }

// The page, in user units.
const (
	width, height = 760, 440
	left, right   = 80, 150
	top, bottom   = 40, 60
	steps         = 5 // grid lines of a linear axis
)

// colours can be told apart by who cannot tell red from green (Okabe and Ito).
var colours = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"}

// Write draws the chart.
func (c Chart) Write(w io.Writer) error {
	x, y := axis{from: 0, to: 1}, axis{from: 0, to: 1, log: c.LogY}
	x.fit(c.Lines, func(p Point) float64 { return p.X })
	y.fit(c.Lines, func(p Point) float64 { return p.Y })
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="white"/><text x="%d" y="24" font-size="15">%s</text>`+"\n", width, height, left, html.EscapeString(c.Title))
	for _, value := range x.ticks() {
		at := left + x.place(value)*(width-left-right)
		fmt.Fprintf(&out, `<path d="M%.1f %dV%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", at, top, height-bottom, at, height-bottom+18, short(value))
	}
	for _, value := range y.ticks() {
		at := height - bottom - y.place(value)*(height-top-bottom)
		fmt.Fprintf(&out, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left, at, width-right, left-8, at+4, short(value))
	}
	fmt.Fprintf(&out, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+width-right)/2, height-18, html.EscapeString(c.X))
	fmt.Fprintf(&out, `<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+height-bottom)/2, html.EscapeString(c.Y))
	for i, line := range c.Lines {
		c.draw(&out, i, line, x, y)
	}
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

func (c Chart) draw(out *strings.Builder, i int, line Line, x, y axis) {
	colour := colours[i%len(colours)]
	var path strings.Builder
	for n, p := range line.Points {
		px, py := left+x.place(p.X)*(width-left-right), height-bottom-y.place(p.Y)*(height-top-bottom)
		fmt.Fprintf(&path, "%c%.1f %.1f", "LM"[b2i(n == 0)], px, py)
		fmt.Fprintf(out, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", px, py, colour)
	}
	fmt.Fprintf(out, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path.String(), colour)
	fmt.Fprintf(out, `<text x="%d" y="%d" fill="%s">%s</text>`+"\n", width-right+12, top+14+18*i, colour, html.EscapeString(line.Name))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// axis maps values to 0…1.
type axis struct {
	from, to float64
	log      bool
}

// fit makes room for all points: from 0, or from the decade below on a logarithmic axis.
func (a *axis) fit(lines []Line, value func(Point) float64) {
	low, high := math.Inf(1), 0.0
	for _, line := range lines {
		for _, p := range line.Points {
			low, high = min(low, value(p)), max(high, value(p))
		}
	}
	switch {
	case high == 0:
		// nothing to show; any axis does
	case a.log:
		a.from, a.to = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
	default:
		step := nice(high / steps)
		a.to = step * math.Ceil(high/step)
	}
	if a.from == a.to {
		a.to *= 10
	}
}

func (a *axis) place(value float64) float64 {
	if a.log {
		return math.Log(value/a.from) / math.Log(a.to/a.from)
	}
	return (value - a.from) / (a.to - a.from)
}

func (a *axis) ticks() (values []float64) {
	if a.log {
		for v := a.from; v <= a.to*1.001; v *= 10 {
			values = append(values, v)
		}
		return values
	}
	step := nice((a.to - a.from) / steps)
	for v := a.from; v <= a.to*1.001; v += step {
		values = append(values, v)
	}
	return values
}

// nice rounds up to 1, 2 or 5 times a power of ten.
func nice(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, factor := range []float64{1, 2, 5} {
		if step <= factor*power {
			return factor * power
		}
	}
	return 10 * power
}

func short(v float64) string {
	if v >= 10_000 {
		return fmt.Sprintf("%gk", v/1_000)
	}
	return fmt.Sprintf("%.4g", v)
}
