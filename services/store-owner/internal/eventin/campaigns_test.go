package eventin

import (
	"errors"
	"testing"
)

func TestKnownCampaigns(t *testing.T) {
	tests := map[string]struct {
		read bool
		uid  string
		want bool
		err  error
	}{
		"before the table is read nobody can say that there is none": {false, "c-2", false, errNotRead},
		"what was read already is known":                             {false, "c-1", true, nil},
		"a campaign of the table is known":                           {true, "c-1", true, nil},
		"another is not":                                             {true, "c-2", false, nil},
		"nor is one that was taken out":                              {true, "c-0", false, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := NewCampaigns()
			for _, uid := range []string{"c-0", "c-1"} {
				if err := c.apply(uid, []byte("desired")); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.apply("c-0", nil); err != nil {
				t.Fatal(err)
			}
			c.ready = tc.read
			got, err := c.Known(tc.uid)
			if got != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("got %t and %v, want %t and %v", got, err, tc.want, tc.err)
			}
		})
	}
}
