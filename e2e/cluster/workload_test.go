package cluster

import (
	"context"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"headgate.dev/headgate/e2e/harness"
)

// deployWorkload runs e2e/cluster/workload in pods of the default namespace, and has it served: over HTTP at one host,
// over gRPC at another, both with TLS.
func deployWorkload(t testing.TB, cluster *harness.Cluster, host, streams string) {
	t.Helper()
	ctx, create := context.Background(), metav1.CreateOptions{}
	const namespace, name = metav1.NamespaceDefault, "workload"
	labels, replicas := map[string]string{"app": name}, int32(2)
	meta := metav1.ObjectMeta{Name: name}
	deployment := &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{
		Replicas: &replicas,
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{
				Name: name, Image: harness.WorkloadImage, ImagePullPolicy: corev1.PullNever, Args: []string{"serve"},
				// A busy machine shall not take it away.
				ReadinessProbe: &corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 30, FailureThreshold: 30, ProbeHandler: corev1.ProbeHandler{
					HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(8080)}}},
			}}},
		},
	}}
	service := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{
		{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)},
		{Name: "grpc", Port: 90, TargetPort: intstr.FromInt32(9090)},
	}}}
	pair, err := cluster.Authority.Issue(harness.Identity{CommonName: name, Hosts: []string{host, streams}})
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{ObjectMeta: meta, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: pair.Certificate, corev1.TLSPrivateKeyKey: pair.Key}}

	client := cluster.Client
	for _, make := range []func() error{
		func() error {
			_, err := client.AppsV1().Deployments(namespace).Create(ctx, deployment, create)
			return err
		},
		func() error { _, err := client.CoreV1().Services(namespace).Create(ctx, service, create); return err },
		func() error { _, err := client.CoreV1().Secrets(namespace).Create(ctx, secret, create); return err },
		func() error { return createIngress(cluster, ingress(name, host, "http", nil)) },
		func() error {
			return createIngress(cluster, ingress("streams", streams, "grpc",
				map[string]string{"nginx.ingress.kubernetes.io/backend-protocol": "GRPC"}))
		},
	} {
		if err := make(); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the workload's pods", func() error {
		now, err := client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err == nil && !complete(now) {
			err = fmt.Errorf("%+v", now.Status)
		}
		return err
	})
}

// ingress describes one host, with TLS that nobody is sent to.
func ingress(name, host, port string, annotations map[string]string) *networkingv1.Ingress {
	class, prefix := "headgate", networkingv1.PathTypePrefix
	meta := metav1.ObjectMeta{Name: name, Annotations: map[string]string{"nginx.ingress.kubernetes.io/ssl-redirect": "false"}}
	for annotation, value := range annotations {
		meta.Annotations[annotation] = value
	}
	return &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{
		IngressClassName: &class,
		TLS:              []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: "workload"}},
		Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
				Path: "/", PathType: &prefix, Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
					Name: "workload", Port: networkingv1.ServiceBackendPort{Name: port}}}}}},
		}}},
	}}
}

func createIngress(cluster *harness.Cluster, ingress *networkingv1.Ingress) error {
	_, err := cluster.Client.NetworkingV1().Ingresses(metav1.NamespaceDefault).
		Create(context.Background(), ingress, metav1.CreateOptions{})
	return err
}
