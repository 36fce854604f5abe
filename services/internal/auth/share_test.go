package auth_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

func shareKeys(t *testing.T, kid string) *auth.Keys {
	t.Helper()
	keys, err := auth.NewKeys(map[string][]byte{kid: []byte(strings.Repeat("s", 32))}, kid)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestAShareTokenSaysWhatWasPutIn(t *testing.T) {
	for name, want := range map[string]auth.ShareToken{
		"real ids and the longest style fit": {
			ShareID: ids.New("share"), Owner: ids.New("per"),
			Campaign: "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11", Style: strings.Repeat("9", 32),
		},
		"an upper-case UUID keeps its case": {
			ShareID: ids.New("share"), Owner: ids.New("per"),
			Campaign: "8C0C2F1E-7B7E-4A63-9F0E-0E6F2B8E2D11", Style: "A1",
		},
		"plain words stay plain": {ShareID: "s", Owner: "o", Campaign: "c", Style: "款号"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := shareKeys(t, "key20261")
			token, err := auth.EncodeShare(keys, want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := auth.DecodeShare(keys, token)
			if err != nil || got != want {
				t.Fatalf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestAShareTokenWithOneCharacterChangedIsRefused(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=. "
	keys := shareKeys(t, "k1")
	token, err := auth.EncodeShare(keys, auth.ShareToken{
		ShareID: ids.New("share"), Owner: ids.New("per"),
		Campaign: "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11", Style: "A2045",
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(token) {
		for _, c := range alphabet {
			changed := token[:i] + string(c) + token[i+1:]
			if changed == token {
				continue
			}
			if _, err := auth.DecodeShare(keys, changed); err == nil || fault.KindOf(err) != fault.Invalid {
				t.Fatalf("character %d changed to %q: got %v, want a fault of the kind invalid", i, c, err)
			}
		}
	}
}

func TestAnyBytesAsAShareTokenAreRefusedWithoutAPanic(t *testing.T) {
	keys := shareKeys(t, "k1")
	rapid.Check(t, func(t *rapid.T) {
		if _, err := auth.DecodeShare(keys, rapid.String().Draw(t, "token")); err == nil {
			t.Fatal("a token that nobody signed was taken")
		}
	})
}
