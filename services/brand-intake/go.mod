module github.com/qingcang/qingcang/services/brand-intake

go 1.26.0
