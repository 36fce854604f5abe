package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// nothingLeaks looks for the story's personal data in every file that the processes wrote: logs, the
// broker's segments, the simulators' log and the database. The vaults hold it encrypted only.
func (t *story) nothingLeaks(context.Context) error {
	t.tells("Nobody's name, phone or street stands in any log, event, journal or database file")
	canaries := []string{"收件人", "13912345678", "龙井路", "陈静怡", "13812345678", "jingyi.chen@example.com"}
	files, found := 0, ""
	err := filepath.WalkDir(t.suite.Dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("look into %s: %w", path, err)
		}
		files++
		for _, canary := range canaries {
			if bytes.Contains(data, []byte(canary)) {
				found = fmt.Sprintf("%q stands in %s", canary, path)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.expect(found == "" && files > 10, "%d files were searched for %d canaries %s", files, len(canaries), found)
}
