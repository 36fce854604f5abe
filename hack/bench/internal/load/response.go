package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

var errChunked = errors.New("the answer has no Content-Length: the generator reads no other kind")

var (
	headEnd       = []byte("\r\n\r\n")
	contentLength = []byte("\r\nContent-Length: ")
)

// parse looks for one whole answer at the beginning of data. It returns the status and where the
// answer ends; size is 0 while it is not whole.
func parse(data []byte) (status, head, size int, err error) {
	end := bytes.Index(data, headEnd)
	if end < 0 {
		return 0, 0, 0, nil
	}
	if end < len("HTTP/1.1 200") {
		return 0, 0, 0, fmt.Errorf("not an HTTP answer: %q", data[:end])
	}
	status, err = strconv.Atoi(string(data[9:12]))
	if err != nil {
		return 0, 0, 0, fmt.Errorf("not an HTTP status: %q", data[:12])
	}
	at := bytes.Index(data[:end+2], contentLength)
	if at < 0 {
		return 0, 0, 0, errChunked
	}
	length := 0
	for _, c := range data[at+len(contentLength):] {
		if c < '0' || c > '9' {
			break
		}
		length = 10*length + int(c-'0')
	}
	head = end + len(headEnd)
	if len(data) < head+length {
		return 0, 0, 0, nil
	}
	return status, head, head + length, nil
}
