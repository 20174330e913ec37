package harness

import (
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// Every answer of a backend names the address that was asked, in this header.
const backendHeader = "X-E2e-Backend"

// BackendPort is the port that EchoAnywhere listens on, at every address of BackendNetwork.
const BackendPort = 8080

// Echo is a backend's answer in the body: what arrived there.
type Echo struct {
	Backend string      `json:"backend"`
	Method  string      `json:"method"`
	Host    string      `json:"host"`
	Path    string      `json:"path"`
	Header  http.Header `json:"header"`
}

// Address numbers the addresses of BackendNetwork from 1; a test can so count versions in addresses
// and read from an answer which version of an endpoint list produced it.
func Address(number int) string {
	return netip.AddrFrom4([4]byte{10, byte(130 + number>>16), byte(number >> 8), byte(number)}).String()
}

// Number is the inverse of Address; -1 for anything else.
func Number(address string) int {
	parsed, err := netip.ParseAddr(address)
	if err != nil || !parsed.Is4() {
		return -1
	}
	bytes := parsed.As4()
	if bytes[0] != 10 || bytes[1] < 130 {
		return -1
	}
	return int(bytes[1]-130)<<16 | int(bytes[2])<<8 | int(bytes[3])
}

// EchoAnywhere serves at BackendPort of every backend address, until the test ends.
func EchoAnywhere(t testing.TB) {
	t.Helper()
	serve(t, "0.0.0.0:"+strconv.Itoa(BackendPort), echo)
}

// Backend is an echo server at one address, which a test can take away.
type Backend struct {
	Address  string
	server   *http.Server
	requests atomic.Int64
}

// StartBackend serves at address:BackendPort. It must not run beside EchoAnywhere.
func StartBackend(t testing.TB, address string) *Backend {
	t.Helper()
	backend := &Backend{Address: address}
	backend.server = serve(t, net.JoinHostPort(address, strconv.Itoa(BackendPort)),
		func(w http.ResponseWriter, r *http.Request) {
			backend.requests.Add(1)
			echo(w, r)
		})
	return backend
}

// Requests is the number of requests that arrived so far.
func (b *Backend) Requests() int64 { return b.requests.Load() }

// Close stops the backend as a killed pod stops: with all its connections.
func (b *Backend) Close() { b.server.Close() }

func serve(t testing.TB, address string, handler http.HandlerFunc) *http.Server {
	t.Helper()
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:     handler,
		ErrorLog:    log.New(io.Discard, "", 0),
		IdleTimeout: time.Hour,
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return server
}

func echo(w http.ResponseWriter, r *http.Request) {
	local := r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()
	host, _, _ := net.SplitHostPort(local)
	w.Header().Set(backendHeader, host)
	if r.Header.Get("X-E2e-Short") != "" { // load tests want the answer cheap
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "text/plain")
		w.Write([]byte(r.Host))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(Echo{host, r.Method, r.Host, r.URL.RequestURI(), r.Header})
}

func itoa(number int64) string { return strconv.FormatInt(number, 10) }
