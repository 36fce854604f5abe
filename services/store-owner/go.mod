module github.com/qingcang/qingcang/services/store-owner

go 1.26.0

require (
	github.com/getkin/kin-openapi v0.152.0
	github.com/gin-gonic/gin v1.12.0
	github.com/oapi-codegen/runtime v1.8.0
)

replace (
	github.com/qingcang/qingcang/proto => ../../proto
	github.com/qingcang/qingcang/services/internal => ../internal
)
