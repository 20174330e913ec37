package e2e

import (
	"strings"
	"testing"

	"headgate.dev/headgate/e2e/harness"
)

// With controller.watchSecrets a controller reads the Secrets of some namespaces, or some by name, by the rights that the
// chart gives for it: it has all that it asks for and nothing beyond, and Ingresses that name other Secrets are told why
// they have none.
func TestSecretsAreReadWhereTheChartSays(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	for release, secretsOf := range map[string]func(space *harness.Space) string{
		"by-namespace": func(space *harness.Space) string { return space.Name },
		"by-name":      func(space *harness.Space) string { return space.Name + "/tls," + space.Name + "/late" },
	} {
		t.Run(release, func(t *testing.T) {
			open, closed := cluster.NewSpace(t), cluster.NewSpace(t)
			manifests := repository(t, "scripts/helm", "template", "headgate", "../helm/headgate", "--namespace="+release,
				"--kube-version=1.36.0", "--set=controller.admissionWebhooks.enabled=false,snapshotTls.renew=false",
				"--set=controller.watchSecrets={"+secretsOf(open)+"}")
			access := harness.AccessIn(t, manifests)
			headgate := harness.StartHeadgate(t, cluster, harness.Options{
				ThroughProxy: true, Access: access, ControllerArgs: secretFlags(t, manifests)})

			host := open.Host("www")
			open.Create(open.Service("web"), open.Slice("web", harness.Address(1)),
				open.Secret("tls", certificate(t, 2001, host)), secured(open.Ingress("www", host, "/", "web"), "tls"))
			headgate.AwaitSerial(host, 2001)
			open.Update(open.Secret("tls", certificate(t, 2002, host)))
			headgate.AwaitSerial(host, 2002)
			late := open.Host("late")
			open.Create(secured(open.Ingress("late", late, "/", "web"), "late"))
			awaitEvent(t, cluster, open, "late", "SecretMissing", "does not exist")
			open.Create(open.Secret("late", certificate(t, 2003, late)))
			headgate.AwaitSerial(late, 2003)

			host = closed.Host("www")
			guarded := closed.Ingress("guarded", closed.Host("guarded"), "/", "web")
			guarded.Annotations = map[string]string{"nginx.ingress.kubernetes.io/auth-type": "basic",
				"nginx.ingress.kubernetes.io/auth-secret": "users"}
			closed.Create(closed.Service("web"), closed.Slice("web", harness.Address(2)),
				closed.Secret("tls", certificate(t, 2004, host)), secured(closed.Ingress("www", host, "/", "web"), "tls"), guarded)
			awaitEvent(t, cluster, closed, "www", "SecretNotReadable", "tls")
			awaitEvent(t, cluster, closed, "guarded", "SecretNotReadable", "users")
			headgate.Await(guarded.Spec.Rules[0].Host, "/", 503)
			if release == "by-name" {
				open.Create(secured(open.Ingress("other", open.Host("other"), "/", "web"), "other"))
				awaitEvent(t, cluster, open, "other", "SecretNotReadable", "other")
			}

			// A watch is audited when it ends, and what comes after it is seen.
			headgate.API.Cut()
			open.Update(open.Secret("tls", certificate(t, 2005, open.Host("www"))))
			headgate.AwaitSerial(open.Host("www"), 2005)
			if err := headgate.Controller.Terminate(answerSoon); err != nil {
				t.Error(err)
			}
			access.AssertExact(t, cluster, func(grant harness.Grant) bool { return grant.Resource == "secrets" })
		})
	}
}

// secretFlags are the flags about Secrets that the chart gives the controller.
func secretFlags(t *testing.T, manifests []byte) (flags []string) {
	t.Helper()
	for _, argument := range argumentsIn(t, manifests, "headgate-controller") {
		if strings.HasPrefix(argument, "--watch-secrets=") {
			flags = append(flags, argument)
		}
	}
	if len(flags) != 1 {
		t.Fatalf("the chart gives no flag about Secrets, or several: %q", flags)
	}
	return flags
}
