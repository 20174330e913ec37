package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"headgate.dev/headgate/e2e/harness"
)

// Of several controllers one leads; when it goes, by itself or not, another does.

const electionTTL = 6 * time.Second

// candidate starts one more controller of the cluster.
func candidate(t *testing.T, cluster *harness.Cluster, arguments ...string) *harness.Headgate {
	t.Helper()
	headgate := harness.NewHeadgate(t, cluster, harness.Options{
		ControllerArgs: append(arguments, fmt.Sprintf("--election-ttl=%s", electionTTL))})
	headgate.StartController()
	headgate.AwaitControllerReady(startSoon)
	return headgate
}

func leads(headgate *harness.Headgate) bool {
	return strings.Contains(headgate.ControllerMetrics(), "\nheadgate_leader 1\n")
}

func awaitLead(t *testing.T, headgate *harness.Headgate, limit time.Duration) {
	t.Helper()
	harness.WaitFor(t, limit, "the lead", func() error {
		if !leads(headgate) {
			return fmt.Errorf("%s follows", headgate.Controller.Name)
		}
		return nil
	})
}

func TestAnotherControllerLeadsWhenTheLeaderGoes(t *testing.T) {
	cluster := harness.OwnCluster(t)
	first := candidate(t, cluster)
	awaitLead(t, first, answerSoon)
	second := candidate(t, cluster)
	third := candidate(t, cluster)
	for range 20 {
		if leads(second) || leads(third) {
			t.Fatal("two controllers lead")
		}
		time.Sleep(electionTTL / 20) // for one TTL: that nobody takes a lead that is held is no event to wait for
	}

	killed := time.Now()
	first.Controller.Kill()
	var next, last *harness.Headgate
	// Until the Lease expires, and a little for a machine with more to do.
	harness.WaitFor(t, electionTTL+5*time.Second, "another leader", func() error {
		switch {
		case leads(second):
			next, last = second, third
		case leads(third):
			next, last = third, second
		default:
			return fmt.Errorf("nobody leads %s after the leader's end", time.Since(killed))
		}
		return nil
	})
	t.Logf("another led after %s", time.Since(killed))

	// One that is told to stop gives the lead away.
	stopped := time.Now()
	if err := next.Controller.Terminate(answerSoon); err != nil {
		t.Error(err)
	}
	awaitLead(t, last, answerSoon)
	t.Logf("the next led %s after the end of the one before", time.Since(stopped))
}
