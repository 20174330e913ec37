package harness

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ControllerClass is the IngressClass controller name that Headgate answers to.
const ControllerClass = "headgate.dev/ingress-controller"

// Space is a namespace of one test, with what a test does in it. Methods end the test on errors.
type Space struct {
	Name    string
	Class   string // the IngressClass that Ingress() names
	cluster *Cluster
	t       testing.TB
}

var spaces atomic.Int64

// NewSpace makes a namespace and an IngressClass for one test; both are deleted after it.
func (c *Cluster) NewSpace(t testing.TB) *Space {
	t.Helper()
	name := fmt.Sprintf("%s-%d", strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())), spaces.Add(1))
	space := &Space{Name: name, Class: name, cluster: c, t: t}
	ctx := context.Background()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.Client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
		c.Client.NetworkingV1().IngressClasses().Delete(ctx, name, metav1.DeleteOptions{})
	})
	space.CreateClass(name, ControllerClass, false)
	return space
}

// Host makes a host name that no other test uses.
func (s *Space) Host(label string) string { return label + "." + s.Name + ".example" }

// CreateClass makes an IngressClass.
func (s *Space) CreateClass(name, controller string, isDefault bool) {
	s.t.Helper()
	class := &networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       networkingv1.IngressClassSpec{Controller: controller},
	}
	if isDefault {
		class.Annotations = map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"}
	}
	_, err := s.cluster.Client.NetworkingV1().IngressClasses().Create(s.ctx(), class, metav1.CreateOptions{})
	s.check(err)
}

// DeleteClass removes an IngressClass.
func (s *Space) DeleteClass(name string) {
	s.t.Helper()
	s.check(s.cluster.Client.NetworkingV1().IngressClasses().Delete(s.ctx(), name, metav1.DeleteOptions{}))
}

// Service describes a headless Service without selector: its endpoints are the test's to write.
func (s *Space) Service(name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.Name},
		Spec: corev1.ServiceSpec{
			ClusterIP: corev1.ClusterIPNone,
			Ports:     []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(BackendPort)}},
		},
	}
}

// Slice describes the endpoints of a Service, all ready.
func (s *Space) Slice(service string, addresses ...string) *discoveryv1.EndpointSlice {
	name, port, ready := "http", int32(BackendPort), true
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: service + "-1", Namespace: s.Name,
			Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port}},
		Endpoints:   []discoveryv1.Endpoint{},
	}
	for _, address := range addresses {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}})
	}
	return slice
}

// Endpoints describes the same in the older form.
func (s *Space) Endpoints(service string, addresses ...string) *corev1.Endpoints {
	endpoints := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: service, Namespace: s.Name}}
	subset := corev1.EndpointSubset{Ports: []corev1.EndpointPort{{Name: "http", Port: BackendPort}}}
	for _, address := range addresses {
		subset.Addresses = append(subset.Addresses, corev1.EndpointAddress{IP: address})
	}
	if len(addresses) > 0 {
		endpoints.Subsets = []corev1.EndpointSubset{subset}
	}
	return endpoints
}

// Ingress describes one host with a path to a Service.
func (s *Space) Ingress(name, host, path, service string) *networkingv1.Ingress {
	prefix := networkingv1.PathTypePrefix
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.Name},
		Spec: networkingv1.IngressSpec{
			IngressClassName: &s.Class,
			Rules: []networkingv1.IngressRule{{
				Host: host,
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{
						Path: path, PathType: &prefix, Backend: Backs(service)}},
				}},
			}},
		},
	}
}

// Backs names port 80 of a Service as a backend.
func Backs(service string) networkingv1.IngressBackend {
	return networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: service, Port: networkingv1.ServiceBackendPort{Number: 80}}}
}

// Secret describes a kubernetes.io/tls Secret.
func (s *Space) Secret(name string, pair KeyPair) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.Name},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: pair.Certificate, corev1.TLSPrivateKeyKey: pair.Key},
	}
}

// ConfigMap holds these entries.
func (s *Space) ConfigMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.Name}, Data: data}
}

// Serves names a ConfigMap as a backend.
func Serves(configMap string) networkingv1.IngressBackend {
	return networkingv1.IngressBackend{Resource: &corev1.TypedLocalObjectReference{Kind: "ConfigMap", Name: configMap}}
}

// Create makes objects of the kinds described above.
func (s *Space) Create(objects ...any) {
	s.t.Helper()
	for _, object := range objects {
		s.check(s.TryCreate(object))
	}
}

// TryCreate makes one object.
func (s *Space) TryCreate(object any) (err error) {
	client, options := s.cluster.Client, metav1.CreateOptions{}
	switch object := object.(type) {
	case *corev1.Service:
		_, err = client.CoreV1().Services(s.Name).Create(s.ctx(), object, options)
	case *corev1.ConfigMap:
		_, err = client.CoreV1().ConfigMaps(s.Name).Create(s.ctx(), object, options)
	case *corev1.Secret:
		_, err = client.CoreV1().Secrets(s.Name).Create(s.ctx(), object, options)
	case *discoveryv1.EndpointSlice:
		_, err = client.DiscoveryV1().EndpointSlices(s.Name).Create(s.ctx(), object, options)
	case *corev1.Endpoints:
		_, err = client.CoreV1().Endpoints(s.Name).Create(s.ctx(), object, options)
	case *networkingv1.Ingress:
		_, err = client.NetworkingV1().Ingresses(s.Name).Create(s.ctx(), object, options)
	default:
		err = fmt.Errorf("no way to create a %T", object)
	}
	return err
}

// CreateWithClass makes an Ingress and removes it again unless the API server gave it this class.
func (s *Space) CreateWithClass(ingress *networkingv1.Ingress, class string) error {
	ingresses := s.cluster.Client.NetworkingV1().Ingresses(s.Name)
	created, err := ingresses.Create(s.ctx(), ingress, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if created.Spec.IngressClassName != nil && *created.Spec.IngressClassName == class {
		return nil
	}
	if err := ingresses.Delete(s.ctx(), ingress.Name, metav1.DeleteOptions{}); err != nil {
		return err
	}
	return fmt.Errorf("created without class %s", class)
}

// Update replaces objects whatever their resourceVersion is.
func (s *Space) Update(objects ...any) {
	s.t.Helper()
	client, options := s.cluster.Client, metav1.UpdateOptions{}
	for _, object := range objects {
		var err error
		switch object := object.(type) {
		case *corev1.Service:
			_, err = client.CoreV1().Services(s.Name).Update(s.ctx(), object, options)
		case *corev1.ConfigMap:
			_, err = client.CoreV1().ConfigMaps(s.Name).Update(s.ctx(), object, options)
		case *corev1.Secret:
			_, err = client.CoreV1().Secrets(s.Name).Update(s.ctx(), object, options)
		case *discoveryv1.EndpointSlice:
			_, err = client.DiscoveryV1().EndpointSlices(s.Name).Update(s.ctx(), object, options)
		case *corev1.Endpoints:
			_, err = client.CoreV1().Endpoints(s.Name).Update(s.ctx(), object, options)
		case *networkingv1.Ingress:
			_, err = client.NetworkingV1().Ingresses(s.Name).Update(s.ctx(), object, options)
		default:
			err = fmt.Errorf("no way to update a %T", object)
		}
		s.check(err)
	}
}

// Delete removes objects by kind and name.
func (s *Space) Delete(objects ...any) {
	s.t.Helper()
	client, options := s.cluster.Client, metav1.DeleteOptions{}
	for _, object := range objects {
		var err error
		switch object := object.(type) {
		case *corev1.Service:
			err = client.CoreV1().Services(s.Name).Delete(s.ctx(), object.Name, options)
		case *corev1.ConfigMap:
			err = client.CoreV1().ConfigMaps(s.Name).Delete(s.ctx(), object.Name, options)
		case *corev1.Secret:
			err = client.CoreV1().Secrets(s.Name).Delete(s.ctx(), object.Name, options)
		case *discoveryv1.EndpointSlice:
			err = client.DiscoveryV1().EndpointSlices(s.Name).Delete(s.ctx(), object.Name, options)
		case *networkingv1.Ingress:
			err = client.NetworkingV1().Ingresses(s.Name).Delete(s.ctx(), object.Name, options)
		default:
			err = fmt.Errorf("no way to delete a %T", object)
		}
		s.check(err)
	}
}

// CreateMany makes n lots of objects over several connections.
func (s *Space) CreateMany(n int, lot func(number int) []any) {
	s.t.Helper()
	numbers := make(chan int)
	failures := make(chan error, 1)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for number := range numbers {
				for _, object := range lot(number) {
					if err := s.TryCreate(object); err != nil {
						select {
						case failures <- err:
						default:
						}
					}
				}
			}
		})
	}
	for number := range n {
		numbers <- number
	}
	close(numbers)
	workers.Wait()
	select {
	case err := <-failures:
		s.t.Fatal(err)
	default:
	}
}

func (s *Space) ctx() context.Context { return context.Background() }

func (s *Space) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
