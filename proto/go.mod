module github.com/qingcang/qingcang/proto

go 1.26.0

require (
	github.com/segmentio/kafka-go v0.4.51
	google.golang.org/protobuf v1.36.12
)
