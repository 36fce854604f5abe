package actor

import (
	"bytes"
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
)

// Brand is a brand with its API key; its warehouse uses the same.
type Brand struct {
	cast    *Cast
	ID, Key string
}

// ApplyBrand applies for a brand and returns its id.
func (c *Cast) ApplyBrand(ctx context.Context, key, name string, contact brandintake.Contact) (string, error) {
	r, err := c.brands.ApplyBrandWithResponse(ctx, &brandintake.ApplyBrandParams{IdempotencyKey: key}, brandintake.BrandApplication{Name: name, Contact: contact})
	if err != nil {
		return "", fmt.Errorf("apply as a brand: %w", err)
	}
	brand, err := take(r, r.Body, r.JSON201)
	if err != nil {
		return "", err
	}
	return brand.BrandId, nil
}

// Brand is the brand that holds a key.
func (c *Cast) Brand(id, key string) *Brand { return &Brand{cast: c, ID: id, Key: key} }

// Submit sends a stock file.
func (b *Brand) Submit(ctx context.Context, key string, csv []byte) (*brandintake.Submission, error) {
	r, err := b.cast.brands.SubmitStockWithBodyWithResponse(ctx, b.ID, &brandintake.SubmitStockParams{IdempotencyKey: key}, "text/csv", bytes.NewReader(csv), bearer(b.Key))
	if err != nil {
		return nil, fmt.Errorf("submit stock: %w", err)
	}
	return take(r, r.Body, r.JSON201)
}

// Stock returns the brand's whole pool.
func (b *Brand) Stock(ctx context.Context) ([]brandintake.StockItem, error) {
	var out []brandintake.StockItem
	limit := 1000
	for after := (*string)(nil); ; {
		r, err := b.cast.brands.ListStockWithResponse(ctx, b.ID, &brandintake.ListStockParams{After: after, Limit: &limit}, bearer(b.Key))
		if err != nil {
			return nil, fmt.Errorf("list stock: %w", err)
		}
		page, err := take(r, r.Body, r.JSON200)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if after = page.Next; after == nil {
			return out, nil
		}
	}
}

// Statement returns the settlement statement of a campaign.
func (b *Brand) Statement(ctx context.Context, campaignUID string) (*brandintake.Statement, error) {
	r, err := b.cast.brands.GetStatementWithResponse(ctx, b.ID, campaignUID, bearer(b.Key))
	if err != nil {
		return nil, fmt.Errorf("read a statement: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// ShippingOrders returns a page of what waits for the warehouse.
func (b *Brand) ShippingOrders(ctx context.Context, limit int) ([]fulfilment.ShippingOrder, error) {
	r, err := b.cast.goods.ListShippingOrdersWithResponse(ctx, b.ID, &fulfilment.ListShippingOrdersParams{Limit: &limit}, bearer(b.Key))
	if err != nil {
		return nil, fmt.Errorf("list shipping orders: %w", err)
	}
	page, err := take(r, r.Body, r.JSON200)
	if err != nil {
		return nil, err
	}
	return page.Items, nil
}

// Pick starts picking and returns the address.
func (b *Brand) Pick(ctx context.Context, shippingOrderID string) (*fulfilment.Picking, error) {
	r, err := b.cast.goods.StartPickingWithResponse(ctx, shippingOrderID, bearer(b.Key))
	if err != nil {
		return nil, fmt.Errorf("start picking: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// Ship reports what was sent and what was short.
func (b *Brand) Ship(ctx context.Context, key, shippingOrderID string, s fulfilment.Shipment) error {
	r, err := b.cast.goods.ReportShipmentWithResponse(ctx, shippingOrderID, &fulfilment.ReportShipmentParams{IdempotencyKey: key}, s, bearer(b.Key))
	if err != nil {
		return fmt.Errorf("report a shipment: %w", err)
	}
	_, err = take(r, r.Body, r.JSON200)
	return err
}

// ReceiveReturn says that returned goods are back.
func (b *Brand) ReceiveReturn(ctx context.Context, returnID string) error {
	r, err := b.cast.goods.ReceiveReturnWithResponse(ctx, returnID, bearer(b.Key))
	if err != nil {
		return fmt.Errorf("receive a return: %w", err)
	}
	_, err = take(r, r.Body, r.JSON200)
	return err
}
