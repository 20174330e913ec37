package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"headgate.dev/headgate/e2e/harness"
)

func TestTheControllerIsKilledUnderLoad(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	site, probe := newSite(space, 50), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, answerSoon)
	load := site.load(t, headgate, 32)
	for range full(3, 20) {
		headgate.Controller.Kill()
		probe.change() // nobody sees this one until the next controller lists
		load.AwaitRequests(t, 300)
		headgate.StartController()
		probe.await(headgate, startSoon)
	}
	load.StopClean(t)
}

func TestTheControllerEndsCleanlyWhenAsked(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	site := newSite(space, 5)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, answerSoon)
	load := site.load(t, headgate, 8)
	if err := headgate.Controller.Terminate(10 * time.Second); err != nil {
		t.Error(err)
	}
	load.AwaitRequests(t, 300)
	load.StopClean(t)
}

func TestTheDataPlaneStartsFromDiskWithoutAController(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	site, probe := newSite(space, 50), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, answerSoon)
	probe.change()
	probe.await(headgate, answerSoon)
	headgate.AwaitStored(answerSoon)
	headgate.Controller.Kill()

	headgate.DataPlane.Kill()
	headgate.StartDataPlane()
	headgate.AwaitReady(startSoon)
	conn, err := harness.Dial(headgate.HTTP, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for number := range site.hosts { // at once, not at length: ready means everything is there
		if err := site.check(conn, number); err != nil {
			t.Error(err)
		}
	}
	headgate.Await(probe.host(), "/", 200, probe.address())

	// And it follows the controller again once there is one.
	headgate.StartController()
	probe.change()
	probe.await(headgate, startSoon)
}

func TestTheDataPlaneDrainsWhenAsked(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	site := newSite(space, 5)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, answerSoon)
	if err := headgate.DataPlane.Terminate(30 * time.Second); err != nil {
		t.Error(err)
	}
}

// Killed at any moment, also while it writes: what is on disk is always one complete snapshot, and
// never an older one than was there before.
func TestTheDataPlaneIsKilledAtRandomMoments(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	site := newSite(space, full(50, 500))
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, 60*time.Second)
	headgate.AwaitStored(answerSoon)

	churned := newProbe(space)
	churned.await(headgate, answerSoon)
	headgate.AwaitStored(answerSoon)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // so that there is always something to write
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				churned.change()
			}
		}
	}()
	defer func() { close(stop); <-stopped }()

	oldest := 0
	for round := range full(10, 200) {
		// A moment is random when nothing it could wait for picks it.
		time.Sleep(rand.N(400 * time.Millisecond))
		headgate.DataPlane.Kill()

		headgate.StartDataPlaneAlone()
		headgate.AwaitReady(startSoon)
		conn, err := harness.Dial(headgate.HTTP, "")
		if err != nil {
			t.Fatal(err)
		}
		for number := range site.hosts {
			if err := site.check(conn, number); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		answer, err := conn.Get(churned.host(), "/", true)
		if err != nil {
			t.Fatal(err)
		}
		version := churned.versionOf(answer)
		if answer.Status != 200 || version < oldest {
			t.Fatalf("round %d: status %d, version %d after %d", round, answer.Status, version, oldest)
		}
		oldest = version
		conn.Close()
		headgate.DataPlane.Kill()

		headgate.StartDataPlane()
		headgate.AwaitReady(startSoon)
	}
	t.Logf("the last start from disk had version %d", oldest)
}

// A controller that starts with a bad way to the API server must not publish what it has not read.
func TestTheControllerRestartsOverABadNetwork(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	hosts := full(300, 5000)
	site, probe := newSite(space, hosts), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{ThroughProxy: true})
	site.awaitAll(t, headgate, 120*time.Second)
	probe.await(headgate, answerSoon)
	load := site.load(t, headgate, 32)
	smallest := headgate.Resources()

	// A list of 5,000 comes in 11 pages, all of which must arrive: one in two such lists fails.
	failures := float64(full(300, 50)) / 1000
	headgate.API.Set(harness.Faults{ListFailures: failures, ListDelay: 300 * time.Millisecond})
	for restart := range full(3, 50) {
		headgate.Controller.Kill()
		probe.change()
		headgate.StartController()
		// Not too often: reading the metrics of thousands of routes is work for the data plane.
		err := harness.Until(t.Context(), 120*time.Second, 100*time.Millisecond, func() error {
			if now := headgate.Resources(); now < smallest {
				t.Fatalf("restart %d: the snapshot shrank from %.0f to %.0f resources", restart, smallest, now)
			}
			answer, err := headgate.Get(probe.host(), "/")
			if err != nil {
				return err
			}
			return answer.Expect(200, probe.address())
		})
		if err != nil {
			t.Fatalf("change %d: %v", restart, err)
		}
	}
	load.StopClean(t)
	t.Logf("API: %s", headgate.API.Describe())
	if headgate.API.Failed.Load() == 0 {
		t.Error("no list failed, so this test showed nothing")
	}
}
