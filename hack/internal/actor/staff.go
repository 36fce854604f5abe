package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/client/catalog"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
)

// Staff is somebody whom the identity provider knows, with one role.
type Staff struct {
	cast  *Cast
	Token string
}

// Staff logs a member of staff in: "operations", "finance" or "carrier".
func (c *Cast) Staff(ctx context.Context, role string) (*Staff, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {role}, "client_secret": {"demo"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.simulator+"/oidc/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("log staff in: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("log staff in: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil || token.AccessToken == "" {
		return nil, fmt.Errorf("log staff in as %s: status %d", role, answer.StatusCode)
	}
	return &Staff{cast: c, Token: token.AccessToken}, nil
}

// ApproveBrand takes a brand in.
func (s *Staff) ApproveBrand(ctx context.Context, brandID string) error {
	r, err := s.cast.brands.ApproveBrandWithResponse(ctx, brandID, bearer(s.Token))
	if err != nil {
		return fmt.Errorf("approve a brand: %w", err)
	}
	_, err = take(r, r.Body, r.JSON200)
	return err
}

// IssueKey gives a brand an API key.
func (s *Staff) IssueKey(ctx context.Context, brandID, key string) (string, error) {
	r, err := s.cast.brands.IssueBrandKeyWithResponse(ctx, brandID, &brandintake.IssueBrandKeyParams{IdempotencyKey: key}, bearer(s.Token))
	if err != nil {
		return "", fmt.Errorf("issue a key: %w", err)
	}
	issued, err := take(r, r.Body, r.JSON201)
	if err != nil {
		return "", err
	}
	return issued.Key, nil
}

// ApproveSubmission puts submitted goods into the brand's pool.
func (s *Staff) ApproveSubmission(ctx context.Context, brandID, submissionID string) error {
	r, err := s.cast.brands.ApproveSubmissionWithResponse(ctx, brandID, submissionID, bearer(s.Token))
	if err != nil {
		return fmt.Errorf("approve a submission: %w", err)
	}
	_, err = take(r, r.Body, r.JSON200)
	return err
}

// SignFor is the carrier's word that a parcel was signed for.
func (s *Staff) SignFor(ctx context.Context, shippingOrderID string) (*fulfilment.ShippingOrderState, error) {
	r, err := s.cast.goods.ReportReceiptWithResponse(ctx, shippingOrderID, bearer(s.Token))
	if err != nil {
		return nil, fmt.Errorf("report a receipt: %w", err)
	}
	return take(r, r.Body, r.JSON200)
}

// Goods is how many of a brand's SKUs the first page of the catalogue shows.
func (s *Staff) Goods(ctx context.Context, brandID string) (int, error) {
	r, err := s.cast.catalog.ListGoodsWithResponse(ctx, brandID, &catalog.ListGoodsParams{}, bearer(s.Token))
	if err != nil {
		return 0, fmt.Errorf("list goods: %w", err)
	}
	page, err := take(r, r.Body, r.JSON200)
	if err != nil {
		return 0, err
	}
	return len(page.Items), nil
}
