// Package wechatlogin exchanges the code of WeChat's web log-in (official accounts, OAuth 2.0,
// scope snsapi_base) for the openid of who logged in.
//
// It is one GET, written here: the library that covers the whole of WeChat's interface sends it
// through a client that is global to the process, and puts the request's URL, which holds the
// account's secret, into its errors, hence into logs.
package wechatlogin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/rewrite"
)

// Host is where WeChat's log-in is; a simulator stands in for it.
const Host = "api.weixin.qq.com"

// maxOpenID bounds an openid; WeChat's have 28 characters.
const maxOpenID = 64

// The faults of a log-in.
var (
	ErrCode        = fault.New(fault.Unauthenticated, "bad_login_code", "WeChat does not take this log-in code; it works once and for five minutes")
	ErrUnavailable = fault.New(fault.Unavailable, "login_unavailable", "WeChat's log-in did not answer; try again soon").RetryAfter(2)
)

// Config is the official account.
type Config struct {
	AppID      string `env:"WECHAT_LOGIN_APP_ID,required,notEmpty"`
	SecretFile string `env:"WECHAT_LOGIN_SECRET_FILE,required,notEmpty"`
}

// Client exchanges codes. It is safe for concurrent use.
type Client struct {
	appID, secret string
	http          *http.Client
}

// New reads the secret and returns a client. It sends nothing.
func New(cfg Config, outside rewrite.Config) (*Client, error) {
	content, err := os.ReadFile(cfg.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("WECHAT_LOGIN_SECRET_FILE: %w", err)
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return nil, errors.New("WECHAT_LOGIN_SECRET_FILE is empty")
	}
	client, err := outside.Client(Host) // with a timeout and bounded replies
	if err != nil {
		return nil, err
	}
	return &Client{appID: cfg.AppID, secret: secret, http: client}, nil
}

// answer is WeChat's: an openid, or an error code with status 200. The access token in it is not
// wanted and not read.
type answer struct {
	OpenID  string `json:"openid"`
	ErrCode int    `json:"errcode"`
}

// Exchange returns the openid of who got the code, or ErrCode.
func (c *Client) Exchange(ctx context.Context, code string) (openID string, err error) {
	target := url.URL{
		Scheme: "https", Host: Host, Path: "/sns/oauth2/access_token",
		RawQuery: url.Values{
			"appid": {c.appID}, "secret": {c.secret}, "code": {code}, "grant_type": {"authorization_code"},
		}.Encode(),
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return "", errors.New("wechatlogin: the request cannot be made") // err holds the URL
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", ErrUnavailable.Wrap(withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", ErrUnavailable.Wrap(fmt.Errorf("WeChat's log-in answered %d", response.StatusCode))
	}
	var a answer
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return "", ErrUnavailable.Wrap(errors.New("WeChat's log-in answered no JSON"))
	}
	return a.OpenID, a.fault()
}

func (a answer) fault() error {
	cause := fmt.Errorf("WeChat's log-in answered errcode %d", a.ErrCode)
	switch a.ErrCode {
	case 0:
		if a.OpenID == "" || len(a.OpenID) > maxOpenID {
			return ErrUnavailable.Wrap(errors.New("WeChat's log-in answered no openid"))
		}
		return nil
	case 40029, 40163, 41008, 42003: // invalid, used, missing, expired code
		return ErrCode.Wrap(cause)
	case -1, 45009, 45011: // busy, over the quota, called too often
		return ErrUnavailable.Wrap(cause)
	default:
		return fmt.Errorf("log in: %w", cause) // our app id or secret is wrong
	}
}

// withoutURL takes the URL out of an error of net/http: it holds the secret and the code.
func withoutURL(err error) error {
	var inURL *url.Error
	if errors.As(err, &inURL) {
		return inURL.Err
	}
	return err
}
