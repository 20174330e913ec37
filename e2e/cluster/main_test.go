// Package cluster has the tests on a real Kubernetes node: the chart is installed by helm, and pods of the image run.
// scripts/e2e-cluster prepares what they need; without that they skip themselves.
package cluster

import (
	"testing"

	"headgate.dev/headgate/e2e/harness"
)

func TestMain(m *testing.M) { harness.MainOnNode(m) }
