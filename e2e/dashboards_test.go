package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/yaml"
)

// Dashboards and alert rules as files, and as the chart renders them. What they ask for is in prometheus_test.go.

const alertsFile = "../helm/headgate/alerts.yaml"

// dashboard is what matters here of Grafana's JSON.
type dashboard struct {
	UID, Title string
	Panels     []panel
	Templating struct{ List []variable }
}

type panel struct {
	ID          int
	Type, Title string
	Datasource  struct{ UID string }
	GridPos     struct{ X, Y, W, H int }
	Targets     []query
}

type query struct{ RefID, LegendFormat, Expr string }

type variable struct {
	Name, Type string
	Query      json.RawMessage
}

func readDashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	paths, err := filepath.Glob("../helm/headgate/dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d dashboards (%v)", len(paths), err)
	}
	boards := map[string]dashboard{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var board dashboard
		if err := json.Unmarshal(content, &board); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		boards[filepath.Base(path)] = board
	}
	return boards
}

var reference = regexp.MustCompile(`\$\{?(\w+)\}?`)

func TestDashboardsAreInOrder(t *testing.T) {
	uids := map[string]string{}
	for file, board := range readDashboards(t) {
		if other := uids[board.UID]; board.UID == "" || other != "" {
			t.Errorf("%s: the uid %q is also that of %q", file, board.UID, other)
		}
		uids[board.UID] = file
		known := map[string]bool{"__rate_interval": true}
		for _, v := range board.Templating.List {
			known[v.Name] = true
		}
		ids, covered := map[int]string{}, map[[2]int]string{}
		for _, p := range board.Panels {
			if other := ids[p.ID]; other != "" {
				t.Errorf("%s: %q and %q have the same id", file, other, p.Title)
			}
			ids[p.ID] = p.Title
			if p.GridPos.W < 1 || p.GridPos.H < 1 || p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: %q leaves the grid", file, p.Title)
			}
			for x := range p.GridPos.W {
				for y := range p.GridPos.H {
					cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
					if other := covered[cell]; other != "" && other != p.Title {
						t.Fatalf("%s: %q and %q overlap", file, other, p.Title)
					}
					covered[cell] = p.Title
				}
			}
			if p.Type == "row" {
				continue
			}
			if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
				t.Errorf("%s: %q asks nobody or nothing", file, p.Title)
			}
			for _, target := range p.Targets {
				for _, name := range reference.FindAllStringSubmatch(target.Expr, -1) {
					if !known[name[1]] {
						t.Errorf("%s: %q: no variable is called %q", file, p.Title, name[1])
					}
				}
			}
		}
	}
}

// alerts are the rules of a file or a PrometheusRule, by name.
type alerts struct {
	Groups []struct {
		Rules []struct{ Alert, Expr string }
	}
}

func (a alerts) byName() map[string]string {
	rules := map[string]string{}
	for _, group := range a.Groups {
		for _, rule := range group.Rules {
			rules[rule.Alert] = rule.Expr
		}
	}
	return rules
}

func TestTheChartHasTheDashboardsAndAlerts(t *testing.T) {
	content, err := os.ReadFile(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	var file alerts
	if err := yaml.Unmarshal(content, &file); err != nil {
		t.Fatal(err)
	}
	want := file.byName()
	delete(want, "HeadgateNoLeader")
	want["Mine"] = "vector(1)"
	arguments := []string{"template", "edge", "../helm/headgate", "--kube-version=1.36.0", "--show-only=templates/monitoring.yaml"}
	for _, setting := range values["monitoring"] {
		arguments = append(arguments, "--set="+setting)
	}
	boards := map[string]string{}
	decoder := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(repository(t, "scripts/helm", arguments...))))
	for {
		document, err := decoder.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var object struct {
			Kind     string
			Metadata struct{ Labels map[string]string }
			Data     map[string]string
			Spec     alerts
		}
		if err == nil {
			err = yaml.Unmarshal(document, &object)
		}
		if err != nil {
			t.Fatal(err)
		}
		switch object.Kind {
		case "ConfigMap":
			if object.Metadata.Labels["grafana_dashboard"] != "1" {
				t.Errorf("the sidecar would not find %v", slices.Collect(maps.Keys(object.Data)))
			}
			maps.Copy(boards, object.Data)
		case "PrometheusRule":
			if got := object.Spec.byName(); !maps.Equal(got, want) {
				t.Errorf("the rules are %v, not %v", got, want)
			}
			want = nil
		}
	}
	if want != nil {
		t.Error("there is no PrometheusRule")
	}
	for name := range readDashboards(t) {
		content, err := os.ReadFile(filepath.Join("../helm/headgate/dashboards", name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(boards[name]) != strings.TrimSpace(string(content)) {
			t.Errorf("no ConfigMap holds %s as it is", name)
		}
	}
}
