package stack

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// memoryInterval is how often memory is looked at; a look costs one small file
// a process.
const memoryInterval = 200 * time.Millisecond

// memory remembers the greatest sum of resident memory that it saw.
type memory struct {
	quit, done chan struct{}
	once       sync.Once

	mu    sync.Mutex
	bytes int64
}

// watchMemory looks at the processes that pids names, until it is stopped.
func watchMemory(pids func() []int) *memory {
	m := &memory{quit: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(m.done)
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				m.note(pids())
			case <-m.quit:
				return
			}
		}
	}()
	return m
}

func (m *memory) note(pids []int) {
	var sum int64
	for _, pid := range pids {
		sum += residentBytes(pid)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes = max(m.bytes, sum)
}

func (m *memory) peak() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

func (m *memory) stop() {
	m.once.Do(func() { close(m.quit) })
	<-m.done
}

// residentBytes is 0 for a process that has just died, and where there is no /proc.
func residentBytes(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident int64 // in pages; see proc(5)
	if _, err := fmt.Sscan(string(text), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}
