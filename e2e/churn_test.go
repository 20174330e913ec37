package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"

	"headgate.dev/headgate/e2e/harness"
)

// staleAfter is how long after the API server took a newer version an older one may still be served.
const staleAfter = 5 * time.Second

// history is what one object has been. Version n of it shows in answers, so each answer can be held
// against what the object was, is, or was on its way to be when the answer was given.
type history struct {
	latest atomic.Int64 // the newest version given to the API server, accepted or not

	mutex    sync.Mutex
	accepted []time.Time // by version
}

// write asks the API server for the next version with update and notes when it was taken.
func (h *history) write(update func(version int)) {
	version := int(h.latest.Add(1))
	update(version)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for len(h.accepted) <= version {
		h.accepted = append(h.accepted, time.Now())
	}
}

// oldest is the oldest version that may still be served now.
func (h *history) oldest() int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for version := len(h.accepted) - 1; version >= 0; version-- {
		if time.Since(h.accepted[version]) > staleAfter {
			return version
		}
	}
	return 0
}

// check tells whether version may be served, given the oldest allowed when the request was sent and
// the newest seen before on the same connection.
func (h *history) check(version, oldest, seen int) error {
	latest := int(h.latest.Load())
	if version < oldest || version < seen || version > latest {
		return fmt.Errorf("version %d: the connection has seen %d, %d is too old, %d the latest",
			version, seen, oldest, latest)
	}
	return nil
}

// churn is a site in which everything changes all the time.
type churn struct {
	t      *testing.T
	space  *harness.Space
	endpts []history // host e<i>: endpoints are the addresses of this version and the next
	routes []history // host r<i>: the Ingress leads to target version%targets
	hosts  []history // host h<i>: the Ingress exists in odd versions
	certs  []history // host c<i>: the certificate's serial number is the version
}

const (
	targets    = 64
	targetBase = 2 << 20
	serialBase = 1_000_000
)

func endpointBase(object int) int { return object << 12 }

func newChurn(t *testing.T, space *harness.Space) *churn {
	c := &churn{t: t, space: space, endpts: make([]history, 24), routes: make([]history, 12),
		hosts: make([]history, 6), certs: make([]history, 6)}
	space.CreateMany(targets, func(number int) []any {
		name := fmt.Sprintf("t%d", number)
		return []any{space.Service(name), space.Slice(name, harness.Address(targetBase+number))}
	})
	for i := range c.endpts {
		name := fmt.Sprintf("e%d", i)
		space.Create(space.Service(name), c.slice(i, 0), space.Ingress(name, space.Host(name), "/", name))
	}
	for i := range c.routes {
		space.Create(c.route(i, 0))
	}
	for i := range c.certs {
		name := fmt.Sprintf("c%d", i)
		space.Create(space.Secret(name, certificate(t, serialBase, space.Host(name))),
			secured(space.Ingress(name, space.Host(name), "/", "t0"), name))
	}
	return c
}

func (c *churn) slice(i, version int) any {
	base := endpointBase(i) + version
	return c.space.Slice(fmt.Sprintf("e%d", i), harness.Address(base), harness.Address(base+1))
}

func (c *churn) route(i, version int) *networkingv1.Ingress {
	name := fmt.Sprintf("r%d", i)
	return c.space.Ingress(name, c.space.Host(name), "/", fmt.Sprintf("t%d", version%targets))
}

// change makes one random change. Objects are dealt out to the writers, so that each has one.
func (c *churn) change(writer, writers int) {
	own := func(histories []history) int {
		dealt := (len(histories) - writer + writers - 1) / writers
		return writer + writers*rand.IntN(dealt)
	}
	switch kind := rand.IntN(100); {
	case kind < 55:
		i := own(c.endpts)
		c.endpts[i].write(func(version int) { c.space.Update(c.slice(i, version)) })
	case kind < 85:
		i := own(c.routes)
		c.routes[i].write(func(version int) { c.space.Update(c.route(i, version)) })
	case kind < 92:
		i := own(c.hosts)
		name := fmt.Sprintf("h%d", i)
		c.hosts[i].write(func(version int) {
			ingress := c.space.Ingress(name, c.space.Host(name), "/", "t1")
			if version%2 == 1 {
				c.space.Create(ingress)
			} else {
				c.space.Delete(ingress)
			}
		})
	default:
		i := own(c.certs)
		name := fmt.Sprintf("c%d", i)
		c.certs[i].write(func(version int) {
			c.space.Update(c.space.Secret(name, certificate(c.t, serialBase+int64(version), c.space.Host(name))))
		})
	}
}

// memory is what one connection has seen.
type memory struct{ endpts, routes, hosts []int }

func (c *churn) newMemories(connections int) []memory {
	memories := make([]memory, connections)
	for i := range memories {
		memories[i] = memory{make([]int, len(c.endpts)), make([]int, len(c.routes)), make([]int, len(c.hosts))}
	}
	return memories
}

// visit asks for one random host and judges the answer.
func (c *churn) visit(conn *harness.Conn, seen *memory) error {
	switch kind := rand.IntN(10); {
	case kind < 5:
		return c.visitEndpoint(conn, seen)
	case kind < 8:
		return c.visitRoute(conn, seen)
	case kind < 9:
		return c.visitHost(conn, seen)
	default:
		answer, err := conn.Get(c.space.Host(fmt.Sprintf("c%d", rand.IntN(len(c.certs)))), "/", true)
		if err != nil {
			return err
		}
		return answer.Expect(200, harness.Address(targetBase))
	}
}

func (c *churn) visitEndpoint(conn *harness.Conn, seen *memory) error {
	i := rand.IntN(len(c.endpts))
	oldest := c.endpts[i].oldest()
	answer, err := conn.Get(c.space.Host(fmt.Sprintf("e%d", i)), "/", true)
	if err != nil {
		return err
	}
	if err := answer.Expect(200); err != nil {
		return fmt.Errorf("e%d: %w", i, err)
	}
	// The address is of version n or n+1; the version is at least one less than the address says.
	number := harness.Number(answer.Backend) - endpointBase(i)
	latest := int(c.endpts[i].latest.Load())
	if number < oldest || number < seen.endpts[i]-1 || number > latest+1 {
		return fmt.Errorf("e%d: address %d: the connection has seen %d, %d is too old, %d the latest",
			i, number, seen.endpts[i], oldest, latest)
	}
	seen.endpts[i] = max(seen.endpts[i], number)
	return nil
}

func (c *churn) visitRoute(conn *harness.Conn, seen *memory) error {
	i := rand.IntN(len(c.routes))
	oldest := max(c.routes[i].oldest(), seen.routes[i])
	answer, err := conn.Get(c.space.Host(fmt.Sprintf("r%d", i)), "/", true)
	if err != nil {
		return err
	}
	if err := answer.Expect(200); err != nil {
		return fmt.Errorf("r%d: %w", i, err)
	}
	// The target gives the version modulo the number of targets; take the earliest that fits.
	target := harness.Number(answer.Backend) - targetBase
	version := oldest + ((target-oldest)%targets+targets)%targets
	if err := c.routes[i].check(version, oldest, seen.routes[i]); err != nil {
		return fmt.Errorf("r%d, answered by target %d: %w", i, target, err)
	}
	seen.routes[i] = version
	return nil
}

func (c *churn) visitHost(conn *harness.Conn, seen *memory) error {
	i := rand.IntN(len(c.hosts))
	oldest := max(c.hosts[i].oldest(), seen.hosts[i])
	answer, err := conn.Get(c.space.Host(fmt.Sprintf("h%d", i)), "/", true)
	if err != nil {
		return err
	}
	version := oldest
	switch answer.Status {
	case 200:
		version += 1 - oldest%2
	case 404:
		version += oldest % 2
	default:
		return fmt.Errorf("h%d: status %d", i, answer.Status)
	}
	if err := c.hosts[i].check(version, oldest, seen.hosts[i]); err != nil {
		return fmt.Errorf("h%d, status %d: %w", i, answer.Status, err)
	}
	seen.hosts[i] = version
	return nil
}

// handshakes dials over TLS again and again and judges the certificates, until stop is closed.
func (c *churn) handshakes(headgate *harness.Headgate, stop <-chan struct{}, failures *failureList) (count int) {
	for {
		select {
		case <-stop:
			return count
		default:
		}
		i := rand.IntN(len(c.certs))
		oldest := c.certs[i].oldest()
		serial, err := headgate.Serial(c.space.Host(fmt.Sprintf("c%d", i)))
		if err == nil {
			err = c.certs[i].check(int(serial-serialBase), oldest, 0)
		}
		if err != nil {
			failures.add(fmt.Errorf("handshake with c%d: %w", i, err))
		}
		count++
		time.Sleep(pace)
	}
}

type failureList struct {
	mutex sync.Mutex
	all   []error
}

func (f *failureList) add(err error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.all = append(f.all, err)
}

// settle waits until every object's last version is what is served.
func (c *churn) settle(headgate *harness.Headgate) {
	for i := range c.endpts {
		last := endpointBase(i) + int(c.endpts[i].latest.Load())
		headgate.Await(c.space.Host(fmt.Sprintf("e%d", i)), "/", 200, harness.Address(last))
	}
	for i := range c.routes {
		last := int(c.routes[i].latest.Load()) % targets
		headgate.Await(c.space.Host(fmt.Sprintf("r%d", i)), "/", 200, harness.Address(targetBase+last))
	}
	for i := range c.hosts {
		status := 404
		if c.hosts[i].latest.Load()%2 == 1 {
			status = 200
		}
		headgate.Await(c.space.Host(fmt.Sprintf("h%d", i)), "/", status)
	}
	for i := range c.certs {
		headgate.AwaitSerial(c.space.Host(fmt.Sprintf("c%d", i)), serialBase+c.certs[i].latest.Load())
	}
}

// Everything changes as fast as the API server takes it, under keep-alive load: no request fails, no
// answer is wrong or goes back in time, no connection is closed by us.
func TestConstantChangeUnderConstantLoad(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	churn := newChurn(t, space)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	churn.settle(headgate)

	const plain, secured = 60, 4
	memories := churn.newMemories(plain + secured)
	options := harness.LoadOptions{Address: headgate.HTTP, Connections: plain, Pause: pace}
	load := harness.StartLoad(t, options, func(conn *harness.Conn, worker, _ int) error {
		return churn.visit(conn, &memories[worker])
	})
	options.Address, options.Connections, options.ServerName = headgate.HTTPS, secured, space.Host("c0")
	tlsLoad := harness.StartLoad(t, options, func(conn *harness.Conn, worker, _ int) error {
		return churn.visit(conn, &memories[plain+worker])
	})
	stop, failures, handshakes := make(chan struct{}), &failureList{}, make(chan int)
	go func() { handshakes <- churn.handshakes(headgate, stop, failures) }()

	changes, writers := full(1000, 10_000), 4
	left := atomic.Int64{}
	left.Store(int64(changes))
	started := time.Now()
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				churn.change(writer, writers)
			}
		})
	}
	group.Wait()
	took := time.Since(started)
	churn.settle(headgate)
	t.Logf("%d changes in %s (%.0f/s), settled %s later", changes, took.Round(time.Millisecond),
		float64(changes)/took.Seconds(), (time.Since(started) - took).Round(time.Millisecond))
	load.StopClean(t)
	tlsLoad.StopClean(t)
	close(stop)
	t.Logf("%d handshakes, %d wrong", <-handshakes, len(failures.all))
	if err := errors.Join(failures.all[:min(len(failures.all), 10)]...); err != nil {
		t.Error(err)
	}
	// Connections to endpoints that are gone must not pile up.
	if open := harness.OpenFiles(t, headgate.DataPlane); open > 1000 {
		t.Errorf("the data plane has %d open files after the churn", open)
	}
}
