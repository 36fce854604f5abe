package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// ErrShareToken is the fault of a share token that was changed, cut or signed
// with a key that is gone.
var ErrShareToken = fault.New(fault.Invalid, "share_token_invalid", "the share link is damaged; ask for it again")

const (
	// MaxShareToken bounds a share token in characters: it travels in links and
	// QR codes.
	MaxShareToken = 160
	// shareTagBytes is 128 bits of HMAC: no forgery within reach, and it keeps
	// the QR code small.
	shareTagBytes = 16
	// shareVersion is the first byte; another layout takes another number.
	shareVersion = 1
	// shareDomain keeps a share token's tag apart from any other use of the key.
	shareDomain = "qingcang/share\x00"
)

// ShareToken says which owner shared which style of which campaign. Whoever
// buys through it is attributed to the owner. It is signed, not secret.
type ShareToken struct {
	ShareID, Owner, Campaign, Style string
}

// EncodeShare writes and signs a share token, at most MaxShareToken characters
// of base64url: with TypeIDs and a UUID there is room for a style of 32 bytes.
func EncodeShare(keys *Keys, t ShareToken) (string, error) {
	raw := []byte{shareVersion}
	for _, part := range []string{keys.active, t.ShareID, t.Owner, t.Campaign, t.Style} {
		if part == "" || len(part) > maxSharePart {
			return "", errors.New("auth: each part of a share token has 1 to 63 bytes")
		}
		raw = appendPart(raw, part)
	}
	raw = append(raw, shareTag(keys.secrets[keys.active], raw)...)
	token := base64.RawURLEncoding.EncodeToString(raw)
	if len(token) > MaxShareToken {
		return "", errors.New("auth: the share token is longer than a link should carry")
	}
	return token, nil
}

// DecodeShare returns what a share token says, or ErrShareToken.
func DecodeShare(keys *Keys, token string) (ShareToken, error) {
	if len(token) > MaxShareToken {
		return ShareToken{}, ErrShareToken
	}
	// Strict refuses the unused bits of the last character: without it the last
	// character could be changed unnoticed.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 1+shareTagBytes || raw[0] != shareVersion {
		return ShareToken{}, ErrShareToken
	}
	body, tag := raw[:len(raw)-shareTagBytes], raw[len(raw)-shareTagBytes:]
	var parts [5]string
	rest := body[1:]
	for i := range parts {
		part, after, ok := cutPart(rest)
		if !ok {
			return ShareToken{}, ErrShareToken
		}
		parts[i], rest = part, after
	}
	secret, known := keys.secrets[parts[0]]
	if !known || len(rest) != 0 || !hmac.Equal(tag, shareTag(secret, body)) {
		return ShareToken{}, ErrShareToken
	}
	return ShareToken{ShareID: parts[1], Owner: parts[2], Campaign: parts[3], Style: parts[4]}, nil
}

func shareTag(secret, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(shareDomain))
	mac.Write(body)
	return mac.Sum(nil)[:shareTagBytes]
}
