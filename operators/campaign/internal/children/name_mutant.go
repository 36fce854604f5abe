//go:build mutant_second_child

package children

import (
	"strconv"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Name names the children of each generation anew, on purpose: an edit makes a second child of a kind.
func Name(c *v1alpha1.Campaign) string {
	return "lane-" + string(c.UID)[:uidPart] + "-" + strconv.FormatInt(c.Generation, 10)
}
