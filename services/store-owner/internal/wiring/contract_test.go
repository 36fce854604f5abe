package wiring_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/qingcang/qingcang/services/store-owner/internal/httpapi"
)

var contract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := httpapi.GetSpec()
	if err != nil {
		return nil, err
	}
	doc.Servers = nil // any address serves it
	return legacy.NewRouter(doc)
})

// kept fails the test if an answer is not what the contract promises.
func kept(t *testing.T, request *http.Request, response *http.Response, body []byte) {
	t.Helper()
	router, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	route, params, err := router.FindRoute(request)
	if err != nil {
		t.Errorf("%s %s is not in the contract: %v", request.Method, request.URL, err)
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route},
		Status:                 response.StatusCode,
		Header:                 response.Header,
		Body:                   io.NopCloser(bytes.NewReader(body)),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s %s answered what the contract does not have: %v", request.Method, request.URL, err)
	}
}

func TestTheContractAndItsExamplesAreValid(t *testing.T) {
	doc, err := httpapi.GetSpec()
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
}
