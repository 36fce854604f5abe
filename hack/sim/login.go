package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
)

var loginCode = regexp.MustCompile(`^code-([A-Za-z0-9_.-]{1,64})$`)

// login answers the code exchange of WeChat's web authorisation (网页授权). The code "code-NAME"
// is the user NAME, as often as it is used; WeChat's own are good for one use.
func login(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	match := loginCode.FindStringSubmatch(query.Get("code"))
	switch {
	case query.Get("grant_type") != "authorization_code" || query.Get("appid") == "" || query.Get("secret") == "":
		writeJSON(w, http.StatusOK, map[string]any{"errcode": 40013, "errmsg": "invalid appid"})
	case match == nil:
		writeJSON(w, http.StatusOK, map[string]any{"errcode": 40029, "errmsg": "invalid code"})
	default:
		sum := sha256.Sum256([]byte(match[1]))
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": "simulated", "expires_in": 7200, "refresh_token": "simulated", "scope": "snsapi_base",
			"openid": "o" + base64.RawURLEncoding.EncodeToString(sum[:])[:27],
		})
	}
}
