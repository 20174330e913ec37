package e2e

import (
	"fmt"
	"slices"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"headgate.dev/headgate/e2e/harness"
)

// All twenty endpoints of a Service are replaced, five at a time, again and again, under keep-alive
// load: what comes is ready first, what goes terminates, finishes what it has, and is killed.
func TestAllEndpointsAreReplacedAgainAndAgain(t *testing.T) {
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host := space.Host("www")

	const endpoints, lot = 20, 5
	next := 0
	start := func(n int) (fresh []*harness.Backend) {
		for range n {
			next++
			fresh = append(fresh, harness.StartBackend(t, harness.Address(next)))
		}
		return fresh
	}
	running := start(endpoints)
	slice := space.Slice("web")
	slice.Endpoints = endpointsOf(running, nil)
	space.Create(space.Service("web"), slice, space.Ingress("www", host, "/", "web"))
	headgate.Await(host, "/", 200)

	load := harness.StartLoad(t, harness.LoadOptions{Address: headgate.HTTP, Connections: 64, Pause: pace},
		func(conn *harness.Conn, _, _ int) error {
			answer, err := conn.Get(host, "/", true)
			if err != nil {
				return err
			}
			return answer.Expect(200)
		})
	rounds := full(2, 50)
	for range rounds * endpoints / lot {
		fresh := start(lot)
		running = append(running, fresh...)
		slice.Endpoints = endpointsOf(running, nil)
		space.Update(slice)
		harness.WaitFor(t, answerSoon, "traffic to reach who has come", func() error {
			if fresh[lot-1].Requests() == 0 {
				return fmt.Errorf("%s has had no request", fresh[lot-1].Address)
			}
			return nil
		})

		leaving := running[:lot]
		slice.Endpoints = endpointsOf(running, leaving)
		space.Update(slice)
		harness.WaitFor(t, answerSoon, "traffic to leave who terminates", func() error {
			before := requestsOf(leaving)
			load.AwaitRequests(t, 200)
			if after := requestsOf(leaving); after != before {
				return fmt.Errorf("%d more requests", after-before)
			}
			return nil
		})
		for _, backend := range leaving {
			backend.Close()
		}
		running = slices.Clone(running[lot:])
		slice.Endpoints = endpointsOf(running, nil)
		space.Update(slice)
	}
	t.Logf("%d endpoints replaced %d times: %d requests", endpoints, rounds, load.Requests())
	load.StopClean(t)
}

func endpointsOf(running, leaving []*harness.Backend) (endpoints []discoveryv1.Endpoint) {
	for _, backend := range running {
		leaves := slices.Contains(leaving, backend)
		ready, serving := !leaves, true
		endpoints = append(endpoints, discoveryv1.Endpoint{
			Addresses:  []string{backend.Address},
			Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &leaves},
		})
	}
	return endpoints
}

func requestsOf(backends []*harness.Backend) (requests int64) {
	for _, backend := range backends {
		requests += backend.Requests()
	}
	return requests
}
