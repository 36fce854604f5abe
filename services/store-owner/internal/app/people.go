// Package app holds the use cases of the service, one a file: each gathers what a decision needs,
// lets the pure packages decide in the journal, and tells the outside world afterwards.
package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

// Journal is where the service decides. Its key is the person.
type Journal = journal.Journal[*people.State]

// Command asks for a decision about a person.
type Command = journal.Command[*people.State]

// Vault keeps what is personal. It stores a value under an id once: at a repeat the first stays.
type Vault interface {
	PutWithID(ctx context.Context, id, person, kind string, plaintext []byte) error
	Get(ctx context.Context, id string) ([]byte, error)
}

// about makes a command that decides about one person.
func about(personID string, decide func(p *membership.Person, now time.Time) ([]journal.Fact, error)) Command {
	return Command{Key: personID, Decide: func(s *people.State, now time.Time) ([]journal.Fact, error) {
		return decide(s.People[personID], now)
	}}
}
