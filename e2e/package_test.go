package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"headgate.dev/headgate/e2e/harness"
)

// The package: what the chart renders is what the API server takes, and what deploy/ says.

// values are settings of the chart that reach each branch of its templates.
var values = map[string][]string{
	"defaults":     {},
	"daemonset":    {"dataplane.kind=DaemonSet", "dataplane.hostPort.enabled=true"},
	"host-network": {"dataplane.kind=DaemonSet", "dataplane.hostPort.enabled=true", "dataplane.hostNetwork=true"},
	"one-space":    {"controller.scope.enabled=true", "controller.useEndpoints=true"},
	"other-space":  {"controller.scope.enabled=true", "controller.scope.namespace=default"},
	"own-secrets":  {"snapshotTls.generate=false", "snapshotTls.controllerSecret=a", "snapshotTls.dataplaneSecret=b"},
	"some-secrets": {"controller.watchSecrets={default,kube-system/wildcard,kube-public/a,kube-public/b}"},
	"node-port":    {"dataplane.service.type=NodePort", "dataplane.service.nodePorts.http=30080"},
	"cluster-ip":   {"dataplane.service.type=ClusterIP", "dataplane.service.ipFamilyPolicy=PreferDualStack"},
	"load-balance": {"dataplane.service.externalTrafficPolicy=Local", "dataplane.service.loadBalancerSourceRanges={192.0.2.0/24}"},
	"class":        {"controller.ingressClassResource.default=true", "controller.watchIngressWithoutClass=true"},
	"scaled": {"dataplane.autoscaling.enabled=true", "dataplane.autoscaling.targetMemoryUtilizationPercentage=80",
		"dataplane.minAvailable=50%", "controller.minAvailable=0"},
	"policies": {"controller.networkPolicy.enabled=true", "dataplane.networkPolicy.enabled=true",
		"dataplane.networkPolicy.extraPorts[0].port=9000"},
	"monitoring": {"metrics.serviceMonitor.enabled=true", "metrics.prometheusRule.enabled=true",
		"metrics.serviceMonitor.additionalLabels.release=prometheus", "metrics.prometheusRule.disabled={HeadgateNoLeader}",
		"metrics.prometheusRule.rules[0].alert=Mine", "metrics.prometheusRule.rules[0].expr=vector(1)",
		"metrics.dashboards.enabled=true", "metrics.dashboards.annotations.grafana_folder=Headgate"},
	"pods": {"dataplane.extraVolumes[0].name=more", "dataplane.extraVolumes[0].emptyDir.medium=Memory",
		"dataplane.extraVolumeMounts[0].name=more", "dataplane.extraVolumeMounts[0].mountPath=/more",
		"controller.podSecurityContext.runAsUser=1000", "controller.containerSecurityContext.privileged=false",
		"controller.topologySpreadConstraints[0].maxSkew=1", "controller.topologySpreadConstraints[0].topologyKey=zone",
		"controller.topologySpreadConstraints[0].whenUnsatisfiable=DoNotSchedule"},
	"own-webhook": {"controller.admissionWebhooks.certificate.secretName=mine", "controller.admissionWebhooks.certificate.caBundle=eA==",
		"controller.admissionWebhooks.failurePolicy=Fail", "controller.admissionWebhooks.namespaceSelector.matchLabels.team=shop"},
	"cert-manager": {"snapshotTls.certManager.enabled=true", "controller.admissionWebhooks.certManager.enabled=true",
		"controller.admissionWebhooks.certManager.issuerRef.name=internal"},
	"cert-manager-issuer": {"snapshotTls.certManager.enabled=true", "snapshotTls.certManager.issuerRef.kind=ClusterIssuer",
		"snapshotTls.certManager.issuerRef.name=internal", "snapshotTls.certManager.duration=720h30m"},
	"not-renewed": {"snapshotTls.renew=false", "snapshotTls.validityDays=3650"},
	"no-webhook":  {"controller.admissionWebhooks.enabled=false"},
	"nodes": {"dataplane.kind=DaemonSet", "dataplane.hostPort.enabled=true", "dataplane.service.enabled=false",
		"controller.publishNodes.enabled=true", "controller.publishNodes.internal=true"},
	"one": {"controller.replicaCount=1", "dataplane.replicaCount=1"},
	"bare": {"rbac.create=false", "controller.serviceAccount.create=false", "dataplane.serviceAccount.create=false",
		"metrics.service.enabled=false", "dataplane.service.enabled=false", "controller.ingressClassResource.enabled=false"},
	"extras": {"controller.extraArgs.log-format=json", "dataplane.extraArgs.log-format=json", "dataplane.workers=4",
		"image.registry=images.example", "imagePullSecrets[0].name=pull", "commonLabels.team=edge",
		"dataplane.podAnnotations.note=x", "dataplane.priorityClassName=system-node-critical",
		"dataplane.updateStrategy.type=RollingUpdate", "dataplane.tolerations[0].operator=Exists"},
}

// repository runs one of its programs and returns what it printed.
func repository(t *testing.T, program string, arguments ...string) []byte {
	t.Helper()
	command := exec.Command(filepath.Join("..", program), arguments...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(arguments, " "), err, output, complaints.String())
	}
	return output
}

// tryOut asks the API server to create each object without keeping it; an unknown field is an error.
func tryOut(t *testing.T, cluster *harness.Cluster, content []byte) {
	t.Helper()
	groups, err := restmapper.GetAPIGroupResources(cluster.Client.Discovery())
	if err != nil {
		t.Fatal(err)
	}
	mapper := restmapper.NewDiscoveryRESTMapper(groups)
	client, err := dynamic.NewForConfig(cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	objects := 0
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object.Object) == 0 {
			continue
		}
		kind := object.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			t.Fatal(err)
		}
		var resource dynamic.ResourceInterface = client.Resource(mapping.Resource)
		if object.GetNamespace() != "" {
			resource = client.Resource(mapping.Resource).Namespace(object.GetNamespace())
		}
		_, err = resource.Create(context.Background(), object, metav1.CreateOptions{
			DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
		if err != nil {
			t.Errorf("%s %s: %v", kind.Kind, object.GetName(), err)
		}
		objects++
	}
	if objects == 0 {
		t.Error("nothing was rendered")
	}
}

// secretsIn reads the data of the Secrets in YAML text.
func secretsIn(t *testing.T, content []byte) map[string]map[string][]byte {
	t.Helper()
	held := map[string]map[string][]byte{}
	for _, document := range strings.Split(string(content), "---\n") {
		var secret corev1.Secret
		if err := yaml.Unmarshal([]byte(document), &secret); err != nil {
			t.Fatal(err)
		}
		if secret.Kind == "Secret" {
			held[secret.Name] = secret.Data
		}
	}
	if len(held) != 2 {
		t.Fatalf("%d Secrets, want one for each side", len(held))
	}
	return held
}

func TestDeployIsWhatTheChartRenders(t *testing.T) {
	repository(t, "scripts/render-deploy", "--check")
}

func TestTheAPIServerTakesDeploy(t *testing.T) {
	cluster := harness.OwnCluster(t)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "headgate"}}
	if _, err := cluster.Client.CoreV1().Namespaces().
		Create(context.Background(), namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile("../deploy/headgate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tryOut(t, cluster, content)
	certificates := repository(t, "deploy/certificates")
	tryOut(t, cluster, certificates)
	checkCertificates(t, secretsIn(t, certificates), "headgate-controller.headgate.svc")

	acceptMonitoring(t, cluster)
	acceptCertManager(t, cluster)
	for name, settings := range values {
		t.Run(name, func(t *testing.T) {
			arguments := []string{"template", "edge", "../helm/headgate", "--namespace=headgate", "--kube-version=1.36.0"}
			for _, setting := range settings {
				arguments = append(arguments, "--set="+setting)
			}
			tryOut(t, cluster, repository(t, "scripts/helm", arguments...))
		})
	}
	t.Run("install", func(t *testing.T) { installAndUpgrade(t, cluster) })
}

// acceptMonitoring makes the kinds of the Prometheus operator known, with whatever they hold.
func acceptMonitoring(t *testing.T, cluster *harness.Cluster) {
	t.Helper()
	for kind, plural := range map[string]string{"ServiceMonitor": "servicemonitors", "PrometheusRule": "prometheusrules"} {
		define(t, cluster, map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"metadata": map[string]any{"name": plural + ".monitoring.coreos.com"},
			"spec": map[string]any{
				"group": "monitoring.coreos.com", "scope": "Namespaced",
				"names": map[string]any{"kind": kind, "plural": plural},
				"versions": []any{map[string]any{
					"name": "v1", "served": true, "storage": true,
					"schema": map[string]any{"openAPIV3Schema": map[string]any{
						"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}})
	}
}

// acceptCertManager makes the kinds of cert-manager known, as it defines them itself.
func acceptCertManager(t *testing.T, cluster *harness.Cluster) {
	t.Helper()
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(repository(t, "scripts/cert-manager-crds"))))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		definition := map[string]any{}
		if err == nil {
			err = yaml.Unmarshal(document, &definition)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(definition) > 0 {
			define(t, cluster, definition)
		}
	}
}

// define makes a kind known, and waits until it is.
func define(t *testing.T, cluster *harness.Cluster, definition map[string]any) {
	t.Helper()
	client, err := dynamic.NewForConfig(cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	object := &unstructured.Unstructured{Object: definition}
	definitions := schema.GroupVersionResource{
		Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	if _, err := client.Resource(definitions).Create(context.Background(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	plural, group, _ := strings.Cut(object.GetName(), ".")
	harness.WaitFor(t, answerSoon, "the kind "+plural, func() error {
		_, err := client.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: plural}).
			List(context.Background(), metav1.ListOptions{})
		return err
	})
}

// installAndUpgrade does it for real, as far as objects go: there is no node to run a pod.
func installAndUpgrade(t *testing.T, cluster *harness.Cluster) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	admin := harness.Kubeconfig{Server: cluster.URL, CAFile: cluster.Config.CAFile,
		CertFile: cluster.Config.CertFile, KeyFile: cluster.Config.KeyFile}
	if err := admin.Write(kubeconfig); err != nil {
		t.Fatal(err)
	}
	const namespace = "edge-system"
	where := []string{"--kubeconfig=" + kubeconfig, "--namespace=" + namespace}
	secrets := func() map[string]map[string][]byte {
		list, err := cluster.Client.CoreV1().Secrets(namespace).
			List(context.Background(), metav1.ListOptions{FieldSelector: "type=Opaque"})
		if err != nil {
			t.Fatal(err)
		}
		held := map[string]map[string][]byte{}
		for _, secret := range list.Items {
			held[secret.Name] = secret.Data
		}
		return held
	}
	const webhook = "edge-headgate-controller-admission"

	notes := repository(t, "scripts/helm", append(where, "install", "edge", "../helm/headgate", "--create-namespace")...)
	if !strings.Contains(string(notes), "ingressClassName: headgate") {
		t.Errorf("the notes do not say how to use it:\n%s", notes)
	}
	first := secrets()
	if len(first) != 3 {
		t.Fatalf("%d Secrets, want one for each side and one for the webhook", len(first))
	}
	snapshots := maps.Clone(first)
	delete(snapshots, webhook)
	checkCertificates(t, snapshots, "edge-headgate-controller."+namespace+".svc")

	// What controllers write of the webhook's certificate is theirs.
	authorities := func(write []byte) []byte {
		configurations := cluster.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
		asks, err := configurations.Get(context.Background(), namespace+"-edge-headgate-admission", metav1.GetOptions{})
		if err == nil && write != nil {
			asks.Webhooks[0].ClientConfig.CABundle = write
			asks, err = configurations.Update(context.Background(), asks, metav1.UpdateOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return asks.Webhooks[0].ClientConfig.CABundle
	}
	if len(first[webhook]) != 0 || authorities(nil) != nil {
		t.Errorf("the chart brings a certificate for the webhook: %v", first[webhook])
	}
	bundle := authorities(first["edge-headgate-controller-tls"]["ca.crt"])
	if _, err := cluster.Client.CoreV1().Secrets(namespace).Patch(context.Background(), webhook, types.MergePatchType,
		[]byte(`{"data":{"tls.crt":"dGhlaXJz"}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	first[webhook] = map[string][]byte{"tls.crt": []byte("theirs")}

	repository(t, "scripts/helm", append(where, "upgrade", "edge", "../helm/headgate", "--set=controller.replicaCount=3",
		"--set=controller.admissionWebhooks.timeoutSeconds=7")...)
	if second := secrets(); !reflect.DeepEqual(first, second) {
		t.Error("an upgrade replaced the certificates")
	}
	if !bytes.Equal(authorities(nil), bundle) {
		t.Error("an upgrade took away what API servers know of the webhook")
	}
	deployment, err := cluster.Client.AppsV1().Deployments(namespace).
		Get(context.Background(), "edge-headgate-controller", metav1.GetOptions{})
	if err != nil || *deployment.Spec.Replicas != 3 {
		t.Errorf("the upgrade changed nothing: %v", err)
	}
}

// checkCertificates verifies both sides as the programs would.
func checkCertificates(t *testing.T, secrets map[string]map[string][]byte, controller string) {
	t.Helper()
	for name, data := range secrets {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(data["ca.crt"]) {
			t.Fatalf("%s: no CA", name)
		}
		block, _ := pem.Decode(data["tls.crt"])
		if block == nil {
			t.Fatalf("%s: no certificate", name)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		options := x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if strings.Contains(name, "controller") {
			options.DNSName, options.KeyUsages = controller, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}
		if _, err := certificate.Verify(options); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
