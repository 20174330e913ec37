package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"headgate.dev/headgate/e2e/harness"
)

// warnings collects what an API server warns of.
type warnings struct {
	mutex sync.Mutex
	texts []string
}

func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.texts = append(w.texts, text)
}

// take returns them, and forgets them.
func (w *warnings) take() string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	all := strings.Join(w.texts, "\n")
	w.texts = nil
	return all
}

// webhook is a controller that an API server asks about Ingresses, and a client that does what a user would.
type webhook struct {
	t        *testing.T
	headgate *harness.Headgate
	space    *harness.Space
	client   kubernetes.Interface
	warned   *warnings
	prefix   string // of the certificate's files
	site     *harness.Authority
}

func newWebhook(t *testing.T, cluster *harness.Cluster, arguments ...string) *webhook {
	t.Helper()
	w := &webhook{t: t, space: cluster.NewSpace(t), warned: &warnings{}, prefix: filepath.Join(t.TempDir(), "webhook")}
	config := rest.CopyConfig(cluster.Config)
	config.WarningHandler = w.warned
	var err error
	if w.client, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	if w.site, err = harness.NewAuthority("headgate-webhook"); err != nil {
		t.Fatal(err)
	}
	w.issue()
	address := fmt.Sprintf("127.0.0.1:%d", harness.Port())
	w.headgate = harness.NewHeadgate(t, cluster, harness.Options{ControllerArgs: append(arguments,
		"--validating-webhook="+address, "--validating-webhook-certificate="+w.prefix+".crt",
		"--validating-webhook-key="+w.prefix+".key")})
	w.headgate.StartController()
	w.headgate.AwaitControllerReady(startSoon)

	url, ignore, none, limit := "https://"+address+"/networking/v1/ingresses", admissionv1.Ignore, admissionv1.SideEffectClassNone, int32(5)
	configuration := &admissionv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: w.space.Name},
		Webhooks: []admissionv1.ValidatingWebhook{{
			Name: "ingress.headgate.dev", AdmissionReviewVersions: []string{"v1"}, FailurePolicy: &ignore,
			SideEffects: &none, TimeoutSeconds: &limit,
			ClientConfig: admissionv1.WebhookClientConfig{URL: &url, CABundle: w.site.PEM},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
				Rule: admissionv1.Rule{APIGroups: []string{"networking.k8s.io"}, APIVersions: []string{"v1"},
					Resources: []string{"ingresses"}}}},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.space.Name}},
		}}}
	if _, err := w.client.AdmissionregistrationV1().ValidatingWebhookConfigurations().
		Create(context.Background(), configuration, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.client.AdmissionregistrationV1().ValidatingWebhookConfigurations().
			Delete(context.Background(), w.space.Name, metav1.DeleteOptions{})
	})
	// The API server learns of it by a watch.
	harness.WaitFor(t, startSoon, "the API server to ask", func() error {
		if err := w.try(w.refused("probe")); err == nil {
			return fmt.Errorf("it took what would be refused")
		}
		return nil
	})
	w.warned.take()
	return w
}

// issue makes a certificate, or another one.
func (w *webhook) issue() {
	w.t.Helper()
	pair, err := w.site.Issue(harness.Identity{CommonName: "webhook", Hosts: []string{"127.0.0.1"}})
	if err == nil {
		err = pair.Write(w.prefix)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *webhook) ingress(name string, annotations ...string) *networkingv1.Ingress {
	ingress := w.space.Ingress(name, w.space.Host(name), "/", "web")
	ingress.Annotations = map[string]string{}
	for i := 0; i+1 < len(annotations); i += 2 {
		ingress.Annotations["nginx.ingress.kubernetes.io/"+annotations[i]] = annotations[i+1]
	}
	return ingress
}

func (w *webhook) refused(name string) *networkingv1.Ingress {
	return w.ingress(name, "permanent-redirect", "no address")
}

// try creates it in a dry run, which asks webhooks and keeps nothing.
func (w *webhook) try(ingress *networkingv1.Ingress) error {
	_, err := w.client.NetworkingV1().Ingresses(w.space.Name).
		Create(context.Background(), ingress, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

func TestTheAPIServerAsksBeforeItTakesAnIngress(t *testing.T) {
	cluster := harness.SharedCluster(t)
	w := newWebhook(t, cluster)
	owner := w.space.Ingress("owner", w.space.Host("shop"), "/", "web")
	w.space.Create(w.space.Service("web"), owner)

	elsewhere := "another-class"
	foreign := w.refused("foreign")
	foreign.Spec.IngressClassName = &elsewhere
	cases := []struct {
		name    string
		ingress *networkingv1.Ingress
		refused string // part of the error; empty: taken
		warned  string // part of a warning; empty: none
	}{
		{"good", w.ingress("good"), "", ""},
		{"bad value", w.refused("bad"), "permanent-redirect: ", ""},
		{"unknown annotation", w.ingress("unknown", "no-such-thing", "x"), "", "no-such-thing"},
		{"no Service yet", w.space.Ingress("early", w.space.Host("early"), "/", "later"), "", "later"},
		{"no Secret yet", secured(w.ingress("secured"), "missing"), "", "missing"},
		{"taken path", w.space.Ingress("late", w.space.Host("shop"), "/", "web"), "is already defined by Ingress", ""},
		{"another path", w.space.Ingress("beside", w.space.Host("shop"), "/beside", "web"), "", ""},
		{"not ours", foreign, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			// What was created shows in the controller a moment later.
			harness.WaitFor(t, answerSoon, "the answer", func() error {
				w.warned.take()
				err, warned := w.try(c.ingress), w.warned.take()
				switch {
				case c.refused == "" && err != nil:
					return err
				case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
					return fmt.Errorf("the error is %v", err)
				case (c.warned == "") != (warned == "") || !strings.Contains(warned, c.warned):
					return fmt.Errorf("the warnings are %q", warned)
				}
				return nil
			})
		})
	}

	// A change is asked about as well; one that is good passes.
	ingresses := w.client.NetworkingV1().Ingresses(w.space.Name)
	changed, err := ingresses.Get(context.Background(), "owner", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	changed.Annotations = w.refused("x").Annotations
	if _, err := ingresses.Update(context.Background(), changed, metav1.UpdateOptions{}); err == nil {
		t.Error("a change that would be refused was taken")
	}
	changed.Annotations = w.ingress("x", "ssl-redirect", "false").Annotations
	if _, err := ingresses.Update(context.Background(), changed, metav1.UpdateOptions{}); err != nil {
		t.Errorf("a good change was refused: %v", err)
	}
}

func TestTheWebhookTakesANewCertificateAndFailsOpen(t *testing.T) {
	cluster := harness.SharedCluster(t)
	w := newWebhook(t, cluster)
	before, err := os.ReadFile(w.prefix + ".crt")
	if err != nil {
		t.Fatal(err)
	}
	w.issue()
	after, err := os.ReadFile(w.prefix + ".crt")
	if err != nil || string(before) == string(after) {
		t.Fatal("no new certificate", err)
	}
	for range 5 {
		if err := w.try(w.refused("bad")); err == nil {
			t.Error("with the new certificate the API server is not answered")
		}
	}

	w.headgate.Controller.Kill()
	start := time.Now()
	if err := w.try(w.refused("bad")); err != nil {
		t.Errorf("without the controller nothing is taken: %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s to go on without", took)
	}
}
