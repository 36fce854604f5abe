module github.com/qingcang/qingcang/hack

go 1.26.0
