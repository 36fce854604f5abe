//go:build !mutant_second_child

package children

import (
	"strings"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Name is the name of a campaign's children: the same whoever asks and whenever, so that two operators, or
// one that has forgotten, make one child of a kind. A Service's name has at most 63 characters and no dot.
func Name(c *v1alpha1.Campaign) string {
	name := strings.ReplaceAll(c.Name, ".", "-")
	name = strings.TrimRight(name[:min(len(name), maxNamePart)], "-")
	uid := string(c.UID)
	return "lane-" + name + "-" + uid[:min(len(uid), uidPart)]
}
