package brandkeys_test

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/fulfilment/internal/brandkeys"
	"github.com/qingcang/qingcang/services/internal/auth"
)

func TestAuthenticate(t *testing.T) {
	const token = "qck_key_1.secret"
	sum := sha256.Sum256([]byte(token))
	issued := &brandv1.BrandKeyIssued{BrandId: "brand_1", KeyId: "key_1", KeySha256: sum[:]}
	tests := map[string]struct {
		do   func(*brandkeys.Keys)
		send string
		want error
	}{
		"an issued key is its brand's":                         {func(k *brandkeys.Keys) { k.Issued(issued); k.Complete() }, token, nil},
		"an issued key is good while others are still read":    {func(k *brandkeys.Keys) { k.Issued(issued) }, token, nil},
		"a key that may not have been read yet is tried again": {func(*brandkeys.Keys) {}, token, brandkeys.ErrStarting},
		"an unknown key is wrong":                              {func(k *brandkeys.Keys) { k.Complete() }, token, auth.ErrBadToken},
		"another secret is wrong":                              {func(k *brandkeys.Keys) { k.Issued(issued); k.Complete() }, "qck_key_1.other", auth.ErrBadToken},
		"a revoked key is wrong": {func(k *brandkeys.Keys) {
			k.Issued(issued)
			k.Complete()
			k.Revoked(&brandv1.BrandKeyRevoked{KeyId: "key_1"})
		}, token, auth.ErrBadToken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			keys := brandkeys.New()
			tt.do(keys)
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.Header.Set("Authorization", "Bearer "+tt.send)
			p, err := keys.Authenticate(request)
			if !errors.Is(err, tt.want) || err == nil && p.ID != "brand_1" {
				t.Errorf("want %v, got %v for %q", tt.want, err, p.ID)
			}
		})
	}
}
