module github.com/qingcang/qingcang/services/order

go 1.26.0
