module github.com/qingcang/qingcang/services/fulfilment

go 1.26.0

require (
	github.com/gin-gonic/gin v1.12.0
	github.com/oapi-codegen/runtime v1.8.0
	github.com/qingcang/qingcang/proto v0.0.0
	github.com/qingcang/qingcang/services/internal v0.0.0
	golang.org/x/text v0.43.0
	google.golang.org/protobuf v1.36.12
	pgregory.net/rapid v1.3.0
)

replace (
	github.com/qingcang/qingcang/proto => ../../proto
	github.com/qingcang/qingcang/services/internal => ../internal
)
