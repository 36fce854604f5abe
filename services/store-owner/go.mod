module github.com/qingcang/qingcang/services/store-owner

go 1.26.0
