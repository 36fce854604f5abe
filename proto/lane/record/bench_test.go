package record_test

import (
	"path/filepath"
	"testing"

	"github.com/qingcang/qingcang/proto/lane/record"
)

// benchmarked is an order of one line with a trace, the entry that a lane has most of.
func benchmarked(b *testing.B) []byte {
	b.Helper()
	return vector(b, filepath.Join("..", "testdata", "place.hex"))
}

func BenchmarkAppend(b *testing.B) {
	e, err := record.Decode(benchmarked(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		if buf, err = e.Append(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	value := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := record.Decode(value); err != nil {
			b.Fatal(err)
		}
	}
}
