package auth_test

import (
	"errors"
	"testing"

	"github.com/qingcang/qingcang/services/internal/auth"
)

// What was sealed for one holder opens for that holder and as it was written, and for nobody else.
func FuzzOpenSubject(f *testing.F) {
	keys := keysOf(f, "k1", "k2")
	// Not sealed here: each worker of the fuzzer would have one of its own.
	const sealed = "k1.wGGjB_DinMnP7Y8C-UEUmY28fTBgSMbNCDIT_gbpIQefMWs"
	f.Add("per_1", sealed)
	f.Add("per_2", sealed)
	f.Add("per_1", "k2."+sealed[len("k1."):])
	f.Add("per_1", sealed[:10])
	f.Add("", "k1.")
	f.Fuzz(func(t *testing.T, holder, text string) {
		subject, err := auth.OpenSubject(keys, holder, text)
		switch {
		case err == nil && (holder != "per_1" || text != sealed || subject != "oOpenID"):
			t.Fatalf("%q opens for %q as %q", text, holder, subject)
		case err != nil && !errors.Is(err, auth.ErrBadToken):
			t.Fatalf("%q: %v", text, err)
		}
	})
}

// A share is credited to exactly whom it names, however its parts are written.
func FuzzShareComesBack(f *testing.F) {
	keys := keysOf(f, "k1")
	f.Add("share_01h455vb4pex5vsknk084sn02q", "mem_01h455vb4pex5vsknk084sn02q", "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11", "A1")
	f.Add("s", "o", "c", "款号")
	f.Add("mem_", "8C0C2F1E-7B7E-4A63-9F0E-0E6F2B8E2D11", "_01h455vb4pex5vsknk084sn02q", "\x00")
	f.Fuzz(func(t *testing.T, share, owner, campaign, style string) {
		want := auth.ShareToken{ShareID: share, Owner: owner, Campaign: campaign, Style: style}
		token, err := auth.EncodeShare(keys, want)
		if err != nil {
			return
		}
		if got, err := auth.DecodeShare(keys, token); err != nil || got != want {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
	})
}
