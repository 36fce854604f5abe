// Package wechatpay takes and returns money through WeChat Pay (API v3, JSAPI):
// it signs requests, verifies replies and notices, and gives errors a kind. It
// keeps no state: whether a notice was seen before is the journal's business,
// and so is whether its amount is the right one.
package wechatpay

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/signers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/validators"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"github.com/qingcang/qingcang/services/internal/rewrite"
)

// Host is where WeChat Pay is; a simulator stands in for it.
const Host = "api.mch.weixin.qq.com"

// apiV3KeyBytes is the size of the key that notices are encrypted with.
const apiV3KeyBytes = 32

// Config is the merchant's account. Keys are in files.
type Config struct {
	// MchID is the merchant, AppID the public account whose page pays.
	MchID string `env:"WECHATPAY_MCH_ID,required,notEmpty"`
	AppID string `env:"WECHATPAY_APP_ID,required,notEmpty"`
	// CertSerial is the serial number of the merchant's certificate, PrivateKeyFile
	// its PEM private key (PKCS #8).
	CertSerial     string `env:"WECHATPAY_CERT_SERIAL,required,notEmpty"`
	PrivateKeyFile string `env:"WECHATPAY_PRIVATE_KEY_FILE,required,notEmpty"`
	// APIV3KeyFile holds the 32 characters that notices are encrypted with.
	APIV3KeyFile string `env:"WECHATPAY_APIV3_KEY_FILE,required,notEmpty"`
	// PlatformPublicKeyFile is WeChat Pay's PEM public key and
	// PlatformPublicKeyID its id ("PUB_KEY_ID_…").
	PlatformPublicKeyFile string `env:"WECHATPAY_PLATFORM_PUBLIC_KEY_FILE,required,notEmpty"`
	PlatformPublicKeyID   string `env:"WECHATPAY_PLATFORM_PUBLIC_KEY_ID,required,notEmpty"`
	// NotifyURL is where WeChat Pay sends notices; https, except to a simulator.
	NotifyURL string `env:"WECHATPAY_NOTIFY_URL,required,notEmpty"`
}

// Client talks to WeChat Pay for one merchant. It is safe for concurrent use.
type Client struct {
	mchID, appID, notifyURL string
	apiV3Key                string
	core                    *core.Client
	// files signs requests too, and reads long replies, which WeChat Pay does not
	// sign: each has a hash in a reply that is signed.
	files   *core.Client
	notices *validators.WechatPayNotifyValidator
}

// New reads the keys and returns a client. It sends nothing.
func New(cfg Config, outside rewrite.Config) (*Client, error) {
	httpClient, err := outside.Client(Host)
	if err != nil {
		return nil, err
	}
	downloads, err := outside.Downloads(billTimeout, maxBillBytes, Host)
	if err != nil {
		return nil, err
	}
	keys, err := cfg.load()
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(cfg.NotifyURL)
	if err != nil || target.Host == "" || (target.Scheme != "https" && !outside.Simulated()) {
		return nil, fmt.Errorf("WECHATPAY_NOTIFY_URL is %q; an https URL is wanted", cfg.NotifyURL)
	}
	return newClient(cfg, keys, httpClient, downloads)
}

type keys struct {
	merchant *rsa.PrivateKey
	platform *rsa.PublicKey
	apiV3    string
}

func (cfg Config) load() (keys, error) {
	merchant, err := utils.LoadPrivateKeyWithPath(cfg.PrivateKeyFile)
	if err != nil {
		return keys{}, fmt.Errorf("WECHATPAY_PRIVATE_KEY_FILE: %w", err)
	}
	platform, err := utils.LoadPublicKeyWithPath(cfg.PlatformPublicKeyFile)
	if err != nil {
		return keys{}, fmt.Errorf("WECHATPAY_PLATFORM_PUBLIC_KEY_FILE: %w", err)
	}
	content, err := os.ReadFile(cfg.APIV3KeyFile)
	if err != nil {
		return keys{}, fmt.Errorf("WECHATPAY_APIV3_KEY_FILE: %w", err)
	}
	apiV3 := strings.TrimSpace(string(content))
	if len(apiV3) != apiV3KeyBytes {
		return keys{}, errors.New("WECHATPAY_APIV3_KEY_FILE: 32 characters are wanted")
	}
	return keys{merchant: merchant, platform: platform, apiV3: apiV3}, nil
}

func newClient(cfg Config, k keys, httpClient, downloads *http.Client) (*Client, error) {
	verifier := verifiers.NewSHA256WithRSAPubkeyVerifier(cfg.PlatformPublicKeyID, *k.platform)
	settings := core.DialSettings{
		HTTPClient: httpClient,
		Signer:     &signers.SHA256WithRSASigner{MchID: cfg.MchID, CertificateSerialNo: cfg.CertSerial, PrivateKey: k.merchant},
		Validator:  validators.NewWechatPayResponseValidator(verifier),
	}
	// The library takes a context here and ignores it.
	client, err := core.NewClientWithDialSettings(context.Background(), &settings)
	if err != nil {
		return nil, fmt.Errorf("wechatpay: %w", err)
	}
	settings.HTTPClient, settings.Validator = downloads, &validators.NullValidator{}
	files, err := core.NewClientWithDialSettings(context.Background(), &settings)
	if err != nil {
		return nil, fmt.Errorf("wechatpay: %w", err)
	}
	return &Client{
		mchID: cfg.MchID, appID: cfg.AppID, notifyURL: cfg.NotifyURL, apiV3Key: k.apiV3,
		core: client, files: files, notices: validators.NewWechatPayNotifyValidator(verifier),
	}, nil
}
