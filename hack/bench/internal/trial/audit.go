package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

// Audit is what an independent reader of a system's store found.
type Audit struct {
	// Oversold are units beyond the stock, Undersold those that were left although more was asked for.
	Oversold, Undersold int64
	// Duplicates are orders that count more than once.
	Duplicates int64
	// Lost are orders that were answered with 201 and are not in the store; Unasked the other way.
	Lost, Unasked int64
}

// Faults is the sum of all that must not be.
func (a Audit) Faults() int64 {
	return a.Oversold + a.Undersold + a.Duplicates + a.Lost + a.Unasked
}

// String names what was found.
func (a Audit) String() string {
	return fmt.Sprintf("oversold %d, undersold %d, duplicates %d, lost %d, unasked for %d", a.Oversold, a.Undersold, a.Duplicates, a.Lost, a.Unasked)
}

// sellOutConnections make twice the demand meet the last units at once.
const sellOutConnections = 64

// SellOut asks for twice as many units as there are, sends every order twice at about the same time,
// and compares the answers with the store, order by order.
func SellOut(ctx context.Context, s *systems.System, orders *load.Orders) (Audit, error) {
	sale := systems.Last
	asked := 2 * int(sale.Units)
	result, err := load.Run(ctx, load.Plan{
		Address: s.Address, Connections: sellOutConnections, KeepBodies: true,
		Source: func(buffer []byte, n int) ([]byte, bool) {
			return orders.Again(buffer, uint64(n/2)), n < 2*asked
		},
	})
	if err != nil {
		return Audit{}, fmt.Errorf("sell out %s: %w", s.Name, err)
	}
	if result.Statuses[http.StatusCreated]+result.Statuses[http.StatusConflict] != result.Answers() {
		return Audit{}, fmt.Errorf("sell out %s: neither sold nor sold out: %v", s.Name, result.Statuses)
	}
	answered, err := orderIDs(result.Bodies)
	if err != nil {
		return Audit{}, err
	}
	books, err := s.Recount(ctx, sale)
	if err != nil {
		return Audit{}, err
	}
	a := stockFaults(sale, books)
	a.Undersold = max(0, sale.Units-books.Units())
	for id := range answered {
		if _, sold := books.Orders[id]; !sold {
			a.Lost++
		}
	}
	for id := range books.Orders {
		if !answered[id] {
			a.Unasked++
		}
	}
	return a, nil
}

// Compare checks a sale of single units against the number of answers with 201. Orders without such
// an answer (refused for overload, or failed) may count or not.
func Compare(ctx context.Context, s *systems.System, sale systems.Sale, accepted, unsure int) (Audit, error) {
	books, err := s.Recount(ctx, sale)
	if err != nil {
		return Audit{}, err
	}
	a := stockFaults(sale, books)
	a.Lost = max(0, int64(accepted)-int64(len(books.Orders)))
	a.Unasked = max(0, int64(len(books.Orders))-int64(accepted)-int64(unsure))
	return a, nil
}

// stockFaults compares the orders with the stock, and with what the store says is left.
func stockFaults(sale systems.Sale, books systems.Books) Audit {
	left := sale.Units - books.Units()
	return Audit{Oversold: max(0, -left, books.Left-left), Undersold: max(0, left-books.Left), Duplicates: books.Duplicates}
}

func orderIDs(bodies [][]byte) (map[string]bool, error) {
	ids := make(map[string]bool, len(bodies))
	for _, body := range bodies {
		id, err := OrderID(body)
		if err != nil {
			return nil, err
		}
		ids[id] = true
	}
	return ids, nil
}

// OrderID reads the id from the answer to an accepted order.
func OrderID(body []byte) (string, error) {
	var order struct {
		OrderID string `json:"orderId"`
	}
	if err := json.Unmarshal(body, &order); err != nil || order.OrderID == "" {
		return "", fmt.Errorf("an accepted order without an id: %q", body)
	}
	return order.OrderID, nil
}
