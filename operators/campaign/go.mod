module github.com/qingcang/qingcang/operators/campaign

go 1.26.0
