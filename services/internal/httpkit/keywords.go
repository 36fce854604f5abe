package httpkit

import (
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"
)

// knowsKeywords refuses a contract whose requests use keywords of JSON Schema
// 2020-12 that the validator of OpenAPI 3.0 passes over in silence.
func knowsKeywords(doc *openapi3.T) error {
	seen := map[*openapi3.Schema]bool{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for _, ref := range requestSchemas(item, operation) {
				if keyword := unknownKeyword(ref, seen); keyword != "" {
					return fmt.Errorf("%s %s: the keyword %s is not validated here", method, path, keyword)
				}
			}
		}
	}
	return nil
}

func requestSchemas(item *openapi3.PathItem, operation *openapi3.Operation) []*openapi3.SchemaRef {
	var refs []*openapi3.SchemaRef
	for _, parameters := range []openapi3.Parameters{item.Parameters, operation.Parameters} {
		for _, p := range parameters {
			refs = append(refs, p.Value.Schema)
		}
	}
	if operation.RequestBody != nil {
		for _, media := range operation.RequestBody.Value.Content {
			refs = append(refs, media.Schema)
		}
	}
	return refs
}

func unknownKeyword(ref *openapi3.SchemaRef, seen map[*openapi3.Schema]bool) string {
	if ref == nil || ref.Value == nil || seen[ref.Value] {
		return ""
	}
	s := ref.Value
	seen[s] = true
	for keyword, used := range map[string]bool{
		"const":             s.Const != nil,
		"contains":          s.Contains != nil,
		"patternProperties": len(s.PatternProperties) > 0,
		"propertyNames":     s.PropertyNames != nil,
		"if":                s.If != nil,
		"dependentRequired": len(s.DependentRequired) > 0,
		"dependentSchemas":  len(s.DependentSchemas) > 0,
	} {
		if used {
			return keyword
		}
	}
	parts := []*openapi3.SchemaRef{s.Items, s.Not, s.AdditionalProperties.Schema}
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf, s.PrefixItems} {
		parts = append(parts, list...)
	}
	for _, property := range s.Properties {
		parts = append(parts, property)
	}
	for _, part := range parts {
		if keyword := unknownKeyword(part, seen); keyword != "" {
			return keyword
		}
	}
	return ""
}
