package story

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// canaries are the personal data that the story puts in: names, phones, a street, an address, and
// the openids by which WeChat knows two of its people.
var canaries = []string{
	"收件人", "13912345678", "龙井路", "陈静怡", "13812345678", "jingyi.chen@example.com", openID("wang-fang"), openID("li-na"),
}

// openID is the simulator's openid of a user.
func openID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:27]
}

// nothingLeaks looks for the story's personal data in all logs, in the broker's files, and in every
// document of the database, vaults included, which hold it encrypted. Only the simulated WeChat may
// know openids.
func (t *story) nothingLeaks(ctx context.Context) error {
	t.Tells("Nobody's name, phone, street or openid stands in any log, event or journal; the vaults hold them encrypted")
	if t.stage.Logs != nil {
		if err := t.stage.Logs(ctx); err != nil {
			return err
		}
	}
	files, err := t.searchFiles()
	if err != nil {
		return err
	}
	documents, err := t.searchDatabase(ctx)
	if err != nil {
		return err
	}
	return t.Expect(files > 5 && documents > 50, "%d files and %d documents were searched for %d canaries", files, documents, len(canaries))
}

func (t *story) searchFiles() (searched int, err error) {
	err = filepath.WalkDir(t.stage.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path, filepath.Join(t.stage.Dir, "data", "sim")) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("look into %s: %w", path, err)
		}
		searched++
		return t.clean(data, path)
	})
	return searched, err
}

func (t *story) searchDatabase(ctx context.Context) (searched int, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client, err := mongo.Connect(options.Client().ApplyURI(t.stage.MongoURI))
	if err != nil {
		return 0, fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }() // only read
	databases, err := client.ListDatabaseNames(ctx, bson.D{})
	if err != nil {
		return 0, fmt.Errorf("list the databases: %w", err)
	}
	for _, database := range databases {
		collections, err := client.Database(database).ListCollectionNames(ctx, bson.D{})
		if err != nil {
			return 0, fmt.Errorf("list the collections of %s: %w", database, err)
		}
		for _, collection := range collections {
			n, err := t.searchCollection(ctx, client.Database(database).Collection(collection))
			if err != nil {
				return 0, err
			}
			searched += n
		}
	}
	return searched, nil
}

// searchCollection looks at documents as BSON, in which a journal's batches are plain bytes.
func (t *story) searchCollection(ctx context.Context, c *mongo.Collection) (searched int, err error) {
	cursor, err := c.Find(ctx, bson.D{})
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", c.Name(), err)
	}
	defer func() { _ = cursor.Close(ctx) }()
	for cursor.Next(ctx) {
		searched++
		if err := t.clean(cursor.Current, "a document of "+c.Database().Name()+"."+c.Name()); err != nil {
			return searched, err
		}
	}
	if err := cursor.Err(); err != nil {
		return searched, fmt.Errorf("read %s: %w", c.Name(), err)
	}
	return searched, nil
}

// clean fails the step if a canary stands in the bytes.
func (t *story) clean(data []byte, where string) error {
	for _, canary := range canaries {
		if bytes.Contains(data, []byte(canary)) {
			return t.Expect(false, "%q stands in %s", canary, where)
		}
	}
	return nil
}
