package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Programs is the directory with headgate-controller, headgate-dataplane and headgate: HEADGATE_BIN, or the
// release build, or the debug build.
func Programs(t testing.TB) string {
	t.Helper()
	candidates := []string{os.Getenv("HEADGATE_BIN")}
	if candidates[0] == "" {
		root, err := repositoryRoot()
		if err != nil {
			t.Fatal(err)
		}
		candidates = []string{filepath.Join(root, "build/release/bin"), filepath.Join(root, "build/dev/bin")}
	}
	for _, directory := range candidates {
		_, controller := os.Stat(filepath.Join(directory, "headgate-controller"))
		_, dataplane := os.Stat(filepath.Join(directory, "headgate-dataplane"))
		if controller == nil && dataplane == nil {
			return directory
		}
	}
	t.Fatalf("headgate-controller and headgate-dataplane are not in %s; build them or set HEADGATE_BIN",
		strings.Join(candidates, " or "))
	return ""
}

// Options says how to run Headgate. The zero value is what an operator would get by default.
type Options struct {
	ThroughProxy   bool           // put an APIProxy before the API server
	Manifests      string         // directory of YAML to read instead of a cluster, which may then be nil
	MutualTLS      bool           // between controller and data plane, with the certificates of TLSDirectory
	Access         *ShippedAccess // of the controller; nil: that of deploy/
	ControllerArgs []string       // beyond the addresses
	DataPlaneArgs  []string
}

// Headgate is one controller and one data plane serving a cluster.
type Headgate struct {
	Controller *Process
	DataPlane  *Process
	API        *APIProxy // nil without ThroughProxy
	HTTP       string    // addresses of the data plane
	HTTPS      string
	StateDir   string

	t               testing.TB
	programs        string
	directory       string
	cluster         *Cluster
	options         Options
	snapshot        string
	controllerAdmin string
	dataPlaneAdmin  string
}

// StartHeadgate starts both programs, the controller with the access that deploy/ ships, and waits
// until the data plane is ready. Both end with the test, which fails if one ended by itself.
func StartHeadgate(t testing.TB, cluster *Cluster, options Options) *Headgate {
	t.Helper()
	headgate := NewHeadgate(t, cluster, options)
	headgate.StartController()
	headgate.StartDataPlane()
	headgate.AwaitReady(startLimit)
	return headgate
}

// loopback is an address where nothing else in this run listens.
func loopback() string { return fmt.Sprintf("127.0.0.1:%d", Port()) }

// NewHeadgate prepares everything and starts nothing.
func NewHeadgate(t testing.TB, cluster *Cluster, options Options) *Headgate {
	t.Helper()
	h := &Headgate{
		t: t, programs: Programs(t), directory: t.TempDir(), cluster: cluster, options: options,
		HTTP: loopback(), HTTPS: loopback(), snapshot: loopback(),
		controllerAdmin: loopback(), dataPlaneAdmin: loopback(),
	}
	h.StateDir = filepath.Join(h.directory, "state")
	for _, directory := range []string{h.StateDir, h.TLSDirectory()} {
		if err := os.Mkdir(directory, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if options.Manifests == "" {
		h.arrangeAccess()
	}
	t.Cleanup(h.finish)
	return h
}

// arrangeAccess gives the controller the access that deploy/ ships, and a kubeconfig to use it.
func (h *Headgate) arrangeAccess() {
	h.t.Helper()
	server := h.cluster.URL
	if h.options.ThroughProxy {
		h.API = NewAPIProxy(h.t, h.cluster)
		server = h.API.URL
	}
	ctx := context.Background()
	access := h.options.Access
	if access == nil {
		access = ReadShippedAccess(h.t)
	}
	if err := access.Apply(ctx, h.cluster); err != nil {
		h.t.Fatal(err)
	}
	token, err := access.Token(ctx, h.cluster)
	if err != nil {
		h.t.Fatal(err)
	}
	kubeconfig := Kubeconfig{Server: server, Namespace: access.Namespace, CAFile: h.cluster.path("ca.crt"), Token: token}
	if err := kubeconfig.Write(h.kubeconfig()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *Headgate) kubeconfig() string { return filepath.Join(h.directory, "kubeconfig") }

// Snapshot is where the controller listens for data planes.
func (h *Headgate) Snapshot() string { return h.snapshot }

// TLSDirectory holds NAME.crt, NAME.key and NAME-ca.crt, which is whom NAME trusts, of controller and dataplane when the
// options ask for MutualTLS; the test writes them.
func (h *Headgate) TLSDirectory() string { return filepath.Join(h.directory, "tls") }

func (h *Headgate) finish() {
	for _, process := range []*Process{h.DataPlane, h.Controller} {
		if process == nil {
			continue
		}
		if err := process.Failure(); err != nil {
			h.t.Error(err)
		}
		if process.Running() {
			process.Kill()
		}
		if h.t.Failed() {
			h.t.Logf("end of the log of %s:\n%s", process.Name, process.Tail(40))
		}
	}
}

// StartController starts headgate-controller and does not wait.
func (h *Headgate) StartController() {
	h.t.Helper()
	source := "--kubeconfig=" + h.kubeconfig()
	if h.options.Manifests != "" {
		source = "--manifests=" + h.options.Manifests
	}
	arguments := []string{source, "--snapshot-listen=" + h.snapshot, "--admin-listen=" + h.controllerAdmin}
	if h.options.MutualTLS {
		prefix := filepath.Join(h.TLSDirectory(), "controller")
		arguments = append(arguments, "--snapshot-tls-cert="+prefix+".crt", "--snapshot-tls-key="+prefix+".key",
			"--snapshot-client-ca="+prefix+"-ca.crt")
	} else {
		arguments = append(arguments, "--snapshot-insecure")
	}
	arguments = append(arguments, h.options.ControllerArgs...)
	process, err := StartProcess(h.directory, "headgate-controller",
		filepath.Join(h.programs, "headgate-controller"), arguments...)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Controller = process
}

// StartDataPlane starts headgate-dataplane and does not wait.
func (h *Headgate) StartDataPlane() {
	h.t.Helper()
	h.startDataPlane(h.snapshot)
}

// StartDataPlaneAlone starts headgate-dataplane where no controller is, so that it has what it has on
// disk, and does not wait.
func (h *Headgate) StartDataPlaneAlone() {
	h.t.Helper()
	h.startDataPlane(loopback())
}

func (h *Headgate) startDataPlane(controller string) {
	h.t.Helper()
	arguments := []string{
		"--controller=" + controller, "--http-listen=" + h.HTTP, "--https-listen=" + h.HTTPS,
		"--admin-listen=" + h.dataPlaneAdmin, "--workers=2", "--state-dir=" + h.StateDir, "--access-log=off"}
	if h.options.MutualTLS {
		prefix := filepath.Join(h.TLSDirectory(), "dataplane")
		arguments = append(arguments, "--controller-cert="+prefix+".crt", "--controller-key="+prefix+".key",
			"--controller-ca="+prefix+"-ca.crt")
	} else {
		arguments = append(arguments, "--controller-insecure")
	}
	arguments = append(arguments, h.options.DataPlaneArgs...)
	process, err := StartProcess(h.directory, "headgate-dataplane",
		filepath.Join(h.programs, "headgate-dataplane"), arguments...)
	if err != nil {
		h.t.Fatal(err)
	}
	h.DataPlane = process
}

// AwaitReady waits until the data plane's /readyz says 200.
func (h *Headgate) AwaitReady(limit time.Duration) {
	h.t.Helper()
	WaitFor(h.t, limit, "the data plane's /readyz", func() error {
		for _, process := range []*Process{h.Controller, h.DataPlane} {
			if process != nil && process.Failure() != nil {
				h.t.Fatal(process.Failure())
			}
		}
		_, err := fetch(h.dataPlaneAdmin, "/readyz")
		return err
	})
}

// NotReady tells whether the data plane's /readyz still says no.
func (h *Headgate) NotReady() bool {
	_, err := fetch(h.dataPlaneAdmin, "/readyz")
	return err != nil
}

// AwaitControllerReady waits until the controller's /readyz says 200.
func (h *Headgate) AwaitControllerReady(limit time.Duration) {
	h.t.Helper()
	WaitFor(h.t, limit, "the controller's /readyz", func() error {
		if err := h.Controller.Failure(); err != nil {
			h.t.Fatal(err)
		}
		_, err := fetch(h.controllerAdmin, "/readyz")
		return err
	})
}

// AwaitStored waits until the data plane has written what it has to its state directory: until the
// directory holds something and has not grown for a while.
func (h *Headgate) AwaitStored(limit time.Duration) {
	h.t.Helper()
	const quiet = 300 * time.Millisecond
	size, since := int64(-1), time.Now()
	WaitFor(h.t, limit, "the state directory", func() error {
		now := int64(0)
		filepath.WalkDir(h.StateDir, func(_ string, entry fs.DirEntry, err error) error {
			if err == nil {
				if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
					now += info.Size()
				}
			}
			return nil
		})
		if now != size {
			size, since = now, time.Now()
		}
		if size == 0 || time.Since(since) < quiet {
			return fmt.Errorf("%d bytes since %s", size, time.Since(since))
		}
		return nil
	})
}

// Resources is how many resources the data plane holds.
func (h *Headgate) Resources() float64 {
	h.t.Helper()
	return Metric(h.DataPlaneMetrics(), "headgate_config_resources")
}

// DataPlaneAdmin and ControllerAdmin are the addresses of the admin ports.
func (h *Headgate) DataPlaneAdmin() string  { return h.dataPlaneAdmin }
func (h *Headgate) ControllerAdmin() string { return h.controllerAdmin }

// DataPlaneMetrics is the data plane's /metrics.
func (h *Headgate) DataPlaneMetrics() string { return h.mustFetch(h.dataPlaneAdmin, "/metrics") }

// ControllerMetrics is the controller's /metrics.
func (h *Headgate) ControllerMetrics() string { return h.mustFetch(h.controllerAdmin, "/metrics") }

// DataPlaneConfig is the data plane's config dump.
func (h *Headgate) DataPlaneConfig() string { return h.mustFetch(h.dataPlaneAdmin, "/config") }

func (h *Headgate) mustFetch(address, path string) string {
	h.t.Helper()
	body, err := fetch(address, path)
	if err != nil {
		h.t.Fatal(err)
	}
	return body
}

var admin = http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func fetch(address, path string) (string, error) {
	response, err := admin.Get("http://" + address + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s%s: %s", address, path, response.Status)
	}
	return string(body), err
}

// Get asks the data plane once over a new connection.
func (h *Headgate) Get(host, path string) (Answer, error) {
	conn, err := Dial(h.HTTP, "")
	if err != nil {
		return Answer{}, err
	}
	defer conn.Close()
	answer, err := conn.Get(host, path, false)
	if errors.Is(err, ErrClosed) && answer.Status != 0 {
		err = nil // a connection for one request may end after it
	}
	return answer, err
}

// Await waits until a GET is answered with status by one of the backends; none named: any or none.
func (h *Headgate) Await(host, path string, status int, backends ...string) {
	h.t.Helper()
	h.AwaitWithin(10*time.Second, host, path, status, backends...)
}

// AwaitWithin is Await with a limit.
func (h *Headgate) AwaitWithin(limit time.Duration, host, path string, status int, backends ...string) {
	h.t.Helper()
	WaitFor(h.t, limit, fmt.Sprintf("http://%s%s to answer %d %v", host, path, status, backends), func() error {
		answer, err := h.Get(host, path)
		if err != nil {
			return err
		}
		return answer.Expect(status, backends...)
	})
}

// Expect compares an answer with what should have come.
func (a Answer) Expect(status int, backends ...string) error {
	if a.Status != status {
		return fmt.Errorf("status %d, want %d", a.Status, status)
	}
	if len(backends) == 0 {
		return nil
	}
	for _, backend := range backends {
		if a.Backend == backend {
			return nil
		}
	}
	return fmt.Errorf("answered by %q, want %v", a.Backend, backends)
}

// AwaitSerial waits until a TLS handshake for host shows the certificate with this serial number.
func (h *Headgate) AwaitSerial(host string, serial int64) {
	h.t.Helper()
	WaitFor(h.t, 10*time.Second, fmt.Sprintf("certificate %d for %s", serial, host), func() error {
		got, err := h.Serial(host)
		if err == nil && got != serial {
			err = fmt.Errorf("certificate %d", got)
		}
		return err
	})
}

// Serial is the serial number of the certificate shown for host.
func (h *Headgate) Serial(host string) (int64, error) {
	conn, err := Dial(h.HTTPS, host)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.Serial(), nil
}

// Metric adds up the samples of a metric in Prometheus text whose labels contain all given parts.
func Metric(text, name string, labels ...string) float64 {
	sum := 0.0
	for line := range strings.SplitSeq(text, "\n") {
		end := strings.LastIndexByte(line, ' ')
		if end < 0 || !strings.HasPrefix(line, name) {
			continue
		}
		series := line[:end]
		if rest := series[len(name):]; rest != "" && rest[0] != '{' {
			continue
		}
		matches := true
		for _, label := range labels {
			matches = matches && strings.Contains(series, label)
		}
		var value float64
		if matches && json.Unmarshal([]byte(line[end+1:]), &value) == nil {
			sum += value
		}
	}
	return sum
}
