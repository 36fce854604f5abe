package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestAChartIsXMLWithAPointForEachMeasurement(t *testing.T) {
	var out strings.Builder
	err := Chart{Title: "p99 < & >", X: "orders/s", Y: "ms", LogY: true, Lines: []Line{
		{Name: "order", Points: []Point{{X: 1000, Y: 0.4}, {X: 20_000, Y: 250}}}, {Name: "noop", Points: []Point{{X: 1000, Y: 0.1}}},
	}}.Write(&out)
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for decoder := xml.NewDecoder(strings.NewReader(out.String())); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			points++
		}
	}
	if points != 3 || strings.Contains(out.String(), "NaN") {
		t.Errorf("%d points, want 3 and no NaN in\n%s", points, out.String())
	}
}

func TestNiceStepsArePeoples(t *testing.T) {
	for step, want := range map[float64]float64{0.9: 1, 1.1: 2, 3: 5, 7: 10, 1300: 2000} {
		if got := nice(step); math.Abs(got-want) > 1e-9 {
			t.Errorf("nice(%g) = %g, want %g", step, got, want)
		}
	}
}

func TestAnEmptyChartIsStillAChart(t *testing.T) {
	var out strings.Builder
	if err := (Chart{}).Write(&out); err != nil || strings.Contains(out.String(), "NaN") {
		t.Errorf("got %v and %s", err, out.String())
	}
}
