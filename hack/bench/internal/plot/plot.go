// Package plot draws line charts as SVG with gonum/plot.
package plot

import (
	"fmt"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart is a set of lines over one pair of axes.
type Chart struct {
	Title, X, Y string
	// LogX and LogY spread small values.
	LogX, LogY bool
	Lines      []Line
}

// Line is one system's points, in the order of X.
type Line struct {
	Name   string
	Points []Point
}

// Point is one measurement.
type Point struct{ X, Y float64 }

// The page.
const (
	width  = 20 * vg.Centimeter
	height = 12 * vg.Centimeter
)

// Write draws the chart.
func (c Chart) Write(w io.Writer) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for i, line := range c.Lines {
		points := make(plotter.XYs, len(line.Points))
		for n, at := range line.Points {
			points[n] = c.place(at)
		}
		drawn, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return fmt.Errorf("draw %s of %s: %w", line.Name, c.Title, err)
		}
		drawn.Color, marks.Color, marks.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(i)
		p.Add(drawn, marks)
		p.Legend.Add(line.Name, drawn, marks)
	}
	scale(&p.X, c.LogX)
	scale(&p.Y, c.LogY)
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	_, err := canvas.WriteTo(w)
	return err
}

// least is the smallest value on a logarithmic axis, which has no place for nothing.
const least = 1e-3

// place is where a point is drawn.
func (c Chart) place(p Point) plotter.XY {
	if c.LogX {
		p.X = max(p.X, least)
	}
	if c.LogY {
		p.Y = max(p.Y, least)
	}
	return plotter.XY(p)
}

// scale shows an axis from 0, unless it is logarithmic.
func scale(a *plot.Axis, logarithmic bool) {
	if !logarithmic {
		a.Min = 0
		return
	}
	a.Scale, a.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	switch {
	case a.Min > a.Max: // of no points
		a.Min, a.Max = 1, 10
	case a.Min == a.Max:
		a.Min, a.Max = a.Min/2, 2*a.Max
	}
}
