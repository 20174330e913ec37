package e2e

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"headgate.dev/headgate/e2e/harness"
)

// A rollout as Argo Rollouts does it: an Ingress beside the stable one whose weight is patched step by step, and
// at the end a stable Service that has become what the canary was.
func TestARolloutTakesEffectAtOnce(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host, stable, fresh := space.Host("www"), harness.Address(1), harness.Address(2)
	canary := space.Ingress("www-canary", host, "/", "canary")
	canary.Annotations = map[string]string{
		"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "0"}
	space.Create(space.Service("stable"), space.Slice("stable", stable), space.Service("canary"),
		space.Slice("canary", fresh), space.Ingress("www", host, "/", "stable"), canary)
	headgate.Await(host, "/", 200, stable)

	var fromStable, fromFresh atomic.Int64
	load := harness.StartLoad(t, harness.LoadOptions{Address: headgate.HTTP, Connections: 8, Pause: pace},
		func(conn *harness.Conn, _, _ int) error {
			answer, err := conn.Get(host, "/", true)
			if err != nil {
				return err
			}
			switch answer.Backend {
			case stable:
				fromStable.Add(1)
			case fresh:
				fromFresh.Add(1)
			}
			return answer.Expect(200, stable, fresh)
		})
	load.AwaitRequests(t, 300)
	if fromFresh.Load() != 0 {
		t.Errorf("a canary of weight 0 has answered %d times", fromFresh.Load())
	}

	setWeight := func(weight int) {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{"nginx.ingress.kubernetes.io/canary-weight":"%d"}}}`, weight)
		_, err := cluster.Client.NetworkingV1().Ingresses(space.Name).Patch(context.Background(), canary.Name,
			types.MergePatchType, []byte(patch), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	conn, err := harness.Dial(headgate.HTTP, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var delays []time.Duration
	for range full(3, 30) {
		// Both ends of the scale are exact, so that one answer tells whether a weight counts yet.
		setWeight(100)
		delays = append(delays, untilAnswered(t, conn, host, time.Now(), fresh))
		awaitShare(t, load, &fromStable, 0)
		setWeight(0)
		delays = append(delays, untilAnswered(t, conn, host, time.Now(), stable))
		awaitShare(t, load, &fromFresh, 0)
	}
	half := harness.Quantile(delays, 0.5)
	measured(t, "a weight counts after: median %s, slowest %s of %d", half.Round(time.Millisecond),
		harness.Quantile(delays, 1).Round(time.Millisecond), len(delays))
	if half > time.Second {
		t.Errorf("a weight counts only after %s", half)
	}

	// Of 500 requests at 30% one standard deviation is 2%.
	setWeight(30)
	untilAnswered(t, conn, host, time.Now(), fresh)
	awaitShare(t, load, &fromFresh, 0.3)

	// Promoted: the stable Service leads where the canary's does, and the canary gets no more.
	space.Update(space.Slice("stable", fresh))
	setWeight(0)
	awaitShare(t, load, &fromStable, 0)
	space.Delete(canary)
	awaitShare(t, load, &fromStable, 0)
	load.StopClean(t)
}

// awaitShare waits until 500 requests in a row give the counter its share: exactly, if that is 0.
func awaitShare(t *testing.T, load *harness.Load, counter *atomic.Int64, share float64) {
	t.Helper()
	const sample, tolerance = 500, 0.1
	harness.WaitFor(t, time.Minute, "the share of requests", func() error {
		before, from := counter.Load(), load.Requests()
		load.AwaitRequests(t, sample)
		got := float64(counter.Load()-before) / float64(load.Requests()-from)
		if (share == 0 && got != 0) || got < share-tolerance || got > share+tolerance {
			return fmt.Errorf("%.3f of the requests, want %.3f", got, share)
		}
		return nil
	})
}
