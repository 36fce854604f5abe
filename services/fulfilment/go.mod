module github.com/qingcang/qingcang/services/fulfilment

go 1.26.0
