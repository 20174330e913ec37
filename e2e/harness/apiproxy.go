package harness

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// APIProxy stands between the controller and the API server and can make the way to it bad.
// Without faults it changes nothing.
type APIProxy struct {
	URL string

	Lists   atomic.Int64 // list requests passed on
	Watches atomic.Int64 // watch requests passed on
	Expired atomic.Int64 // answers that said 410: the status itself or an ERROR event in a watch
	Failed  atomic.Int64 // requests failed on purpose

	server *http.Server
	mutex  sync.Mutex
	faults Faults
	open   map[net.Conn]struct{}
}

// Faults is what goes wrong. The zero value is a good network.
type Faults struct {
	Away            bool          // every connection is closed unanswered
	ListFailures    float64       // probability that a list is answered with 503 or cut half-way
	ListDelay       time.Duration // longest random delay of a list
	WatchesCutAfter time.Duration // longest random life of a watch; 0: as the API server likes
}

// NewAPIProxy starts a proxy in front of the cluster's API server.
func NewAPIProxy(t testing.TB, cluster *Cluster) *APIProxy {
	t.Helper()
	target, err := url.Parse(cluster.URL)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := cluster.Authority.Issue(Identity{CommonName: "api-proxy", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	proxy := &APIProxy{URL: "https://" + listener.Addr().String(), open: map[net.Conn]struct{}{}}
	quiet := log.New(io.Discard, "", 0)
	forward := &httputil.ReverseProxy{
		Rewrite:        func(request *httputil.ProxyRequest) { request.SetURL(target) },
		Transport:      &http.Transport{TLSClientConfig: trust(cluster.Authority.Pool()), MaxIdleConnsPerHost: 16},
		FlushInterval:  -1,
		ErrorLog:       quiet,
		ModifyResponse: proxy.inspect,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	proxy.server = &http.Server{
		ErrorLog:  quiet,
		ConnState: proxy.track,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			proxy.handle(forward, w, r)
		}),
	}
	go proxy.server.Serve(listener)
	t.Cleanup(func() { proxy.server.Close() })
	return proxy
}

// Set replaces the faults; a proxy that goes away also cuts what is open.
func (p *APIProxy) Set(faults Faults) {
	p.mutex.Lock()
	p.faults = faults
	p.mutex.Unlock()
	if faults.Away {
		p.Cut()
	}
}

// Cut closes every connection to the controller, in the middle of whatever it carries.
func (p *APIProxy) Cut() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for connection := range p.open {
		connection.Close()
	}
}

func (p *APIProxy) current() Faults {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.faults
}

func (p *APIProxy) track(connection net.Conn, state http.ConnState) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch state {
	case http.StateNew:
		p.open[connection] = struct{}{}
		if p.faults.Away {
			connection.Close()
		}
	case http.StateClosed, http.StateHijacked:
		delete(p.open, connection)
	}
}

func (p *APIProxy) handle(forward http.Handler, w http.ResponseWriter, r *http.Request) {
	faults := p.current()
	if faults.Away {
		panic(http.ErrAbortHandler)
	}
	switch {
	case isWatch(r):
		p.Watches.Add(1)
		if faults.WatchesCutAfter > 0 {
			cut := time.AfterFunc(rand.N(faults.WatchesCutAfter), func() { p.cutOne(r) })
			defer cut.Stop()
		}
	case isList(r):
		p.Lists.Add(1)
		if faults.ListDelay > 0 {
			select {
			case <-time.After(rand.N(faults.ListDelay)):
			case <-r.Context().Done():
				return
			}
		}
		if rand.Float64() < faults.ListFailures {
			p.Failed.Add(1)
			if rand.IntN(2) == 0 {
				http.Error(w, "injected failure", http.StatusServiceUnavailable)
				return
			}
			w = &shortWriter{ResponseWriter: w, left: rand.IntN(20_000)}
		}
	}
	forward.ServeHTTP(w, r)
}

// cutOne closes the connection that carries r.
func (p *APIProxy) cutOne(r *http.Request) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for connection := range p.open {
		if connection.RemoteAddr().String() == r.RemoteAddr {
			connection.Close()
		}
	}
}

func (p *APIProxy) inspect(response *http.Response) error {
	if response.StatusCode == http.StatusGone {
		p.Expired.Add(1)
	}
	if isWatch(response.Request) {
		response.Body = &expiryCounter{ReadCloser: response.Body, count: &p.Expired}
	}
	return nil
}

func isWatch(r *http.Request) bool {
	watch := r.URL.Query().Get("watch")
	return watch == "true" || watch == "1"
}

// isList tells collections from single objects, such as the Lease that the leader reads: a collection's path ends with
// the name of the resource.
func isList(r *http.Request) bool {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	version := 2 // api/v1
	if path[0] == "apis" {
		version = 3 // apis/GROUP/VERSION
	}
	if r.Method != http.MethodGet || len(path) <= version {
		return false
	}
	resource := path[version:]
	if resource[0] == "namespaces" && len(resource) > 2 {
		resource = resource[2:]
	}
	return len(resource) == 1
}

// expiryCounter counts ERROR events of code 410 in a watch stream that passes through.
type expiryCounter struct {
	io.ReadCloser
	count *atomic.Int64
	seen  bool
}

func (c *expiryCounter) Read(buffer []byte) (int, error) {
	n, err := c.ReadCloser.Read(buffer)
	if !c.seen && bytes.Contains(buffer[:n], []byte(`"ERROR"`)) && bytes.Contains(buffer[:n], []byte(`"code":410`)) {
		c.seen = true
		c.count.Add(1)
	}
	return n, err
}

// shortWriter lets a body begin and then cuts the connection.
type shortWriter struct {
	http.ResponseWriter
	left int
}

func (w *shortWriter) Write(content []byte) (int, error) {
	if len(content) > w.left {
		w.ResponseWriter.Write(content[:w.left])
		http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	w.left -= len(content)
	return w.ResponseWriter.Write(content)
}

// Describe sums up what passed, for failure messages.
func (p *APIProxy) Describe() string {
	var text strings.Builder
	for _, counter := range []struct {
		name  string
		value *atomic.Int64
	}{{"lists", &p.Lists}, {"watches", &p.Watches}, {"410s", &p.Expired}, {"failed on purpose", &p.Failed}} {
		text.WriteString(" " + counter.name + "=" + itoa(counter.value.Load()))
	}
	return strings.TrimSpace(text.String())
}
