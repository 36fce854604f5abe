module github.com/qingcang/qingcang/services/catalog

go 1.26.0
