package auth

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// leeway is how far the clocks of two replicas may be apart.
const leeway = 30 * time.Second

// Claims are what a token says.
type Claims struct {
	// Subject is who holds the token.
	Subject string
	// Audience is whom it is for: "buyer", "owner", "carrier".
	Audience string
	// ID names this token, for audit. It may be empty.
	ID string
	// Roles are what the holder may do. It may be empty. Verify gives the same slice to all who ask:
	// it is not to be changed.
	Roles []string
	// Payer is the holder's openid at the payment provider, sealed by
	// SealSubject. It may be empty.
	Payer string
}

type wireClaims struct {
	Roles []string `json:"roles,omitempty"`
	Payer string   `json:"wxo,omitempty"`
	jwt.RegisteredClaims
}

// Sign makes a token: a JWT with HMAC-SHA256, valid from now for ttl.
func Sign(keys *Keys, c Claims, ttl time.Duration, now time.Time) (string, error) {
	if c.Subject == "" || c.Audience == "" || ttl <= 0 {
		return "", errors.New("auth: a token needs a subject, an audience and a lifetime")
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, wireClaims{
		Roles: c.Roles,
		Payer: c.Payer,
		RegisteredClaims: jwt.RegisteredClaims{
			Subject:   c.Subject,
			Audience:  jwt.ClaimStrings{c.Audience},
			ID:        c.ID,
			IssuedAt:  jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
	})
	token.Header["kid"] = keys.active
	signed, err := token.SignedString(keys.secrets[keys.active])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}

// Verify returns what a token says if it was signed with one of the keys, is
// for the audience and has not expired at now; otherwise ErrBadToken.
func Verify(keys *Keys, audience, token string, now time.Time) (Claims, error) {
	if len(token) > maxBearerBytes {
		return Claims{}, ErrBadToken
	}
	if c, ok := keys.verified.find(audience, token, now); ok {
		return c, nil
	}
	var w wireClaims
	_, err := jwt.ParseWithClaims(token, &w, keys.find,
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	if err != nil {
		return Claims{}, ErrBadToken.Wrap(err)
	}
	if w.Subject == "" {
		return Claims{}, ErrBadToken
	}
	c := Claims{Subject: w.Subject, Audience: audience, ID: w.ID, Roles: w.Roles, Payer: w.Payer}
	from, until := w.span()
	keys.verified.remember(&goodToken{token: token, audience: audience, from: from, until: until, claims: c})
	return c, nil
}

// span is when a token is good, as the parser sees it: it requires an expiry and checks the other two if
// they are there.
func (w *wireClaims) span() (from, until time.Time) {
	for _, at := range []*jwt.NumericDate{w.IssuedAt, w.NotBefore} {
		if at != nil && at.Add(-leeway).After(from) {
			from = at.Add(-leeway)
		}
	}
	return from, w.ExpiresAt.Add(leeway)
}

func (k *Keys) find(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	secret, ok := k.secrets[kid]
	if !ok {
		return nil, errors.New("unknown key id")
	}
	return secret, nil
}

// Authenticate returns a verifier of bearer tokens for one audience; the
// principal's kind is the audience.
func (k *Keys) Authenticate(audience string) func(*http.Request) (Principal, error) {
	return func(r *http.Request) (Principal, error) {
		token, err := Bearer(r)
		if err != nil {
			return Principal{}, err
		}
		c, err := Verify(k, audience, token, time.Now())
		if err != nil {
			return Principal{}, err
		}
		return Principal{Kind: audience, ID: c.Subject, Roles: c.Roles, Token: c.ID, Payer: c.Payer}, nil
	}
}
