package cluster

import (
	"context"
	"fmt"
	"testing"
	"time"

	"headgate.dev/headgate/e2e/harness"
)

// balancerAddress is where the world finds the data plane's Service.
const balancerAddress = "192.0.2.10"

// What the test sends while pods are replaced, at least.
const requestsUnderChange = 100_000

// TestOnANode installs the chart as it is and as a DaemonSet, one after the other: there is one node in a run.
func TestOnANode(t *testing.T) {
	started := time.Now()
	cluster, node := harness.StartNode(t, images(t)...)
	t.Logf("the node is ready after %s", time.Since(started).Round(100*time.Millisecond))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go giveAddresses(ctx, cluster.Client, balancerAddress)

	load := &traffic{plain: balancerAddress + ":80", secure: balancerAddress + ":443",
		host: "www.e2e.example", streams: "grpc.e2e.example"}
	deployWorkload(t, cluster, load.host, load.streams)
	edge := &release{t: t, cluster: cluster, node: node, name: "edge", namespace: "edge-system",
		values: []string{"image.repository=localhost/headgate", "image.tag=under-test"}}
	edge.makeNamespace()
	before := inventory(t, cluster)

	t.Run("a release is installed, upgraded, restarted under load and taken away", func(t *testing.T) {
		edge := *edge
		edge.t = t
		edge.install(load, balancerAddress)
		awaitRefusal(t, cluster, load.host)
		edge.replaceUnder(load)
		edge.awaitLeader(edge.pods())
		awaitRefusal(t, cluster, load.host)
		edge.checkAccess()
		edge.stopControllers(load)
		edge.uninstall(before)
	})
	t.Run("a DaemonSet serves at the ports of its node", func(t *testing.T) {
		edge := *edge
		edge.t = t
		edge.values = append(edge.values, "dataplane.kind=DaemonSet", "dataplane.hostPort.enabled=true",
			"controller.publishService.enabled=false", "controller.publishNodes.enabled=true")
		edge.install(&traffic{plain: harness.NodeAddress + ":80", host: load.host}, harness.NodeAddress)
		edge.uninstall(before)
	})
}

// install waits until traffic reaches the workload and the Ingresses say where.
func (r *release) install(load *traffic, address string) {
	r.t.Helper()
	r.apply("install")
	r.helm("test")
	await(r.t, "traffic", func() error { return load.once("/", 1, func() {}) })
	awaitStatus(r.t, r.cluster, address)
}

// replaceUnder replaces all pods, by an upgrade and by restarts, until enough was asked for.
func (r *release) replaceUnder(load *traffic) {
	r.t.Helper()
	load.start()
	former := r.pods()
	// Each program has one thing changed.
	r.values = append(r.values, "controller.extraArgs.log-format=json", "dataplane.drainDelaySeconds=8")
	r.apply("upgrade")
	r.awaitReplaced(former)
	for restarts := 0; restarts < 1 || load.requests() < requestsUnderChange; restarts++ {
		if restarts == 15 || load.failures() > 0 {
			break
		}
		former = r.pods()
		r.restart()
		r.awaitReplaced(former)
	}
	load.stop(r.t)
	if load.requests() < requestsUnderChange {
		r.t.Errorf("%d requests are too few to say anything", load.requests())
	}
}

// stopControllers shows that data planes go on without any, and that the last takes the addresses away.
func (r *release) stopControllers(load *traffic) {
	r.t.Helper()
	r.apply("upgrade", "controller.replicaCount=0")
	awaitStatus(r.t, r.cluster)
	if err := load.once("/", 1, func() {}); err != nil {
		r.t.Error("without a controller: ", err)
	}
	r.apply("upgrade")
	awaitStatus(r.t, r.cluster, balancerAddress)
}

// uninstall leaves what was there before.
func (r *release) uninstall(before []string) {
	r.t.Helper()
	r.helm("uninstall", "--wait")
	await(r.t, "nothing to be left", func() error {
		if left := without(inventory(r.t, r.cluster), before); len(left) > 0 {
			return fmt.Errorf("left behind: %q", left)
		}
		return nil
	})
}
