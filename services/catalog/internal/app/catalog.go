// Package app lets many look at the shelf while events change it.
package app

import (
	"sync"

	"github.com/qingcang/qingcang/services/catalog/internal/shelf"
)

// Catalog is a shelf for concurrent use.
type Catalog struct {
	mu    sync.RWMutex
	shelf *shelf.Shelf
}

// New returns an empty catalogue.
func New() *Catalog { return &Catalog{shelf: shelf.New()} }

// Learn changes the shelf.
func (c *Catalog) Learn(change func(*shelf.Shelf)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c.shelf)
}

// Look reads the shelf. What the shelf answers may be kept, the shelf itself may not.
func (c *Catalog) Look(look func(*shelf.Shelf)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	look(c.shelf)
}
