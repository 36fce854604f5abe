package eventkit

import (
	"bytes"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

func TestABadChecksumIsKnown(t *testing.T) {
	var log bytes.Buffer
	written := protocol.RecordSet{Version: 2, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("hold 3 units"))})}
	if _, err := written.WriteTo(&log); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		stored []byte
		want   bool
	}{
		"a batch as it was written is whole":                 {log.Bytes(), false},
		"a batch with another value is not":                  {bytes.Replace(log.Bytes(), []byte("3"), []byte("8"), 1), true},
		"a batch that a cut connection ended looks the same": {log.Bytes()[:log.Len()-1], true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := new(protocol.RecordSet).ReadFrom(bytes.NewReader(test.stored))
			if badChecksum(err) != test.want {
				t.Errorf("got %v, want a bad checksum: %t", err, test.want)
			}
		})
	}
}
