package field

import (
	"strings"
	"testing"
)

func TestReadingMetrics(t *testing.T) {
	series, err := readMetrics(strings.NewReader("# HELP go_goroutine_count Count of live goroutines.\n" +
		`go_goroutine_count{otel_scope_name="runtime"} 57` + "\n\n" +
		`http_server_request_duration_seconds_bucket{http_response_status_code="429",le="+Inf"} 1.2e+03` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		`go_goroutine_count{otel_scope_name="runtime"}`:                                          57,
		`http_server_request_duration_seconds_bucket{http_response_status_code="429",le="+Inf"}`: 1_200,
	} {
		if series[name] != want {
			t.Errorf("%s is %v, want %v", name, series[name], want)
		}
	}
	if len(series) != 2 {
		t.Errorf("%d series", len(series))
	}
}
