package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"headgate.dev/headgate/e2e/harness"
)

// Certificates by ACME as cert-manager gets them: for each challenge an Ingress, a Service and a pod of its
// own, which exist until the challenge is decided, and a Secret that appears, and later changes.

const solverPort = 8089 // cert-manager's

// solver is the pod that answers one challenge, and nothing else. It remembers who asked.
type solver struct {
	host, path, answer string

	mutex  sync.Mutex
	agents []string
	wrong  []string
}

func (s *solver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	host, _, _ := strings.Cut(r.Host, ":")
	scheme := r.Header.Get("X-Forwarded-Proto")
	if host != s.host || r.URL.EscapedPath() != s.path || scheme != "http" {
		s.wrong = append(s.wrong, fmt.Sprintf("%s %s://%s%s", r.Method, scheme, r.Host, r.URL))
		http.NotFound(w, r)
		return
	}
	s.agents = append(s.agents, r.UserAgent())
	io.WriteString(w, s.answer)
}

// validations is how often the ACME server asked, and what else was asked for.
func (s *solver) validations() (count int, wrong []string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, agent := range s.agents {
		if strings.Contains(agent, "Pebble") {
			count++
		}
	}
	return count, s.wrong
}

// issuer plays cert-manager, with an account at the server.
type issuer struct {
	t        *testing.T
	space    *harness.Space
	headgate *harness.Headgate
	pebble   *harness.Pebble
	client   *acme.Client
	address  string // of the solvers
	serial   int    // of challenges
}

func newIssuer(t *testing.T, space *harness.Space, headgate *harness.Headgate, address string) *issuer {
	t.Helper()
	pebble := harness.StartPebble(t, headgate)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client := &acme.Client{Key: key, DirectoryURL: pebble.Directory, HTTPClient: pebble.Client}
	if _, err := client.Register(context.Background(), &acme.Account{}, acme.AcceptTOS); err != nil {
		t.Fatal(err)
	}
	return &issuer{t: t, space: space, headgate: headgate, pebble: pebble, client: client, address: address}
}

// issue orders a certificate for host, which must be validated for it.
func (i *issuer) issue(host string) harness.KeyPair {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	order, err := i.client.AuthorizeOrder(ctx, acme.DomainIDs(host))
	if err != nil {
		i.t.Fatal(err)
	}
	for _, url := range order.AuthzURLs {
		authorization, err := i.client.GetAuthorization(ctx, url)
		if err != nil {
			i.t.Fatal(err)
		}
		if authorization.Status != acme.StatusPending {
			i.t.Fatalf("an authorization that is %s needs no challenge", authorization.Status)
		}
		for _, challenge := range authorization.Challenges {
			if challenge.Type == "http-01" {
				i.solve(ctx, host, url, challenge)
			}
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		i.t.Fatal(err)
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{host}}, key)
	if err != nil {
		i.t.Fatal(err)
	}
	chain, _, err := i.client.CreateCertFromOrder(ctx, order, request, true)
	if err != nil {
		i.t.Fatalf("%v; the end of Pebble's log:\n%s", err, i.pebble.Tail(20))
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		i.t.Fatal(err)
	}
	pair := harness.KeyPair{Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})}
	for _, der := range chain {
		pair.Certificate = append(pair.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return pair
}

// solve has the challenge answered through Headgate until the server has decided.
func (i *issuer) solve(ctx context.Context, host, authorization string, challenge *acme.Challenge) {
	i.t.Helper()
	answer, err := i.client.HTTP01ChallengeResponse(challenge.Token)
	if err != nil {
		i.t.Fatal(err)
	}
	solver := &solver{host: host, path: i.client.HTTP01ChallengePath(challenge.Token), answer: answer}
	listener, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", i.address, solverPort))
	if err != nil {
		i.t.Fatal(err)
	}
	server := &http.Server{Handler: solver}
	go server.Serve(listener)
	defer server.Close()

	i.serial++
	objects := i.objects(fmt.Sprintf("cm-acme-http-solver-%d", i.serial), host, solver.path)
	i.space.Create(objects...)
	defer func() { // with the Ingress the path is the site's again, and redirected as all of it
		slices.Reverse(objects)
		i.space.Delete(objects...)
		i.headgate.Await(host, solver.path, http.StatusPermanentRedirect)
	}()
	// cert-manager tells the server only when it sees the answer itself.
	harness.WaitFor(i.t, answerSoon, "the challenge's answer", func() error {
		got, err := i.headgate.Get(host, solver.path)
		if err == nil && (got.Status != http.StatusOK || string(got.Body) != answer) {
			err = fmt.Errorf("%d %q", got.Status, got.Body)
		}
		return err
	})
	i.expectRedirect(host)
	if _, err := i.client.Accept(ctx, challenge); err != nil {
		i.t.Fatal(err)
	}
	if _, err := i.client.WaitAuthorization(ctx, authorization); err != nil {
		i.t.Fatalf("%v; the end of Pebble's log:\n%s", err, i.pebble.Tail(20))
	}
	validations, wrong := solver.validations()
	if validations == 0 || len(wrong) > 0 {
		i.t.Errorf("validated %d times over plain HTTP; and asked for %v", validations, wrong)
	}
}

// expectRedirect is what makes the challenge's path special: all others go to HTTPS.
func (i *issuer) expectRedirect(host string) {
	i.t.Helper()
	answer, err := i.headgate.Get(host, "/")
	if err != nil || answer.Status != http.StatusPermanentRedirect || answer.Header.Get("Location") != "https://"+host {
		i.t.Errorf("http://%s/: %d to %q, %v", host, answer.Status, answer.Header.Get("Location"), err)
	}
}

// objects describes what cert-manager makes for a challenge; the pod is this process.
func (i *issuer) objects(name, host, path string) []any {
	service := i.space.Service(name)
	service.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: solverPort, TargetPort: intstr.FromInt32(solverPort)}}
	slice, port := i.space.Slice(name, i.address), int32(solverPort)
	slice.Ports[0].Port = &port
	ingress := i.space.Ingress(name, host, path, name)
	ingress.Annotations = map[string]string{"nginx.ingress.kubernetes.io/whitelist-source-range": "0.0.0.0/0,::/0"}
	pathType := networkingv1.PathTypeImplementationSpecific
	ingress.Spec.Rules[0].HTTP.Paths[0].PathType = &pathType
	ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Port.Number = solverPort
	return []any{service, slice, ingress}
}

// serialOf is the serial number of the first certificate.
func serialOf(t *testing.T, pair harness.KeyPair) *big.Int {
	t.Helper()
	certificate, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return certificate.Leaf.SerialNumber
}

// awaitTrusted waits until a client that trusts roots alone gets this certificate for host.
func awaitTrusted(t *testing.T, headgate *harness.Headgate, host string, roots *x509.CertPool, serial *big.Int) {
	t.Helper()
	began := time.Now()
	harness.WaitFor(t, answerSoon, "the issued certificate", func() error {
		conn, err := tls.Dial("tcp", headgate.HTTPS, &tls.Config{ServerName: host, RootCAs: roots})
		if err != nil {
			return err
		}
		defer conn.Close()
		if got := conn.ConnectionState().PeerCertificates[0].SerialNumber; got.Cmp(serial) != 0 {
			return fmt.Errorf("certificate %s, want %s", got, serial)
		}
		return nil
	})
	measured(t, "an issued certificate is served %s after its Secret", time.Since(began).Round(time.Millisecond))
}

func TestCertificatesAreIssuedAndRenewedUnderLoad(t *testing.T) {
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	backend := harness.StartBackend(t, harness.Address(1))
	host := space.Host("www")
	site := secured(space.Ingress("www", host, "/", "web"), "www-tls")
	// Before there is a certificate a host redirects only if told to.
	site.Annotations = map[string]string{"nginx.ingress.kubernetes.io/force-ssl-redirect": "true"}
	space.Create(space.Service("web"), space.Slice("web", backend.Address), site)
	headgate.Await(host, "/", http.StatusPermanentRedirect)
	load := harness.StartLoad(t, harness.LoadOptions{Address: headgate.HTTPS, Connections: 16, Pause: pace, ServerName: host},
		func(conn *harness.Conn, _, _ int) error {
			answer, err := conn.Get(host, "/", true)
			if err != nil {
				return err
			}
			return answer.Expect(200, backend.Address)
		})

	issuer := newIssuer(t, space, headgate, harness.Address(2))
	roots := issuer.pebble.Roots(t)
	pair := issuer.issue(host)
	space.Create(space.Secret("www-tls", pair))
	awaitTrusted(t, headgate, host, roots, serialOf(t, pair))

	// From here on it is the certificate that makes the redirect, as on most hosts.
	site.Annotations = nil
	space.Update(site)
	for range full(2, 20) {
		load.AwaitRequests(t, 300)
		renewed := issuer.issue(host)
		space.Update(space.Secret("www-tls", renewed))
		awaitTrusted(t, headgate, host, roots, serialOf(t, renewed))
	}
	load.AwaitRequests(t, 300)
	load.StopClean(t)
}
