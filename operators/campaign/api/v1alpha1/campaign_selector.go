package v1alpha1

// Selector describes goods of the brand's approved stock.
//
// +kubebuilder:validation:XValidation:rule="has(self.styles) || has(self.seasons) || has(self.categories)",message="selector must name styles, seasons or categories, else all that the brand ever got approved would be on sale: give at least one of them"
type Selector struct {
	// Styles are style numbers (款号) as in the brand's stock file, for example
	// ["PB-2291", "PB-2304"], at most 200. A style of which the brand has no
	// approved stock is named by StyleNotFound, and nothing is resolved until it
	// is there: a misspelt number is not to go unnoticed.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=200
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	Styles []string `json:"styles,omitempty"`

	// Seasons are seasons as in the brand's stock file, for example ["2025
	// autumn", "2025 winter"], at most 20.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	Seasons []string `json:"seasons,omitempty"`

	// Categories are categories as in the brand's stock file, for example
	// ["coats", "knitwear"], at most 50.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	Categories []string `json:"categories,omitempty"`

	// Price makes the selling price of each of the goods of its tag price (吊牌价).
	// With tagBps 3000 and roundUpToFen 100 a coat of ¥899 costs ¥270: 30% is
	// ¥269.70, rounded up to whole yuan.
	//
	// A price is never under the settlement price plus the commission; where the
	// rule comes to less, that sum, rounded up alike, is the price. Goods for
	// which it would be over the tag price are left out.
	//
	// +required
	Price PriceRule `json:"price"`

	// MaxUnitsPerSKU caps the units of each SKU, for example 500. Left out: all
	// units that are free in the brand's pool when the selector is resolved, at
	// most 1,000,000.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MaxUnitsPerSKU int64 `json:"maxUnitsPerSku,omitempty"`
}

// PriceRule makes a selling price of a tag price.
type PriceRule struct {
	// TagBps is the part of the tag price in basis points, 1 to 10,000, for
	// example 3000 for 30%.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	TagBps int32 `json:"tagBps"`

	// RoundUpToFen rounds each price up to a multiple, in fen, 1 to 100,000: 100,
	// the default, to whole yuan, 10 to ¥0.10, 1 not at all.
	//
	// +optional
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	RoundUpToFen int64 `json:"roundUpToFen,omitempty"`
}
