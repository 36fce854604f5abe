package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCorrectQuery(t *testing.T) {
	const line = "\tIDColumn = DefaultColumn + "
	tests := map[string]struct {
		source  string
		want    string
		wantErr bool
	}{
		"the query is spelled like the index":      {source: line + ferretQuery, want: line + `"->'_id'"`},
		"a version without that query is refused":  {source: line + `"->>'_id'"`, wantErr: true},
		"a version that has it twice is looked at": {source: strings.Repeat(line+ferretQuery, 2), wantErr: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "metadata.go")
			if err := os.WriteFile(path, []byte(test.source), 0o600); err != nil {
				t.Fatal(err)
			}
			err := correctQuery(path)
			if (err != nil) != test.wantErr {
				t.Fatalf("error %v, want one: %t", err, test.wantErr)
			}
			got, readErr := os.ReadFile(path)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if err == nil && string(got) != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
