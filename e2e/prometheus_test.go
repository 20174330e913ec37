package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"

	"headgate.dev/headgate/e2e/harness"
)

// A real Prometheus that scrapes both programs finds data for every query of dashboards and alert rules, and docs/metrics.md
// lists what it finds.

// scrapes is what $__rate_interval stands for here, with a scrape a second.
const scrapes = "20s"

// scene is a cluster, its Headgate and clients, arranged so that every series has something to show.
type scene struct {
	t        *testing.T
	cluster  *harness.Cluster
	space    *harness.Space
	webhook  *webhook
	headgate *harness.Headgate
	tcpPort  int
	round    int
}

func newScene(t *testing.T) *scene {
	t.Helper()
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	s := &scene{t: t, cluster: cluster, space: cluster.NewSpace(t), tcpPort: harness.Port()}
	space := s.space

	// Nothing listens where the endpoints of dead are, and the second one of lame.
	dead := space.Slice("dead", harness.Address(3))
	*dead.Ports[0].Port = int32(harness.Port())
	gone := space.Slice("lame", harness.Address(3))
	gone.Name, gone.Ports = "lame-2", dead.Ports
	lame := space.Service("lame")
	lame.Annotations = map[string]string{
		"headgate.dev/health-check": "tcp", "headgate.dev/health-check-interval": "500ms",
		"headgate.dev/health-check-fall": "1", "headgate.dev/max-connections": "100", "headgate.dev/max-fails": "1"}
	odd := space.Ingress("odd", space.Host("odd"), "/", "web")
	odd.Annotations = map[string]string{"nginx.ingress.kubernetes.io/permanent-redirect": "no address"}
	safe := space.Ingress("safe", space.Host("safe"), "/", "web")
	safe.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{space.Host("safe")}, SecretName: "safe"}}
	// The data plane cannot have a port that others have.
	taken, err := net.Listen("tcp", fmt.Sprintf(":%d", harness.Port()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	service := space.Name + "/web:80"
	space.Create(
		space.Service("web"), space.Slice("web", harness.Address(1)), space.Ingress("web", space.Host("web"), "/", "web"),
		lame, space.Slice("lame", harness.Address(2)), gone, space.Ingress("lame", space.Host("lame"), "/", "lame"),
		space.Service("dead"), dead, space.Ingress("dead", space.Host("dead"), "/", "dead"),
		space.Secret("safe", certificate(t, 1, space.Host("safe"))), safe, odd,
		space.ConfigMap("tcp", map[string]string{
			fmt.Sprint(s.tcpPort): service, fmt.Sprint(taken.Addr().(*net.TCPAddr).Port): service}))

	s.webhook = newWebhook(t, cluster, "--tcp-services-configmap="+space.Name+"/tcp", "--publish-status-address=192.0.2.1")
	s.headgate = s.webhook.headgate
	s.headgate.StartDataPlane()
	s.headgate.AwaitReady(startSoon)
	awaitLead(t, s.headgate, startSoon)
	return s
}

// act does once what clients, API servers and rolling updates do. What comes of it is seen in the metrics.
func (s *scene) act() {
	s.round++
	s.space.Update(s.space.Slice("web", harness.Address(10+s.round%2)))
	_ = s.webhook.try(s.webhook.ingress("candidate"))
	for range 5 {
		for _, host := range []string{"web", "lame", "dead", "nobody"} {
			_, _ = s.headgate.Get(s.space.Host(host), "/")
		}
	}
	_, _ = s.headgate.Serial(s.space.Host("safe"))
	if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.tcpPort)); err == nil {
		conn.Close()
	}
}

// awaitAll acts until every check returns nil.
func (s *scene) awaitAll(limit time.Duration, checks map[string]func() error) {
	s.t.Helper()
	err := harness.Until(s.t.Context(), limit, 300*time.Millisecond, func() error {
		s.act()
		var missing []error
		for _, name := range slices.Sorted(maps.Keys(checks)) {
			if err := checks[name](); err != nil {
				missing = append(missing, fmt.Errorf("%s: %w", name, err))
			} else {
				delete(checks, name)
			}
		}
		return errors.Join(missing...)
	})
	if err != nil {
		s.t.Error(err)
	}
}

func TestPrometheusAnswersDashboardsAndAlerts(t *testing.T) {
	s := newScene(t)
	prometheus := harness.StartPrometheus(t, s.headgate, alertsFile)
	t.Run("dashboards", func(t *testing.T) {
		s.t = t
		checks := map[string]func() error{}
		for file, board := range readDashboards(t) {
			for _, p := range board.Panels {
				for _, target := range p.Targets {
					checks[fmt.Sprintf("%s, panel %d, %s", file, p.ID, target.RefID)] = func() error {
						values, err := chooseAll(prometheus, board)
						if err != nil {
							return err
						}
						return hasData(prometheus, fill(target.Expr, values), labelsOf(target.LegendFormat)...)
					}
				}
			}
		}
		t.Logf("%d queries of panels", len(checks))
		s.awaitAll(time.Minute, checks)
	})

	t.Run("alerts", func(t *testing.T) {
		s.t = t
		checkAlerts(t, s, prometheus)
	})

	t.Run("docs", func(t *testing.T) { checkMetricsPage(t, s.cluster, s.headgate) })

	t.Run("absence", func(t *testing.T) { checkAbsence(t, s.headgate, prometheus) })
}

// hasData wants numbers, with a label each at least once.
func hasData(prometheus *harness.Prometheus, expression string, labels ...string) error {
	samples, err := prometheus.Query(expression)
	if err != nil {
		return err
	}
	if len(samples) == 0 {
		return fmt.Errorf("no data: %s", expression)
	}
	for _, label := range labels {
		if !slices.ContainsFunc(samples, func(s harness.Sample) bool { return s.Labels[label] != "" }) {
			return fmt.Errorf("nothing has the label %q: %s", label, expression)
		}
	}
	return nil
}

var legendLabel = regexp.MustCompile(`\{\{(\w+)\}\}`)

func labelsOf(legend string) (labels []string) {
	for _, match := range legendLabel.FindAllStringSubmatch(legend, -1) {
		labels = append(labels, match[1])
	}
	return labels
}

var labelValues = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

// chooseAll is what Grafana does with "All" chosen in every list of a dashboard: the values of each, as one pattern.
func chooseAll(prometheus *harness.Prometheus, board dashboard) (map[string]string, error) {
	values := map[string]string{"__rate_interval": scrapes}
	for _, v := range board.Templating.List {
		if v.Type != "query" {
			continue
		}
		var asked struct{ Query string }
		if err := json.Unmarshal(v.Query, &asked); err != nil {
			return nil, err
		}
		parts := labelValues.FindStringSubmatch(fill(asked.Query, values))
		if parts == nil {
			return nil, fmt.Errorf("$%s: %q is not understood", v.Name, asked.Query)
		}
		found, err := prometheus.LabelValues(parts[1], parts[2])
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("nothing to choose from: %s", parts[0])
		}
		if err != nil {
			return nil, fmt.Errorf("$%s: %w", v.Name, err)
		}
		for i := range found {
			found[i] = strings.ReplaceAll(regexp.QuoteMeta(found[i]), `\`, `\\`)
		}
		values[v.Name] = "(" + strings.Join(found, "|") + ")"
	}
	return values, nil
}

func fill(text string, values map[string]string) string {
	return reference.ReplaceAllStringFunc(text, func(match string) string {
		return values[reference.FindStringSubmatch(match)[1]]
	})
}

var selector = regexp.MustCompile(`(?:headgate_|process_)\w+(?:\{[^}]*\})?`)

// checkAlerts wants that Prometheus can evaluate every rule, that what a rule looks at is there, and that what is wrong in the
// scene, and nothing else, is on its way to become an alert.
func checkAlerts(t *testing.T, s *scene, prometheus *harness.Prometheus) {
	tests, err := os.ReadFile("../tests/alerts/alerts_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := prometheus.Rules()
	if err != nil || len(rules) == 0 {
		t.Fatalf("%d rules (%v)", len(rules), err)
	}
	checks := map[string]func() error{}
	for _, rule := range rules {
		if !strings.Contains(string(tests), "alertname: "+rule.Name+"\n        exp_alerts:") {
			t.Errorf("no test in tests/alerts sees %s become an alert", rule.Name)
		}
		if rule.Name == renewalAlert {
			continue // nothing is renewed in the scene; it is raised in renewal_test.go
		}
		for _, series := range selector.FindAllString(rule.Query, -1) {
			checks[rule.Name+", "+series] = func() error { return hasData(prometheus, series) }
		}
	}
	s.awaitAll(time.Minute, checks)

	// The site's certificate is issued for a week, which is soon; the requests to dead alone are more than may be tried again.
	wrong := []string{"HeadgateCertificatesExpire", "HeadgateEndpointsUnhealthy", "HeadgateObjectsRejected",
		"HeadgateResourcesRefused", "HeadgateRetriesOverBudget", "HeadgateServerErrors", "HeadgateUpstreamsUnreachable"}
	s.awaitAll(time.Minute, map[string]func() error{"alerts": func() error {
		raised, err := raisedBy(prometheus)
		if err == nil && !slices.Equal(raised, wrong) {
			err = fmt.Errorf("%v are raised, not %v", raised, wrong)
		}
		return err
	}})
}

// raisedBy names, in order, the rules whose condition holds, whether for long enough or not yet.
func raisedBy(prometheus *harness.Prometheus) (raised []string, err error) {
	rules, err := prometheus.Rules()
	for _, rule := range rules {
		if rule.Health != "ok" {
			return nil, fmt.Errorf("%s: %s %s", rule.Name, rule.Health, rule.LastError)
		}
		if rule.State != "inactive" {
			raised = append(raised, rule.Name)
		}
	}
	slices.Sort(raised)
	return raised, err
}

// checkAbsence ends one program after the other, and wants to hear of it.
func checkAbsence(t *testing.T, headgate *harness.Headgate, prometheus *harness.Prometheus) {
	for _, end := range []struct {
		process *harness.Process
		alerts  []string
	}{
		{headgate.DataPlane, []string{"HeadgateDataPlaneAbsent", "HeadgateNoDataPlane"}},
		{headgate.Controller, []string{"HeadgateControllerAbsent"}},
	} {
		end.process.Kill()
		harness.WaitFor(t, time.Minute, fmt.Sprintf("the alerts %v", end.alerts), func() error {
			raised, err := raisedBy(prometheus)
			for _, name := range end.alerts {
				if err == nil && !slices.Contains(raised, name) {
					err = fmt.Errorf("%v are raised, not %s", raised, name)
				}
			}
			return err
		})
	}
}

var (
	family     = regexp.MustCompile(`(?m)^# TYPE (\w+) `)
	documented = regexp.MustCompile("`([a-z0-9_]+)`")
)

// checkMetricsPage wants that docs/metrics.md names what the programs show, and nothing else.
func checkMetricsPage(t *testing.T, cluster *harness.Cluster, headgate *harness.Headgate) {
	files := harness.NewHeadgate(t, nil, harness.Options{Manifests: t.TempDir()})
	// What it is asked for it may not do here, but counts.
	nodes := harness.NewHeadgate(t, cluster, harness.Options{MutualTLS: true, ControllerArgs: append(
		admissionFlags(t, fmt.Sprintf("127.0.0.1:%d", harness.Port()), "2160h"), "--publish-nodes-of=no=pods",
		"--snapshot-secret=headgate/controller", "--snapshot-client-secret=headgate/dataplane", "--snapshot-names=127.0.0.1")})
	writeSnapshotTLS(t, nodes.TLSDirectory(), false)
	for _, other := range []*harness.Headgate{files, nodes} {
		other.StartController()
		other.AwaitControllerReady(startSoon)
	}
	shown := map[string]bool{}
	for _, page := range []string{headgate.ControllerMetrics(), headgate.DataPlaneMetrics(), files.ControllerMetrics(),
		nodes.ControllerMetrics()} {
		for _, match := range family.FindAllStringSubmatch(page, -1) {
			shown[match[1]] = true
		}
	}
	content, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, match := range documented.FindAllStringSubmatch(string(content), -1) {
		named[match[1]] = true
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if !named[name] && !named[strings.TrimPrefix(name, "nginx_ingress_controller_")] {
			t.Errorf("docs/metrics.md does not name %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if strings.HasPrefix(name, "headgate_") && name != "headgate_" && !shown[name] {
			t.Errorf("docs/metrics.md names %s, which nobody shows", name)
		}
	}
}
