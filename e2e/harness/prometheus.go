package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Prometheus is a real one that scrapes a controller and a data plane every second.
type Prometheus struct {
	Address string
}

// Sample is one element of an instant vector.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Rule is an alert rule and what became of it.
type Rule struct {
	Name      string `json:"name"`
	Query     string `json:"query"`
	State     string `json:"state"`  // inactive, pending or firing
	Health    string `json:"health"` // unknown until it has been evaluated, then ok or err
	LastError string `json:"lastError"`
}

// StartPrometheus scrapes with the labels that a ServiceMonitor sets, so that labels of the same name in what is scraped
// become exported_namespace and so on, and evaluates the rules of a file. It ends with the test.
func StartPrometheus(t testing.TB, headgate *Headgate, rules string) *Prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatalf("%v: run scripts/setup e2e", err)
	}
	rules, err = filepath.Abs(rules)
	if err != nil {
		t.Fatal(err)
	}
	job := func(component, address string) map[string]any {
		service := "headgate-" + component + "-metrics"
		return map[string]any{"job_name": service, "static_configs": []any{map[string]any{
			"targets": []string{address},
			"labels": map[string]string{"namespace": "headgate", "service": service, "endpoint": "metrics",
				"container": component, "pod": "headgate-" + component + "-0"}}}}
	}
	// What is JSON is YAML too.
	config, err := json.Marshal(map[string]any{
		"global":     map[string]string{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"rule_files": []string{rules},
		"scrape_configs": []any{
			job("controller", headgate.controllerAdmin), job("dataplane", headgate.dataPlaneAdmin)},
	})
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	file := filepath.Join(directory, "prometheus.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Prometheus{Address: fmt.Sprintf("127.0.0.1:%d", Port())}
	process, err := StartProcess(directory, "prometheus", program, "--config.file="+file,
		"--storage.tsdb.path="+filepath.Join(directory, "data"), "--web.listen-address="+p.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Failure(); err != nil {
			t.Error(err)
		}
		process.Kill()
	})
	WaitFor(t, startLimit, "Prometheus", func() error {
		if err := process.Failure(); err != nil {
			t.Fatal(err)
		}
		_, err := fetch(p.Address, "/-/ready")
		return err
	})
	return p
}

// Query evaluates an expression now and returns what is a number.
func (p *Prometheus) Query(expression string) ([]Sample, error) {
	var answer struct {
		Type   string `json:"resultType"`
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	if err := p.get("query", url.Values{"query": {expression}}, &answer); err != nil {
		return nil, err
	}
	if answer.Type != "vector" {
		return nil, fmt.Errorf("a %s, not a vector", answer.Type)
	}
	samples := []Sample{}
	for _, element := range answer.Result {
		text, _ := element.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(value) {
			samples = append(samples, Sample{element.Metric, value})
		}
	}
	return samples, nil
}

// LabelValues is what Grafana's label_values(selector, label) asks for.
func (p *Prometheus) LabelValues(selector, label string) (values []string, err error) {
	return values, p.get("label/"+label+"/values", url.Values{"match[]": {selector}}, &values)
}

// Rules are those of the file.
func (p *Prometheus) Rules() (rules []Rule, err error) {
	var answer struct{ Groups []struct{ Rules []Rule } }
	err = p.get("rules", nil, &answer)
	for _, group := range answer.Groups {
		rules = append(rules, group.Rules...)
	}
	return rules, err
}

func (p *Prometheus) get(path string, arguments url.Values, data any) error {
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Get("http://" + p.Address + "/api/v1/" + path + "?" + arguments.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return errors.New(answer.Error)
	}
	return nil
}
