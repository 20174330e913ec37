package e2e

import (
	"fmt"
	"testing"
	"time"

	"headgate.dev/headgate/e2e/harness"
)

// backWithin is how soon after the API server's return a change made meanwhile must be in effect.
const backWithin = 5 * time.Second

func TestTheAPIServerIsKilledAndStartedAgain(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	site, probe := newSite(space, 20), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, answerSoon)
	load := site.load(t, headgate, 16)
	for range full(2, 10) {
		cluster.KillAPIServer()
		load.AwaitRequests(t, 500)
		if err := cluster.StartAPIServer(); err != nil {
			t.Fatal(err)
		}
		probe.change()
		probe.await(headgate, backWithin)
	}
	load.StopClean(t)
}

// The controller cannot reach the API server, while others can and change things.
func TestChangesMadeWhileTheAPIServerIsAwayFollowItsReturn(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	site, probe := newSite(space, 20), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{ThroughProxy: true})
	site.awaitAll(t, headgate, answerSoon)
	load := site.load(t, headgate, 16)

	headgate.API.Set(harness.Faults{Away: true})
	gone := time.Now()
	away := time.Duration(full(15, 600)) * time.Second
	added := space.Ingress("added", space.Host("added"), "/", "probe")
	removed := space.Ingress("removed", space.Host("removed"), "/", "probe")
	space.Create(added)
	probe.change()
	for time.Since(gone) < away {
		load.AwaitRequests(t, 100)
	}
	headgate.Await(space.Host("added"), "/", 404)
	space.Delete(added)
	space.Create(removed)

	headgate.API.Set(harness.Faults{})
	returned := time.Now()
	probe.await(headgate, backWithin)
	headgate.AwaitWithin(backWithin-time.Since(returned), space.Host("removed"), "/", 200, probe.address())
	t.Logf("away for %s; changes in effect %s after its return", away,
		time.Since(returned).Round(time.Millisecond))
	headgate.Await(space.Host("added"), "/", 404)
	load.StopClean(t)
}

func TestWatchesAreCutAgainAndAgain(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	site, probe := newSite(space, 20), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{ThroughProxy: true})
	site.awaitAll(t, headgate, answerSoon)
	load := site.load(t, headgate, 16)
	lists := headgate.API.Lists.Load()
	for range full(5, 50) {
		headgate.API.Cut()
		probe.change()
		probe.await(headgate, backWithin)
	}
	load.StopClean(t)
	// A watch that ended resumes where it was; listing everything again would cost a big cluster dear.
	if again := headgate.API.Lists.Load() - lists; again != 0 {
		t.Errorf("%d lists after cut watches (%s)", again, headgate.API.Describe())
	}
}

func TestADeafWatchDoesNotLoseChanges(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	probe := newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{ThroughProxy: true})
	probe.await(headgate, answerSoon)
	headgate.API.Set(harness.Faults{WatchesCutAfter: 200 * time.Millisecond})
	headgate.API.Cut()
	for range full(10, 200) {
		probe.change()
		probe.await(headgate, backWithin)
	}
}

func TestACompactedWatchListsAgain(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	site, probe := newSite(space, 20), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{ThroughProxy: true})
	site.awaitAll(t, headgate, answerSoon)
	load := site.load(t, headgate, 16)

	// While the controller is cut off, history moves on and is forgotten.
	headgate.API.Set(harness.Faults{Away: true})
	gone := space.Ingress("gone", space.Host("gone"), "/", "probe")
	space.Create(gone)
	for range 20 {
		probe.change()
	}
	space.Delete(gone)
	space.Create(space.Ingress("fresh", space.Host("fresh"), "/", "probe"))
	cluster.Compact(t)
	cluster.KillAPIServer()
	if err := cluster.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	headgate.API.Set(harness.Faults{})

	probe.await(headgate, backWithin)
	headgate.Await(space.Host("fresh"), "/", 200, probe.address())
	headgate.Await(space.Host("gone"), "/", 404)
	load.StopClean(t)
	if headgate.API.Expired.Load() == 0 {
		t.Error(fmt.Errorf("no 410 was seen, so this test showed nothing (%s)", headgate.API.Describe()))
	}
}
