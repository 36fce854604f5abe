module github.com/qingcang/qingcang/proto

go 1.26.0
