package httpapi

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/qingcang/qingcang/services/order/internal/app"
)

// Bounds of an order, which openapi.yaml states; a fuzz test holds the two together.
const (
	maxName       = 64
	minKey        = 8
	maxKey        = 64
	maxLines      = 500
	maxUnits      = 1_000_000
	maxShareToken = 160
	addressPrefix = "addr_"
	addressBytes  = len(addressPrefix) + 26
)

// errShape says only that a body is not an order: the contract's validator finds the words.
var errShape = errors.New("not an order")

// orderDecoder reads the body of an order strictly: each name at most once, none that the contract does
// not have, every value of its type and within its bounds, and nothing behind the end.
type orderDecoder struct {
	json   *jsontext.Decoder
	source bytes.Buffer
	text   []byte // of the last string that had escapes in it
}

var orderDecoders = sync.Pool{New: func() any { return &orderDecoder{json: jsontext.NewDecoder(&bytes.Buffer{})} }}

// decodeOrder fills in what the body says of an order.
func decodeOrder(body []byte, o *app.PlaceOrder) error {
	d, _ := orderDecoders.Get().(*orderDecoder)
	defer orderDecoders.Put(d)
	d.source = *bytes.NewBuffer(body)
	d.json.Reset(&d.source)
	if err := d.order(o); err != nil {
		return err
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return errShape
	}
	return nil
}

func (d *orderDecoder) order(o *app.PlaceOrder) error {
	if err := d.open('{'); err != nil {
		return err
	}
	var address, lines bool
	for d.json.PeekKind() != '}' {
		name, err := d.string()
		if err != nil {
			return err
		}
		switch string(name) {
		case "addressId":
			address = true
			o.AddressID, err = d.address()
		case "lines":
			lines = true
			o.Lines, err = d.lines()
		case "shareToken":
			o.ShareToken, err = d.name(0, maxShareToken)
		case "takeWhatFits":
			o.TakeWhatFits, err = d.bool()
		default:
			return errShape
		}
		if err != nil {
			return err
		}
	}
	if !address || !lines {
		return errShape
	}
	return d.close()
}

func (d *orderDecoder) lines() ([]app.OrderLine, error) {
	if err := d.open('['); err != nil {
		return nil, err
	}
	var lines []app.OrderLine
	for d.json.PeekKind() != ']' {
		line, err := d.line()
		if err != nil {
			return nil, err
		}
		if lines = append(lines, line); len(lines) > maxLines {
			return nil, errShape
		}
	}
	if len(lines) == 0 {
		return nil, errShape
	}
	return lines, d.close()
}

func (d *orderDecoder) line() (line app.OrderLine, err error) {
	if err := d.open('{'); err != nil {
		return line, err
	}
	for d.json.PeekKind() != '}' {
		name, err := d.string()
		if err != nil {
			return line, err
		}
		switch string(name) {
		case "sku":
			line.SKU, err = d.name(1, maxName)
		case "units":
			line.Units, err = d.units()
		default:
			return line, errShape
		}
		if err != nil {
			return line, err
		}
	}
	if line.SKU == "" || line.Units == 0 { // neither may be, so they were not there
		return line, errShape
	}
	return line, d.close()
}

// open reads the beginning of an object or array.
func (d *orderDecoder) open(kind jsontext.Kind) error {
	token, err := d.json.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != kind {
		return errShape
	}
	return nil
}

// close reads the end that PeekKind saw.
func (d *orderDecoder) close() error {
	_, err := d.json.ReadToken()
	return err
}

// string reads a string. It is valid until the next is read.
func (d *orderDecoder) string() ([]byte, error) {
	raw, err := d.value('"')
	if err != nil {
		return nil, err
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	d.text, err = jsontext.AppendUnquote(d.text[:0], raw)
	return d.text, err
}

// name reads a string of so many characters.
func (d *orderDecoder) name(atLeast, atMost int) (string, error) {
	s, err := d.string()
	if err != nil {
		return "", err
	}
	if n := utf8.RuneCount(s); n < atLeast || n > atMost {
		return "", errShape
	}
	return string(s), nil
}

func (d *orderDecoder) address() (string, error) {
	s, err := d.string()
	if err != nil {
		return "", err
	}
	if len(s) != addressBytes || string(s[:len(addressPrefix)]) != addressPrefix {
		return "", errShape
	}
	for _, c := range s[len(addressPrefix):] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return "", errShape
		}
	}
	return string(s), nil
}

func (d *orderDecoder) units() (int64, error) {
	raw, err := d.value('0')
	if err != nil {
		return 0, err
	}
	units, err := strconv.ParseInt(string(raw), 10, 64) // 1.0 and 1e2 are no integers to Go's decoder either
	if err != nil || units < 1 || units > maxUnits {
		return 0, errShape
	}
	return units, nil
}

func (d *orderDecoder) bool() (bool, error) {
	token, err := d.json.ReadToken()
	if err != nil {
		return false, err
	}
	switch token.Kind() {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	default:
		return false, errShape
	}
}

// value reads a string or a number as it is written.
func (d *orderDecoder) value(kind jsontext.Kind) (jsontext.Value, error) {
	if d.json.PeekKind() != kind { // not read: it may be a large object
		return nil, errShape
	}
	return d.json.ReadValue()
}

// goodKey reports whether a key is one that the contract allows.
func goodKey(key string) bool {
	if len(key) < minKey || len(key) > maxKey {
		return false
	}
	for _, c := range []byte(key) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func goodUID(uid string) bool { return uid != "" && utf8.RuneCountInString(uid) <= maxName }
