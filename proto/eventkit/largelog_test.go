package eventkit

import (
	"bytes"
	"strconv"
	"testing"
)

// A broker may cut its answer in the middle of a batch, where the bytes that were asked for end.
func TestALogLargerThanOneFetchIsReadWhole(t *testing.T) {
	conn := connWith(t, 1, "delete")
	end := 0
	for batch := range 40 {
		var values [][]byte
		for range 1 + batch%7 {
			padding := bytes.Repeat([]byte{' '}, 30_000+end*97%9_000) // 5 MB in all
			values = append(values, strconv.AppendInt(padding, int64(end), 10))
			end++
		}
		if done, err := conn.Append(t.Context(), testTopic, 0, values); err != nil || done.BaseOffset != int64(end-len(values)) {
			t.Fatalf("appended at %d, %v; want %d", done.BaseOffset, err, end-len(values))
		}
	}

	for _, from := range []int{0, 1, 7, 100, end - 1} { // in the middle of batches too
		for next := from; next < end; {
			records, err := conn.Fetch(t.Context(), testTopic, 0, int64(next))
			if err != nil || len(records) == 0 {
				t.Fatalf("%d records at %d of %d, %v", len(records), next, end, err)
			}
			for _, r := range records {
				if got := string(bytes.TrimLeft(r.Value, " ")); got != strconv.Itoa(next) || r.Offset != int64(next) {
					t.Fatalf("at %d stands %s, want %d", r.Offset, got, next)
				}
				next++
			}
		}
	}
}
