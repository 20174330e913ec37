package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headgate.dev/headgate/e2e/harness"
)

const (
	// answerSoon bounds waits for things that take milliseconds unless something is wrong.
	answerSoon = 15 * time.Second
	// startSoon bounds waits that include the start of a program, which may have to come from a slow disk.
	startSoon = time.Minute
	// pace is how long a load connection rests between requests: enough load to notice any gap,
	// little enough to leave the processors to the programs under test.
	pace = 10 * time.Millisecond
)

var authority = sync.OnceValues(func() (*harness.Authority, error) {
	return harness.NewAuthority("headgate-e2e-sites")
})

// certificate issues a site's certificate with a serial number to know it by.
func certificate(t testing.TB, serial int64, hosts ...string) harness.KeyPair {
	t.Helper()
	authority, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(harness.Identity{CommonName: hosts[0], Hosts: hosts, Serial: serial})
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// site is a number of hosts, each with a Service, a slice and an Ingress of its own. Host n is
// answered by the backend at address n+1, so a wrong route shows.
type site struct {
	space *harness.Space
	hosts int
}

func newSite(space *harness.Space, hosts int) *site {
	s := &site{space, hosts}
	space.CreateMany(hosts, func(number int) []any {
		name := fmt.Sprintf("s%d", number)
		return []any{space.Service(name), space.Slice(name, s.address(number)),
			space.Ingress(name, s.host(number), "/", name)}
	})
	return s
}

func (s *site) host(number int) string    { return s.space.Host(fmt.Sprintf("s%d", number)) }
func (s *site) address(number int) string { return harness.Address(number + 1) }

// awaitAll waits until every host is answered by its own backend.
func (s *site) awaitAll(t testing.TB, headgate *harness.Headgate, limit time.Duration) {
	t.Helper()
	number := 0
	harness.WaitFor(t, limit, "all hosts of the site", func() error {
		conn, err := harness.Dial(headgate.HTTP, "")
		if err != nil {
			return err
		}
		defer conn.Close()
		for ; number < s.hosts; number++ {
			if err := s.check(conn, number); err != nil {
				return err
			}
		}
		return nil
	})
}

// check asks for one host.
func (s *site) check(conn *harness.Conn, number int) error {
	answer, err := conn.Get(s.host(number), "/", true)
	if err != nil {
		return err
	}
	if err := answer.Expect(200, s.address(number)); err != nil {
		return fmt.Errorf("host %d: %w", number, err)
	}
	return nil
}

// load visits the hosts, each connection in an order of its own, and accepts only right answers.
func (s *site) load(t testing.TB, headgate *harness.Headgate, connections int) *harness.Load {
	t.Helper()
	return harness.StartLoad(t, harness.LoadOptions{Address: headgate.HTTP, Connections: connections, Pause: pace},
		func(conn *harness.Conn, worker, round int) error {
			return s.check(conn, (worker*7919+round*31)%s.hosts)
		})
}

// probe is one host whose endpoints tests change to see whether changes arrive. The address that
// answers tells the version.
type probe struct {
	space   *harness.Space
	version atomic.Int64
}

const probeBase = 3 << 20

func newProbe(space *harness.Space) *probe {
	p := &probe{space: space}
	space.Create(space.Service("probe"), space.Slice("probe", p.address()), space.Ingress("probe", p.host(), "/", "probe"))
	return p
}

func (p *probe) host() string    { return p.space.Host("probe") }
func (p *probe) address() string { return harness.Address(probeBase + int(p.version.Load())) }

// change moves the endpoints to the next address.
func (p *probe) change() {
	p.version.Add(1)
	p.space.Update(p.space.Slice("probe", p.address()))
}

// await waits until the newest address answers.
func (p *probe) await(headgate *harness.Headgate, limit time.Duration) {
	headgate.AwaitWithin(limit, p.host(), "/", 200, p.address())
}

// versionOf is the version of the endpoints that gave an answer.
func (p *probe) versionOf(answer harness.Answer) int {
	return harness.Number(answer.Backend) - probeBase
}
