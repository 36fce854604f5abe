package auth

import (
	"encoding/hex"

	"go.jetify.com/typeid"
)

// A part of a share token begins with a byte that says how it is written: two
// bits for the form, six for a length. Written as text, two TypeIDs and a UUID
// would not leave room for a style in MaxShareToken characters.
const (
	maxSharePart = 0x3f
	formText     = 0x00 // the length of the text, the text
	formTypeID   = 0x40 // the length of the prefix, the prefix, 16 bytes
	formUUID     = 0x80 // 0, 16 bytes
	formMask     = 0xc0
	uuidBytes    = 16
)

func appendPart(raw []byte, part string) []byte {
	if id, err := typeid.FromString(part); err == nil && id.Prefix() != "" && id.String() == part {
		raw = append(raw, formTypeID|byte(len(id.Prefix())))
		raw = append(raw, id.Prefix()...)
		return append(raw, id.UUIDBytes()...)
	}
	if id, ok := parseUUID(part); ok {
		return append(append(raw, formUUID), id...)
	}
	return append(append(raw, formText|byte(len(part))), part...)
}

func cutPart(raw []byte) (part string, rest []byte, ok bool) {
	if len(raw) == 0 {
		return "", nil, false
	}
	form, length, raw := raw[0]&formMask, int(raw[0]&^formMask), raw[1:]
	size := length
	switch form {
	case formTypeID:
		size += uuidBytes
	case formUUID:
		size = uuidBytes
	}
	if len(raw) < size {
		return "", nil, false
	}
	switch form {
	case formText:
		part = string(raw[:size])
	case formUUID:
		part = formatUUID(raw[:size])
	case formTypeID:
		id, err := typeid.FromUUIDBytesWithPrefix(string(raw[:length]), raw[length:size])
		if err != nil {
			return "", nil, false
		}
		part = id.String()
	}
	return part, raw[size:], part != ""
}

// parseUUID reads the canonical form only (8-4-4-4-12, lower case): another
// spelling stays text, so that a token gives back what was put in.
func parseUUID(s string) ([]byte, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return nil, false
	}
	id, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	return id, err == nil && formatUUID(id) == s
}

func formatUUID(id []byte) string {
	s := hex.EncodeToString(id)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
