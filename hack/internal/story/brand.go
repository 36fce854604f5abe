package story

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/stockfile"
)

func (t *story) brandApplies(ctx context.Context) error {
	t.Tells("A brand applies, operations approve it and issue its API key")
	var err error
	if t.operations, err = t.cast.Staff(ctx, "operations"); err != nil {
		return err
	}
	if t.carrier, err = t.cast.Staff(ctx, "carrier"); err != nil {
		return err
	}
	id, err := t.cast.ApplyBrand(ctx, "story-brand-1", "Puma", brandintake.Contact{Name: "陈静怡", Phone: "+8613812345678", Email: "jingyi.chen@example.com"})
	if err != nil {
		return err
	}
	if err := t.operations.ApproveBrand(ctx, id); err != nil {
		return err
	}
	key, err := t.operations.IssueKey(ctx, id, "story-key-1")
	if err != nil {
		return err
	}
	t.brand = t.cast.Brand(id, key)
	return t.Expect(strings.HasPrefix(key, "qck_"), "%s holds a key that begins with qck_", id)
}

func (t *story) brandSubmits(ctx context.Context) error {
	t.Tells("It submits its stock as CSV; good rows are taken, bad ones come back with row, column and reason")
	styles, err := stockfile.ReadStyles(SampleStyles(t.stage.Root))
	if err != nil {
		return err
	}
	rows := stockfile.Generate(styles[:30], 1)
	var file bytes.Buffer
	if err := stockfile.Write(&file, rows); err != nil {
		return err
	}
	file.WriteString("QCX,6901111111111,坏行,Shirts,Red,M,100.00,200.00,5,杭州一仓,Fall 2025\n") // settlement above tag
	file.WriteString("QCX,6901111111128,坏行,Shirts,Red,L,100.00,20.00,-3,杭州一仓,Fall 2025\n") // no quantity
	submission, err := t.brand.Submit(ctx, "story-stock-1", file.Bytes())
	if err != nil {
		return err
	}
	if err := t.Expect(submission.RowsTaken == int64(len(rows)) && submission.RowsRefused == 2,
		"%d rows taken, %d refused", submission.RowsTaken, submission.RowsRefused); err != nil {
		return err
	}
	for _, f := range submission.Faults {
		t.Sees("row %d, %s: %s", f.Row, f.Column, f.Reason)
	}
	again, err := t.brand.Submit(ctx, "story-stock-1", file.Bytes())
	if err != nil {
		return err
	}
	if err := t.Expect(again.SubmissionId == submission.SubmissionId, "the same submission sent twice is one submission"); err != nil {
		return err
	}
	file.WriteString("\n")
	_, err = t.brand.Submit(ctx, "story-stock-1", append(file.Bytes(), "QCY,6901111111135,x,Shirts,Red,M,100.00,20.00,5,w,s\n"...))
	if err := t.Expect(refusedWith(err, "idempotency_key_reused"), "the same key with another file is refused: %v", err); err != nil {
		return err
	}
	t.pickGoods(rows)
	return t.approve(ctx, submission.SubmissionId)
}

// pickGoods chooses two sizes of the first style that has several, and one SKU of another style.
func (t *story) pickGoods(rows []stockfile.Row) {
	for i := 0; i+1 < len(rows) && len(t.goods) == 0; i++ {
		if rows[i].StyleNo == rows[i+1].StyleNo {
			t.goods = append(t.goods, offer(rows[i], 5), offer(rows[i+1], 5))
		}
	}
	for _, r := range rows {
		if r.StyleNo != t.goods[0].styleNo {
			t.goods = append(t.goods, offer(r, 1))
			return
		}
	}
}

// offer sells at four times the settlement price, rounded to the yuan.
func offer(r stockfile.Row, units int64) goods {
	return goods{styleNo: r.StyleNo, sku: r.Barcode, priceFen: r.SettlementFen * 4 / 100 * 100, settlementFen: r.SettlementFen, units: units}
}

func (t *story) approve(ctx context.Context, submissionID string) error {
	if err := t.operations.ApproveSubmission(ctx, t.brand.ID, submissionID); err != nil {
		return err
	}
	stock, err := t.brand.Stock(ctx)
	if err != nil {
		return err
	}
	for _, item := range stock {
		if item.FreeUnits != item.ApprovedUnits {
			return t.Expect(false, "%s has %d of %d units free", item.Sku, item.FreeUnits, item.ApprovedUnits)
		}
	}
	return t.Expect(len(stock) > 0, "the brand's pool holds %d SKUs, all free", len(stock))
}

func (t *story) operationsApprove(ctx context.Context) error {
	t.Tells("Operations approve the submission; the goods stand in the catalogue")
	return soon(ctx, func(ctx context.Context) error {
		known, err := t.operations.Goods(ctx, t.brand.ID)
		if err != nil {
			return err
		}
		if known < 30 {
			return fmt.Errorf("the catalogue has %d SKUs", known)
		}
		return t.Expect(true, "the catalogue shows the goods (%d on the first page)", known)
	})
}

// SampleStyles is the list of styles that the project carries.
func SampleStyles(root string) string {
	return filepath.Join(root, "hack", "demo", "sample", "styles.csv")
}
