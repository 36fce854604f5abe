package auth

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/keyfile"
)

func sealKeys(t *testing.T, active string) *Keys {
	t.Helper()
	keys, err := NewKeys(map[string][]byte{
		"k1": bytes.Repeat([]byte{1}, keyfile.MinSecretBytes),
		"k2": bytes.Repeat([]byte{2}, keyfile.MinSecretBytes),
	}, active)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestSealedSubject(t *testing.T) {
	keys := sealKeys(t, "k1")
	sealed, err := SealSubject(keys, "per_1", "oOpenID")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(sealed, ".")
	flipped := "A"
	if body[0] == 'A' {
		flipped = "B"
	}
	cases := map[string]struct {
		keys           *Keys
		holder, sealed string
		want           string
		wantErr        error
	}{
		"its holder's token opens it":                       {keys, "per_1", sealed, "oOpenID", nil},
		"it opens after the key was rotated":                {sealKeys(t, "k2"), "per_1", sealed, "oOpenID", nil},
		"it cannot be moved into another holder's token":    {keys, "per_2", sealed, "", ErrBadToken},
		"one changed character is noticed":                  {keys, "per_1", "k1." + flipped + body[1:], "", ErrBadToken},
		"a cut one is refused":                              {keys, "per_1", sealed[:8], "", ErrBadToken},
		"an unknown key is refused":                         {keys, "per_1", "k9." + body, "", ErrBadToken},
		"nothing at all is refused":                         {keys, "per_1", "", "", ErrBadToken},
		"what never was a sealed subject costs no decoding": {keys, "per_1", "k1." + strings.Repeat("A", 1<<20), "", ErrBadToken},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := OpenSubject(c.keys, c.holder, c.sealed)
			if got != c.want || !errors.Is(err, c.wantErr) {
				t.Fatalf("got %q, %v; want %q, %v", got, err, c.want, c.wantErr)
			}
		})
	}
}

func TestTokenCarriesTheSealedPayer(t *testing.T) {
	keys, now := sealKeys(t, "k1"), time.Unix(1_700_000_000, 0)
	token, err := Sign(keys, Claims{Subject: "per_1", Audience: Buyer, Payer: "k1.sealed"}, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := Verify(keys, Buyer, token, now)
	if err != nil || claims.Payer != "k1.sealed" {
		t.Fatalf("got %+v, %v", claims, err)
	}
}
