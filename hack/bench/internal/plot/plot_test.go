package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAChartIsXMLWithItsLines(t *testing.T) {
	var out strings.Builder
	err := Chart{Title: "p99 < & >", X: "orders/s", Y: "ms", LogX: true, LogY: true, Lines: []Line{
		{Name: "order", Points: []Point{{X: 1000, Y: 0.4}, {X: 20_000, Y: 250}}}, {Name: "noop", Points: []Point{{X: 1000, Y: 0.1}}},
	}}.Write(&out)
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for decoder := xml.NewDecoder(strings.NewReader(out.String())); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if words, ok := token.(xml.CharData); ok {
			text = append(text, strings.TrimSpace(string(words)))
		}
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{"p99 < & >", "order", "noop", "ms"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in the chart", want)
		}
	}
	if strings.Contains(out.String(), "NaN") {
		t.Error("a point is nowhere")
	}
}

func TestAnEmptyChartIsStillAChart(t *testing.T) {
	for name, chart := range map[string]Chart{"linear": {}, "logarithmic": {LogX: true, LogY: true}} {
		var out strings.Builder
		if err := chart.Write(&out); err != nil || strings.Contains(out.String(), "NaN") {
			t.Errorf("%s: got %v and %s", name, err, out.String())
		}
	}
}
