package actor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/qingcang/qingcang/hack/internal/client/catalog"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
	"github.com/qingcang/qingcang/hack/internal/client/order"
	"github.com/qingcang/qingcang/hack/internal/client/storeowner"
)

// Person is somebody with a WeChat account: a buyer, and a store owner once the fee is paid.
type Person struct {
	cast       *Cast
	ID         string
	BuyerToken string
	OwnerToken string
}

// LogIn logs the user of that name in through WeChat.
func (c *Cast) LogIn(ctx context.Context, name string) (*Person, error) {
	r, err := c.owners.CreateSessionWithResponse(ctx, storeowner.NewSession{Code: "code-" + name})
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	session, err := take(r, r.Body, r.JSON200)
	if err != nil {
		return nil, err
	}
	p := &Person{cast: c, ID: session.PersonId, BuyerToken: session.BuyerToken}
	if session.OwnerToken != nil {
		p.OwnerToken = *session.OwnerToken
	}
	return p, nil
}

// OrderMembership asks for the ¥398 membership; the fee is then due.
func (p *Person) OrderMembership(ctx context.Context, key string) (*storeowner.Membership, error) {
	r, err := p.cast.owners.OrderMembershipWithResponse(ctx, &storeowner.OrderMembershipParams{IdempotencyKey: key}, storeowner.OrderMembership{}, bearer(p.BuyerToken))
	if err != nil {
		return nil, fmt.Errorf("order a membership: %w", err)
	}
	return take(r, r.Body, r.JSON201)
}

// Membership reads a membership.
func (p *Person) Membership(ctx context.Context, id string) (*storeowner.Membership, error) {
	r, err := p.cast.owners.GetMembershipWithResponse(ctx, id, bearer(p.BuyerToken))
	if err != nil {
		return nil, fmt.Errorf("read a membership: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// TakeOwnerToken takes the token of a store owner, once the fee is paid.
func (p *Person) TakeOwnerToken(ctx context.Context) error {
	r, err := p.cast.owners.CreateOwnerTokenWithResponse(ctx, bearer(p.BuyerToken))
	if err != nil {
		return fmt.Errorf("take an owner token: %w", err)
	}
	token, err := take(r, r.Body, r.JSON200)
	if err != nil {
		return err
	}
	p.OwnerToken = token.OwnerToken
	return nil
}

// Share takes a link for a style of a campaign.
func (p *Person) Share(ctx context.Context, key, campaignUID, styleNo string) (*storeowner.Share, error) {
	r, err := p.cast.owners.CreateShareWithResponse(ctx, &storeowner.CreateShareParams{IdempotencyKey: key},
		storeowner.NewShare{CampaignUid: campaignUID, StyleNo: styleNo}, bearer(p.OwnerToken))
	if err != nil {
		return nil, fmt.Errorf("take a share link: %w", err)
	}
	return take(r, r.Body, r.JSON201)
}

// Wallet reads an owner's commission.
func (p *Person) Wallet(ctx context.Context) (*storeowner.Wallet, error) {
	r, err := p.cast.owners.GetWalletWithResponse(ctx, bearer(p.OwnerToken))
	if err != nil {
		return nil, fmt.Errorf("read the wallet: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// OpenShare shows what a shared link shows, to anybody.
func (c *Cast) OpenShare(ctx context.Context, token string) (*catalog.Style, error) {
	r, err := c.catalog.GetShareWithResponse(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("open a share link: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// AddAddress leaves a delivery address and returns its id.
func (p *Person) AddAddress(ctx context.Context, key string, a fulfilment.Address) (string, error) {
	r, err := p.cast.goods.AddAddressWithResponse(ctx, &fulfilment.AddAddressParams{IdempotencyKey: key}, a, bearer(p.BuyerToken))
	if err != nil {
		return "", fmt.Errorf("leave an address: %w", err)
	}
	kept, err := take(r, r.Body, r.JSON201)
	if err != nil {
		return "", err
	}
	return kept.AddressId, nil
}

// Place orders goods of a campaign. A refusal is a *Problem.
func (p *Person) Place(ctx context.Context, campaignUID, key string, o order.PlaceOrder) (*order.Order, error) {
	r, err := p.cast.orders.PlaceOrderWithResponse(ctx, campaignUID, &order.PlaceOrderParams{IdempotencyKey: key}, o, bearer(p.BuyerToken))
	if err != nil {
		return nil, fmt.Errorf("place an order: %w", err)
	}
	return take(r, r.Body, r.JSON201)
}

// Order reads an order of this buyer.
func (p *Person) Order(ctx context.Context, id string) (*order.Order, error) {
	r, err := p.cast.orders.GetOrderWithResponse(ctx, id, bearer(p.BuyerToken))
	if err != nil {
		return nil, fmt.Errorf("read an order: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// Pay opens the payment of an order and returns what the phone pays with.
func (p *Person) Pay(ctx context.Context, key, orderID string) (*order.OrderPayment, error) {
	r, err := p.cast.orders.PayOrderWithResponse(ctx, orderID, &order.PayOrderParams{IdempotencyKey: key}, bearer(p.BuyerToken))
	if err != nil {
		return nil, fmt.Errorf("open a payment: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// Confirm is the thumb on the phone: WeChat takes the money and tells the merchant.
func (c *Cast) Confirm(ctx context.Context, prepayID string, late bool) error {
	body, err := json.Marshal(map[string]any{"prepayId": prepayID, "late": late})
	if err != nil {
		return fmt.Errorf("confirm a payment: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.simulator+"/sim/pay", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("confirm a payment: %w", err)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("confirm a payment: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10)) // only for the error's text
	if answer.StatusCode != http.StatusOK {
		return &Problem{Status: answer.StatusCode, Code: "not_paid", Detail: string(text)}
	}
	return nil
}

// Delivery reads where the goods of an order are.
func (p *Person) Delivery(ctx context.Context, orderID string) (*fulfilment.Delivery, error) {
	r, err := p.cast.goods.GetDeliveryWithResponse(ctx, orderID, bearer(p.BuyerToken))
	if err != nil {
		return nil, fmt.Errorf("read a delivery: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// Return sends goods of an order back.
func (p *Person) Return(ctx context.Context, key, orderID string, lines []fulfilment.Line) (*fulfilment.ReturnState, error) {
	r, err := p.cast.goods.RequestReturnWithResponse(ctx, orderID, &fulfilment.RequestReturnParams{IdempotencyKey: key},
		fulfilment.ReturnRequest{Lines: lines}, bearer(p.BuyerToken))
	if err != nil {
		return nil, fmt.Errorf("ask for a return: %w", err)
	}
	return take(r, r.Body, r.JSON201)
}
