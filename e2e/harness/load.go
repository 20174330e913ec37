package harness

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Visit is one step of a load connection: it asks over conn and judges the answer. An error is a
// failed or wrong answer; after one that wraps ErrClosed the load dials again. worker numbers the
// connection, so that a visit can hold it to what it has seen before.
type Visit func(conn *Conn, worker, round int) error

// Load is constant keep-alive traffic. Each failure is kept, up to a bound, and counted.
type Load struct {
	requests atomic.Int64
	failures atomic.Int64

	cancel  context.CancelFunc
	workers sync.WaitGroup
	started time.Time
	mutex   sync.Mutex
	first   []string
}

// LoadOptions says how much traffic and where to.
type LoadOptions struct {
	Address     string
	Connections int
	Pause       time.Duration // between an answer and the next request on the same connection
	ServerName  string        // TLS when set
}

// StartLoad opens the connections and visits until Stop.
func StartLoad(t testing.TB, options LoadOptions, visit Visit) *Load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	load := &Load{cancel: cancel, started: time.Now()}
	for worker := range options.Connections {
		conn, err := Dial(options.Address, options.ServerName)
		if err != nil {
			cancel()
			t.Fatal(err)
		}
		load.workers.Add(1)
		go load.work(ctx, options, conn, worker, visit)
	}
	t.Cleanup(func() { load.stop() })
	return load
}

func (l *Load) work(ctx context.Context, options LoadOptions, conn *Conn, worker int, visit Visit) {
	defer l.workers.Done()
	defer func() { conn.Close() }()
	for round := 0; ctx.Err() == nil; round++ {
		err := visit(conn, worker, round)
		l.requests.Add(1)
		if err != nil {
			l.fail(fmt.Sprintf("connection %d, request %d: %v", worker, round, err))
			conn.Close()
			for {
				fresh, err := Dial(options.Address, options.ServerName)
				if err == nil {
					conn = fresh
					break
				}
				if !pause(ctx, 10*time.Millisecond) {
					return
				}
			}
		}
		pause(ctx, options.Pause)
	}
}

func (l *Load) fail(message string) {
	l.failures.Add(1)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(l.first) < 10 {
		l.first = append(l.first, time.Since(l.started).Round(time.Millisecond).String()+" "+message)
	}
}

// Requests is the number of answers judged so far.
func (l *Load) Requests() int64 { return l.requests.Load() }

// AwaitRequests waits until n more answers have been judged.
func (l *Load) AwaitRequests(t testing.TB, n int64) {
	t.Helper()
	goal := l.Requests() + n
	WaitFor(t, 60*time.Second, "more load", func() error {
		if l.Requests() < goal {
			return fmt.Errorf("%d of %d requests", l.Requests(), goal)
		}
		return nil
	})
}

func (l *Load) stop() {
	l.cancel()
	l.workers.Wait()
}

// StopClean ends the load and fails the test if any answer was missing or wrong.
func (l *Load) StopClean(t testing.TB) {
	t.Helper()
	l.stop()
	elapsed := time.Since(l.started)
	t.Logf("load: %d requests in %s (%.0f/s), %d failed", l.Requests(), elapsed.Round(time.Millisecond),
		float64(l.Requests())/elapsed.Seconds(), l.failures.Load())
	if l.Requests() == 0 {
		t.Error("the load never got to ask")
	}
	if l.failures.Load() == 0 {
		return
	}
	for _, message := range l.first {
		t.Errorf("load: %s", message)
	}
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, duration time.Duration) bool {
	if duration <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// WaitFor fails the test unless check returns nil within limit.
func WaitFor(t testing.TB, limit time.Duration, what string, check func() error) {
	t.Helper()
	if err := Until(context.Background(), limit, 2*time.Millisecond, check); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}
