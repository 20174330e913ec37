package harness

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Pebble is the test server of Let's Encrypt's makers, which speaks ACME (RFC 8555), with a DNS server
// by which every name is this host. It validates HTTP-01 at the port of a data plane.
type Pebble struct {
	Directory string       // the URL where ACME begins
	Client    *http.Client // trusts the server itself

	server     *Process
	management string
}

// StartPebble starts both programs and waits until the server answers. They end with the test.
func StartPebble(t testing.TB, headgate *Headgate) *Pebble {
	t.Helper()
	root, err := repositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	directory, program := t.TempDir(), filepath.Join(root, "scripts", "pebble")
	start := func(name string, arguments ...string) *Process {
		process, err := StartProcess(directory, name, program, append([]string{name}, arguments...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := process.Failure(); err != nil {
				t.Error(err)
			} else {
				process.Kill()
			}
		})
		return process
	}

	authority, err := NewAuthority("headgate-e2e-pebble")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(Identity{CommonName: "pebble", Hosts: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.Write(filepath.Join(directory, "pebble")); err != nil {
		t.Fatal(err)
	}
	listen, management, names := loopback(), loopback(), loopback()
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": management, "keyAlgorithm": "ecdsa",
		"certificate": filepath.Join(directory, "pebble.crt"), "privateKey": filepath.Join(directory, "pebble.key"),
		"httpPort": portOf(t, headgate.HTTP), "tlsPort": portOf(t, headgate.HTTPS),
		"retryAfter": map[string]int{"authz": 1, "order": 1},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PEBBLE_VA_NOSLEEP", "1") // it would else wait for up to 15 s before each validation
	t.Setenv("PEBBLE_AUTHZREUSE", "0") // a renewal is validated like the first time
	start("pebble-challtestsrv", "-dnsserver="+names, "-management="+loopback(), "-defaultIPv4=127.0.0.1",
		"-defaultIPv6=", "-http01=", "-https01=", "-tlsalpn01=", "-doh=")
	pebble := &Pebble{
		Directory: "https://" + listen + "/dir", management: "https://" + management,
		Client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: trust(authority.Pool())}},
	}
	pebble.server = start("pebble", "-config=config.json", "-dnsserver="+names)
	for _, url := range []string{pebble.Directory, pebble.management + "/roots/0"} {
		err := Until(context.Background(), startLimit, 20*time.Millisecond, func() error {
			if err := pebble.server.Failure(); err != nil {
				t.Fatal(err)
			}
			_, err := pebble.get(url)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return pebble
}

// Roots are the authorities that a client must trust to trust what the server issues.
func (p *Pebble) Roots(t testing.TB) *x509.CertPool {
	t.Helper()
	root, err := p.get(p.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		t.Fatalf("no certificate in %q", root)
	}
	return pool
}

// Tail is the last lines of the server's log.
func (p *Pebble) Tail(lines int) string { return p.server.Tail(lines) }

func (p *Pebble) get(url string) ([]byte, error) {
	response, err := p.Client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

func portOf(t testing.TB, address string) int {
	t.Helper()
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
