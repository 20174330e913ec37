package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"headgate.dev/headgate/e2e/harness"
)

// Names for which the roles in deploy/ are.
const (
	admissionSecret        = "headgate-controller-admission"
	admissionConfiguration = "headgate-headgate-admission"
)

// admissionOf makes what the chart makes for webhooks at these addresses: a Secret without content, and a configuration
// without a caBundle. Nothing passes where one of them cannot be asked.
func admissionOf(t *testing.T, cluster *harness.Cluster, space *harness.Space, addresses ...string) {
	t.Helper()
	access := harness.ReadShippedAccess(t)
	if err := access.Apply(context.Background(), cluster); err != nil { // with its namespace
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: admissionSecret}, Type: corev1.SecretTypeOpaque}
	if _, err := cluster.Client.CoreV1().Secrets(access.Namespace).Create(context.Background(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	fail, none, limit := admissionv1.Fail, admissionv1.SideEffectClassNone, int32(5)
	configuration := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: admissionConfiguration}}
	for i, address := range addresses {
		url := "https://" + address + "/networking/v1/ingresses"
		configuration.Webhooks = append(configuration.Webhooks, admissionv1.ValidatingWebhook{
			Name: fmt.Sprintf("ingress%d.headgate.dev", i), AdmissionReviewVersions: []string{"v1"}, FailurePolicy: &fail,
			SideEffects: &none, TimeoutSeconds: &limit,
			ClientConfig: admissionv1.WebhookClientConfig{URL: &url},
			Rules: []admissionv1.RuleWithOperations{{
				Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
				Rule: admissionv1.Rule{APIGroups: []string{"networking.k8s.io"}, APIVersions: []string{"v1"},
					Resources: []string{"ingresses"}}}},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": space.Name}},
		})
	}
	if _, err := cluster.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations().
		Create(context.Background(), configuration, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// admissionFlags are those of a controller that makes the certificate for a webhook at this address.
func admissionFlags(t *testing.T, address, lifetime string) []string {
	t.Helper()
	return []string{"--validating-webhook=" + address,
		"--validating-webhook-secret=" + harness.ReadShippedAccess(t).Namespace + "/" + admissionSecret,
		"--validating-webhook-configuration=" + admissionConfiguration,
		"--validating-webhook-names=127.0.0.1",
		"--validating-webhook-certificate-lifetime=" + lifetime}
}

// served is the serial number of the certificate that is served at an address.
func served(address string) (string, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

func TestControllersMakeTheWebhooksCertificateAndRenewItUnseen(t *testing.T) {
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	space.Create(space.Service("web"))
	addresses := []string{fmt.Sprintf("127.0.0.1:%d", harness.Port()), fmt.Sprintf("127.0.0.1:%d", harness.Port())}
	admissionOf(t, cluster, space, addresses...)
	// Two controllers, of which one leads; the API server asks both.
	for _, address := range addresses {
		headgate := harness.NewHeadgate(t, cluster, harness.Options{ControllerArgs: admissionFlags(t, address, "24s")})
		headgate.StartController()
		headgate.AwaitControllerReady(startSoon)
	}

	good := space.Ingress("good", space.Host("good"), "/", "web")
	bad := space.Ingress("bad", space.Host("bad"), "/", "web")
	bad.Annotations = map[string]string{"nginx.ingress.kubernetes.io/permanent-redirect": "no address"}
	ask := func() error {
		ingresses, dry := cluster.Client.NetworkingV1().Ingresses(space.Name), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
		if _, err := ingresses.Create(context.Background(), good, dry); err != nil {
			return fmt.Errorf("a good one is not taken: %w", err)
		}
		if _, err := ingresses.Create(context.Background(), bad, dry); err == nil || !strings.Contains(err.Error(), "permanent-redirect: ") {
			return fmt.Errorf("of a bad one it says %v", err)
		}
		return nil
	}
	harness.WaitFor(t, startSoon, "the API server to trust the webhooks", ask)

	first := map[string]string{}
	for _, address := range addresses {
		serial, err := served(address)
		if err != nil {
			t.Fatal(err)
		}
		first[address] = serial
	}
	if first[addresses[0]] != first[addresses[1]] {
		t.Errorf("the controllers serve %v, each its own", first)
	}
	asked := 0
	harness.WaitFor(t, time.Minute, "both to serve another certificate", func() error {
		if err := ask(); err != nil { // at any time
			t.Fatalf("after %d questions: %v", asked, err)
		}
		asked++
		for _, address := range addresses {
			if serial, err := served(address); err != nil || serial == first[address] {
				return fmt.Errorf("%s serves %s, %v", address, serial, err)
			}
		}
		return nil
	})
	if asked < 20 {
		t.Errorf("it was asked %d times only", asked)
	}
}
