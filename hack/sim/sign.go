package main

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// The signature scheme is WeChat Pay's APIv3: RSA-SHA256 over lines that each end in a newline.
// https://pay.weixin.qq.com/doc/v3/merchant/4012365342 (requests), /4013053249 (answers, notices).

var credential = regexp.MustCompile(`(\w+)="([^"]*)"`)

var errSignature = errors.New("the signature is wrong")

// verifyRequest checks a merchant's Authorization header over the request and its body.
func verifyRequest(r *http.Request, body []byte, merchant *rsa.PublicKey) error {
	values := map[string]string{}
	for _, m := range credential.FindAllStringSubmatch(r.Header.Get("Authorization"), 8) {
		values[m[1]] = m[2]
	}
	stamp, err := strconv.ParseInt(values["timestamp"], 10, 64)
	if err != nil || time.Since(time.Unix(stamp, 0)).Abs() > 5*time.Minute || values["serial_no"] != merchantSerial {
		return errSignature
	}
	signature, err := base64.StdEncoding.DecodeString(values["signature"])
	if err != nil {
		return errSignature
	}
	message := r.Method + "\n" + r.URL.RequestURI() + "\n" + values["timestamp"] + "\n" + values["nonce_str"] + "\n" + string(body) + "\n"
	sum := sha256.Sum256([]byte(message))
	if rsa.VerifyPKCS1v15(merchant, crypto.SHA256, sum[:], signature) != nil {
		return errSignature
	}
	return nil
}

// signBody sets the headers that prove that an answer or a notice is the platform's.
func signBody(header http.Header, body []byte, platform *rsa.PrivateKey) error {
	stamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), randomHex(16)
	sum := sha256.Sum256([]byte(stamp + "\n" + nonce + "\n" + string(body) + "\n"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, platform, crypto.SHA256, sum[:])
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	header.Set("Wechatpay-Timestamp", stamp)
	header.Set("Wechatpay-Nonce", nonce)
	header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	header.Set("Wechatpay-Serial", publicKeyID)
	header.Set("Request-ID", randomHex(16))
	return nil
}

// encrypted is the resource of a notice: AES-256-GCM under the merchant's APIv3 key.
type encrypted struct {
	Algorithm      string `json:"algorithm"`
	Ciphertext     string `json:"ciphertext"`
	AssociatedData string `json:"associated_data"`
	Nonce          string `json:"nonce"`
	OriginalType   string `json:"original_type"`
}

func encrypt(plaintext, key []byte, kind string) (encrypted, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return encrypted{}, fmt.Errorf("encrypt a notice: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return encrypted{}, fmt.Errorf("encrypt a notice: %w", err)
	}
	nonce := randomHex(6) // 12 characters, used as they stand
	sealed := gcm.Seal(nil, []byte(nonce), plaintext, []byte(kind))
	return encrypted{
		Algorithm: "AEAD_AES_256_GCM", Ciphertext: base64.StdEncoding.EncodeToString(sealed),
		AssociatedData: kind, Nonce: nonce, OriginalType: kind,
	}, nil
}

func randomHex(n int) string {
	raw := make([]byte, n)
	if _, err := io.ReadFull(rand.Reader, raw); err != nil {
		panic(err) // the machine has no randomness: nothing here can work
	}
	return hex.EncodeToString(raw)
}
