package intake_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/internal/fault"
)

const brandID = "brand_a"

// desk folds what is decided about one brand's files.
type desk struct {
	files intake.Submissions
	pool  stock.Pool
}

func (d *desk) fold(facts []proto.Message, err error) (int, error) {
	for _, f := range facts {
		accepted, _ := d.files.Fold(f)
		d.pool.Take(accepted)
	}
	return len(facts), err
}

type step func(*desk) (int, error)

func begin(id string) step {
	return func(d *desk) (int, error) { return d.fold(intake.Begin(&d.files, brandID, id)) }
}

func take(id string, attempt int64, goods ...stock.Goods) step {
	return func(d *desk) (int, error) {
		return d.fold(intake.Take(&d.files, brandID, id, attempt, intake.Rows{Goods: goods}))
	}
}

func receive(id string, attempt int64) step {
	return func(d *desk) (int, error) {
		return d.fold(intake.Receive(&d.files, brandID, id, attempt, intake.Whole{SHA256: []byte("sha")}))
	}
}

func giveUp(id string, attempt int64) step {
	return func(d *desk) (int, error) { return d.fold(intake.GiveUp(&d.files, brandID, id, attempt), nil) }
}

func approve(id string) step {
	return func(d *desk) (int, error) { return d.fold(intake.Approve(&d.files, brandID, id, "staff-1")) }
}

func reject(id string) step {
	return func(d *desk) (int, error) { return d.fold(intake.Reject(&d.files, brandID, id, "staff-1", "fakes")) }
}

func shirts(units int64) stock.Goods {
	return stock.Goods{SKU: "shirt", Settlement: 5990, Units: units}
}

func TestSubmissions(t *testing.T) {
	waiting := func(n int) (steps []step) {
		for i := range n {
			id := fmt.Sprintf("sub_%d", i)
			steps = append(steps, begin(id), receive(id, int64(i+1)))
		}
		return steps
	}
	cases := map[string]struct {
		steps     []step
		wantUnits int64 // shirts in the pool
		wantFacts int
		wantCode  string
	}{
		"an approved file stands in the pool":               {[]step{begin("x"), take("x", 1, shirts(3)), receive("x", 1), approve("x")}, 3, 1, ""},
		"rows of one barcode are summed":                    {[]step{begin("x"), take("x", 1, shirts(3), shirts(4)), take("x", 1, shirts(5)), receive("x", 1), approve("x")}, 12, 1, ""},
		"a received file does not stand in the pool":        {[]step{begin("x"), take("x", 1, shirts(3)), receive("x", 1)}, 0, 1, ""},
		"a half-read file cannot be approved":               {[]step{begin("x"), take("x", 1, shirts(3)), approve("x")}, 0, 0, "submission_not_received"},
		"a half-read file cannot be rejected":               {[]step{begin("x"), reject("x")}, 0, 0, "submission_not_received"},
		"a file that is begun anew forgets its rows":        {[]step{begin("x"), take("x", 1, shirts(3)), begin("x"), take("x", 2, shirts(4)), receive("x", 2), approve("x")}, 4, 1, ""},
		"an upload that another replaced takes no more":     {[]step{begin("x"), begin("x"), take("x", 1, shirts(3))}, 0, 0, "submission_superseded"},
		"an upload that another replaced does not end it":   {[]step{begin("x"), begin("x"), receive("x", 1)}, 0, 0, "submission_superseded"},
		"an upload that broke off leaves no rows":           {[]step{begin("x"), take("x", 1, shirts(3)), giveUp("x", 1), receive("x", 2), approve("x")}, 0, 1, ""},
		"giving up twice changes nothing":                   {[]step{begin("x"), take("x", 1, shirts(3)), giveUp("x", 1), giveUp("x", 1)}, 0, 0, ""},
		"giving up a file that another replaced is nothing": {[]step{begin("x"), begin("x"), take("x", 2, shirts(3)), giveUp("x", 1)}, 0, 0, ""},
		"a received file is not begun again":                {[]step{begin("x"), take("x", 1, shirts(3)), receive("x", 1), begin("x")}, 0, 0, ""},
		"approving twice changes nothing":                   {[]step{begin("x"), take("x", 1, shirts(3)), receive("x", 1), approve("x"), approve("x")}, 3, 0, ""},
		"a rejected file cannot be approved":                {[]step{begin("x"), take("x", 1, shirts(3)), receive("x", 1), reject("x"), approve("x")}, 0, 0, "submission_rejected"},
		"an approved file cannot be rejected":               {[]step{begin("x"), take("x", 1, shirts(3)), receive("x", 1), approve("x"), reject("x")}, 3, 0, "submission_approved"},
		"units of two files add up":                         {[]step{begin("x"), take("x", 1, shirts(3)), receive("x", 1), approve("x"), begin("y"), take("y", 2, shirts(4)), receive("y", 2), approve("y")}, 7, 1, ""},
		"a file that never came is not found":               {[]step{approve("x")}, 0, 0, "submission_unknown"},
		"fifty files may wait":                              {waiting(intake.MaxWaiting), 0, 1, ""},
		"no fifty-first file may wait":                      {append(waiting(intake.MaxWaiting), begin("x")), 0, 0, "too_many_submissions"},
		"no file may come behind two of the largest": {
			[]step{begin("a"), take("a", 1, make([]stock.Goods, intake.MaxWaitingRows/2)...), receive("a", 1), begin("b"), take("b", 2, make([]stock.Goods, intake.MaxWaitingRows/2)...), receive("b", 2), begin("c")},
			0, 0, "too_many_submissions",
		},
		"a file may come behind two smaller ones": {
			[]step{begin("a"), take("a", 1, make([]stock.Goods, intake.MaxWaitingRows/2)...), receive("a", 1), begin("b"), take("b", 2, shirts(1)), receive("b", 2), begin("c")},
			0, 1, "",
		},
		"the fifth half-read file pushes out the first": {
			[]step{begin("a"), begin("b"), begin("c"), begin("d"), begin("e"), take("a", 1, shirts(3))}, 0, 0, "submission_superseded",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d, facts, code := &desk{}, 0, ""
			for _, s := range c.steps {
				n, err := s(d)
				facts, code = n, ""
				if f, ok := fault.As(err); ok {
					code = f.Code
				}
			}
			var units int64
			if item, ok := d.pool.Items["shirt"]; ok {
				units = item.Approved
			}
			if units != c.wantUnits || facts != c.wantFacts || code != c.wantCode {
				t.Errorf("got %d units, %d facts, code %q; want %d, %d, %q", units, facts, code, c.wantUnits, c.wantFacts, c.wantCode)
			}
		})
	}
}

func TestTheOthersAreToldOfEverySKUOnce(t *testing.T) {
	const skus = 2_345
	d := &desk{}
	steps := []step{begin("x")}
	for n := range skus {
		steps = append(steps, take("x", 1, stock.Goods{SKU: fmt.Sprintf("sku-%04d", n), Units: 1}, stock.Goods{SKU: fmt.Sprintf("sku-%04d", n), Units: 2}))
	}
	for _, s := range append(steps, receive("x", 1), approve("x")) {
		if _, err := s(d); err != nil {
			t.Fatal(err)
		}
	}
	d.pool.Items["sku-0007"].Goods.Name = "newest name"
	told := map[string]*brandv1.Goods{}
	for {
		facts := intake.Tell(&d.files, &d.pool, brandID, "Yunshan", "x")
		if len(facts) == 0 {
			break
		}
		for _, f := range facts {
			piece, ok := f.(*brandv1.GoodsApproved)
			if !ok || len(piece.GetGoods()) > intake.PieceGoods || piece.GetBrandName() != "Yunshan" {
				t.Fatalf("got %T of %d goods", f, len(piece.GetGoods()))
			}
			for _, g := range piece.GetGoods() {
				if told[g.GetSku()] != nil {
					t.Fatalf("%s was told twice", g.GetSku())
				}
				told[g.GetSku()] = g
			}
		}
		if _, err := d.fold(facts, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != skus {
		t.Errorf("told of %d SKUs, want %d", len(told), skus)
	}
	if got := told["sku-0007"]; got.GetName() != "newest name" || got.GetUnits() != 3 {
		t.Errorf("got %v, want the newest name and 3 units", got)
	}
}

func TestTheNewestDescriptionAndPriceWin(t *testing.T) {
	d := &desk{}
	for _, s := range []step{
		begin("x"), take("x", 1, stock.Goods{SKU: "shirt", Name: "old", Settlement: 5990, Units: 3}), receive("x", 1), approve("x"),
		begin("y"), take("y", 2, stock.Goods{SKU: "shirt", Name: "new", Settlement: 4990, Units: 4}), receive("y", 2), approve("y"),
	} {
		if _, err := s(d); err != nil {
			t.Fatal(err)
		}
	}
	got := d.pool.Items["shirt"]
	if got.Goods.Name != "new" || got.Goods.Settlement != 4990 || got.Approved != 7 {
		t.Errorf("got %+v", got)
	}
}
