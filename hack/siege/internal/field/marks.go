package field

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Mark is a place in a lane's log at which a replica has told the digest of its ledger.
type Mark struct {
	Lane string
	Next int64
}

// Marks are the digests that both replicas have told in their logs, in all of their lives: each time
// that one starts it builds its ledgers again, from a snapshot or from the whole log.
func (f *Field) Marks() (map[Mark][]string, error) {
	marks := map[Mark][]string{}
	for _, replica := range Replicas {
		file, err := os.Open(f.LogFile(replica))
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", replica, err)
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line struct {
				Msg, Lane, Digest string
				Next              int64
			}
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "lane mark" { // a killed process leaves half lines
				at := Mark{line.Lane, line.Next}
				marks[at] = append(marks[at], line.Digest)
			}
		}
		err = lines.Err()
		if err := file.Close(); err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", replica, err)
		}
		if err != nil {
			return nil, fmt.Errorf("read the log of %s: %w", replica, err)
		}
	}
	return marks, nil
}

// Snapshots is how many snapshots of lanes the database has.
func (f *Field) Snapshots(ctx context.Context) (int64, error) {
	n, err := f.mongo.Database("order").Collection("lanes_shared_snapshots").CountDocuments(ctx, bson.D{})
	if err != nil {
		return 0, fmt.Errorf("count the snapshots: %w", err)
	}
	return n, nil
}
