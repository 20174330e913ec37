// Package e2e holds Headgate to its promises against a real Kubernetes API server.
package e2e

import (
	"testing"

	"headgate.dev/headgate/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// full picks the size for `make test-long`, or with -short the one for every run.
func full(short, long int) int {
	if testing.Short() {
		return short
	}
	return long
}

// longOnly skips what measures or takes long on runs with -short.
func longOnly(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("only at full size: run without -short")
	}
}
