module github.com/qingcang/qingcang/hack

go 1.26.0

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/failsafe-go/failsafe-go v0.9.8 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/oapi-codegen/runtime v1.8.0 // indirect
	go.mongodb.org/mongo-driver/v2 v2.9.3 // indirect
)
