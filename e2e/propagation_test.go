package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"headgate.dev/headgate/e2e/harness"
)

// measured logs a figure with what it depends on.
func measured(t *testing.T, format string, arguments ...any) {
	t.Helper()
	load, _ := os.ReadFile("/proc/loadavg")
	t.Logf("measured: %s (load average %s)", fmt.Sprintf(format, arguments...),
		strings.Join(strings.Fields(string(load))[:2], " "))
}

// untilAnswered asks over a standing connection until the answer is right and says how long it took.
func untilAnswered(t *testing.T, conn *harness.Conn, host string, since time.Time, address string) time.Duration {
	t.Helper()
	for {
		answer, err := conn.Get(host, "/", true)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Expect(200, address) == nil {
			return time.Since(since)
		}
		if time.Since(since) > answerSoon {
			t.Fatalf("%s: status %d from %q after %s", host, answer.Status, answer.Backend, time.Since(since))
		}
		time.Sleep(500 * time.Microsecond)
	}
}

// From the API server's acceptance of an object to the first right answer, with 3,000 Ingresses there.
func TestPropagationAmidThreeThousandIngresses(t *testing.T) {
	longOnly(t)
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	site, probe := newSite(space, 3000), newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, 120*time.Second)
	conn, err := harness.Dial(headgate.HTTP, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	var routes, endpoints []time.Duration
	for sample := range 300 {
		host := space.Host(fmt.Sprintf("new%d", sample))
		space.Create(space.Ingress(fmt.Sprintf("new%d", sample), host, "/", "s7"))
		routes = append(routes, untilAnswered(t, conn, host, time.Now(), site.address(7)))
		probe.change()
		endpoints = append(endpoints, untilAnswered(t, conn, probe.host(), time.Now(), probe.address()))
	}
	report := func(what string, samples []time.Duration, p50, p99 time.Duration) {
		half, most := harness.Quantile(samples, 0.5), harness.Quantile(samples, 0.99)
		measured(t, "%s with 3,000 Ingresses: p50 %s p99 %s max %s of %d", what, half.Round(10*time.Microsecond),
			most.Round(10*time.Microsecond), harness.Quantile(samples, 1).Round(10*time.Microsecond), len(samples))
		if half > p50 || most > p99 {
			t.Errorf("%s: p50 %s and p99 %s, want at most %s and %s", what, half, most, p50, p99)
		}
	}
	report("a new route", routes, 25*time.Millisecond, 100*time.Millisecond)
	report("an endpoint change", endpoints, 25*time.Millisecond, 50*time.Millisecond)
}

// An endpoint change costs what it costs, whatever else is there.
func TestTheCostOfAnEndpointChangeDoesNotGrow(t *testing.T) {
	longOnly(t)
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	probe := newProbe(space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	probe.await(headgate, answerSoon)

	type cost struct{ controller, dataPlane time.Duration }
	used := func() cost {
		return cost{harness.CPUTime(t, headgate.Controller), harness.CPUTime(t, headgate.DataPlane)}
	}
	perChange := func() cost {
		const changes, interval = 300, 20 * time.Millisecond
		run := func(each func()) cost {
			before, next := used(), time.Now()
			for range changes {
				each()
				next = next.Add(interval)
				time.Sleep(time.Until(next))
			}
			after := used()
			return cost{after.controller - before.controller, after.dataPlane - before.dataPlane}
		}
		idle := run(func() {})
		busy := run(probe.change)
		probe.await(headgate, answerSoon)
		return cost{(busy.controller - idle.controller) / changes, (busy.dataPlane - idle.dataPlane) / changes}
	}
	grow := func(name string, hosts int) cost {
		sub := cluster.NewSpace(t)
		newSite(sub, hosts).awaitAll(t, headgate, 10*time.Minute)
		result := perChange()
		measured(t, "an endpoint change with %s Ingresses: controller %s, data plane %s CPU", name,
			result.controller, result.dataPlane)
		return result
	}
	few := grow("100", 100)
	many := grow("10,000", 9900)
	if many.controller > 2*few.controller || many.dataPlane > 2*few.dataPlane {
		t.Errorf("the cost grew more than twofold from 100 to 10,000 Ingresses: %+v to %+v", few, many)
	}
}

// What 5,000 routes with Services of their own take in memory, and how soon a data plane has them again.
func TestFiveThousandRoutes(t *testing.T) {
	longOnly(t)
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	site := newSite(space, 5000)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site.awaitAll(t, headgate, 5*time.Minute)
	headgate.AwaitStored(answerSoon)
	mebibytes := func(process *harness.Process) float64 {
		return float64(harness.ResidentBytes(t, process)) / (1 << 20)
	}
	once := mebibytes(headgate.DataPlane)
	// A connection is one worker's: after some more both have served every route.
	for range 8 {
		site.awaitAll(t, headgate, time.Minute)
	}
	controller, dataPlane := mebibytes(headgate.Controller), mebibytes(headgate.DataPlane)
	measured(t, "5,000 routes with own Services: controller %.1f MiB, data plane %.1f MiB, %.1f when each was asked once",
		controller, dataPlane, once)
	if controller > 150 || dataPlane > 40 {
		t.Errorf("resident: controller %.1f MiB of 150, data plane %.1f MiB of 40", controller, dataPlane)
	}

	headgate.Controller.Kill()
	var starts []time.Duration
	for range 10 {
		headgate.DataPlane.Kill()
		began := time.Now()
		headgate.StartDataPlane()
		headgate.AwaitReady(10 * time.Second)
		starts = append(starts, time.Since(began))
		site.awaitAll(t, headgate, time.Second)
	}
	slowest := harness.Quantile(starts, 1)
	measured(t, "data plane with 5,000 routes from disk to ready: median %s, slowest %s of %d",
		harness.Quantile(starts, 0.5).Round(time.Millisecond), slowest.Round(time.Millisecond), len(starts))
	if slowest > time.Second {
		t.Errorf("a start from disk took %s", slowest)
	}
	measured(t, "a data plane from disk: %.1f MiB", mebibytes(headgate.DataPlane))
}
