package harness

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

// Grant is one thing that RBAC allows or that a program asked for. What is allowed without a namespace or a name is
// allowed in all of them.
type Grant struct{ Verb, Group, Resource, Namespace, Name string }

func (g Grant) String() string {
	text := g.Verb + " " + g.Resource
	if g.Group != "" {
		text += "." + g.Group
	}
	if g.Namespace != "" {
		text += " in " + g.Namespace
	}
	if g.Name != "" {
		text += " named " + g.Name
	}
	return text
}

// Covers tells whether the grant allows what was asked for.
func (g Grant) Covers(asked Grant) bool {
	return g.Verb == asked.Verb && g.Group == asked.Group && g.Resource == asked.Resource &&
		(g.Namespace == "" || g.Namespace == asked.Namespace) && (g.Name == "" || g.Name == asked.Name)
}

// ShippedAccess is the part of deploy/ that says what the controller may do.
type ShippedAccess struct {
	Namespace string // of the controller's ServiceAccount
	Account   string // its name
	objects   []runtime.Object
}

// ReadShippedAccess collects RBAC objects and ServiceAccounts from every YAML file in deploy/.
func ReadShippedAccess(t testing.TB) *ShippedAccess {
	t.Helper()
	root, err := repositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	access := &ShippedAccess{}
	err = filepath.WalkDir(filepath.Join(root, "deploy"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return access.read(path, content)
	})
	if err != nil {
		t.Fatal(err)
	}
	access.findAccount(t)
	return access
}

func (a *ShippedAccess) findAccount(t testing.TB) {
	t.Helper()
	for _, object := range a.objects {
		if binding, ok := object.(*rbacv1.ClusterRoleBinding); ok && len(binding.Subjects) == 1 {
			a.Namespace, a.Account = binding.Subjects[0].Namespace, binding.Subjects[0].Name
		}
	}
	if a.Account == "" || len(a.Grants()) == 0 {
		t.Fatal("the manifests grant the controller nothing")
	}
}

// AccessIn collects them from manifests, such as what the chart renders with other values.
func AccessIn(t testing.TB, manifests []byte) *ShippedAccess {
	t.Helper()
	access := &ShippedAccess{}
	if err := access.read("manifests", manifests); err != nil {
		t.Fatal(err)
	}
	access.findAccount(t)
	return access
}

func (a *ShippedAccess) read(path string, content []byte) error {
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		if err != nil {
			continue // a kind that this test's scheme does not know grants nothing
		}
		switch object.(type) {
		case *rbacv1.ClusterRole, *rbacv1.ClusterRoleBinding, *rbacv1.Role, *rbacv1.RoleBinding,
			*corev1.ServiceAccount:
			a.objects = append(a.objects, object)
		}
	}
}

// Grants lists what the roles allow, each verb, resource and name on its own.
func (a *ShippedAccess) Grants() []Grant {
	var grants []Grant
	for _, object := range a.objects {
		switch role := object.(type) {
		case *rbacv1.ClusterRole:
			grants = append(grants, grantsOf(role.Rules, "")...)
		case *rbacv1.Role:
			grants = append(grants, grantsOf(role.Rules, role.Namespace)...)
		}
	}
	sort.Slice(grants, func(i, j int) bool { return grants[i].String() < grants[j].String() })
	return grants
}

func grantsOf(rules []rbacv1.PolicyRule, namespace string) (grants []Grant) {
	for _, rule := range rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					for _, name := range names {
						grants = append(grants, Grant{verb, group, resource, namespace, name})
					}
				}
			}
		}
	}
	return grants
}

// Apply creates the objects; those that exist already are left as they are.
func (a *ShippedAccess) Apply(ctx context.Context, cluster *Cluster) error {
	create := metav1.CreateOptions{}
	rbac := cluster.Client.RbacV1()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: a.Namespace}}
	_, err := cluster.Client.CoreV1().Namespaces().Create(ctx, namespace, create)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	for _, object := range a.objects {
		var err error
		switch object := object.(type) {
		case *rbacv1.ClusterRole:
			_, err = rbac.ClusterRoles().Create(ctx, object, create)
		case *rbacv1.ClusterRoleBinding:
			_, err = rbac.ClusterRoleBindings().Create(ctx, object, create)
		case *rbacv1.Role:
			_, err = rbac.Roles(object.Namespace).Create(ctx, object, create)
		case *rbacv1.RoleBinding:
			_, err = rbac.RoleBindings(object.Namespace).Create(ctx, object, create)
		case *corev1.ServiceAccount:
			_, err = cluster.Client.CoreV1().ServiceAccounts(object.Namespace).Create(ctx, object, create)
		}
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// Token is a token of the controller's ServiceAccount, good for a day.
func (a *ShippedAccess) Token(ctx context.Context, cluster *Cluster) (string, error) {
	lifetime := int64(24 * 60 * 60)
	request := &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &lifetime}}
	reply, err := cluster.Client.CoreV1().ServiceAccounts(a.Namespace).
		CreateToken(ctx, a.Account, request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return reply.Status.Token, nil
}

// AlsoRead lets the controller read one more kind in every namespace, as the chart would with other values.
func (a *ShippedAccess) AlsoRead(t testing.TB, cluster *Cluster, group, resource string) {
	t.Helper()
	ctx, create, meta := context.Background(), metav1.CreateOptions{}, metav1.ObjectMeta{Name: "also-read-" + resource}
	role := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{"list", "watch"}}}}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: a.Namespace, Name: a.Account}},
	}
	if _, err := cluster.Client.RbacV1().ClusterRoles().Create(ctx, role, create); err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Client.RbacV1().ClusterRoleBindings().Create(ctx, binding, create); err != nil {
		t.Fatal(err)
	}
}

// AuditedRequest is what the API server recorded of one request.
type AuditedRequest struct {
	Grant  Grant
	Status int32
	URI    string
}

// Requests returns what the controller's ServiceAccount asked of the API server and got answered.
func (a *ShippedAccess) Requests(t testing.TB, cluster *Cluster) []AuditedRequest {
	t.Helper()
	content, err := os.ReadFile(cluster.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	var requests []AuditedRequest
	for line := range bytes.Lines(content) {
		var event struct {
			Verb string `json:"verb"`
			User struct {
				Username string `json:"username"`
			} `json:"user"`
			RequestURI string `json:"requestURI"`
			ObjectRef  *struct {
				Resource    string `json:"resource"`
				Subresource string `json:"subresource"`
				APIGroup    string `json:"apiGroup"`
				Namespace   string `json:"namespace"`
				Name        string `json:"name"`
			} `json:"objectRef"`
			ResponseStatus struct {
				Code int32 `json:"code"`
			} `json:"responseStatus"`
		}
		if err := json.Unmarshal(line, &event); err != nil {
			continue // the last line may be half written
		}
		if event.User.Username != "system:serviceaccount:"+a.Namespace+":"+a.Account {
			continue
		}
		request := AuditedRequest{Status: event.ResponseStatus.Code, URI: event.RequestURI}
		request.Grant.Verb = event.Verb
		if event.ObjectRef != nil {
			request.Grant.Group, request.Grant.Resource = event.ObjectRef.APIGroup, event.ObjectRef.Resource
			request.Grant.Namespace, request.Grant.Name = event.ObjectRef.Namespace, event.ObjectRef.Name
			if event.ObjectRef.Subresource != "" {
				request.Grant.Resource += "/" + event.ObjectRef.Subresource
			}
		}
		requests = append(requests, request)
	}
	return requests
}

// AssertExact fails the test unless the controller got whatever it asked for, and needed each grant that `matters`: for
// each there was a request that no other grant allows, so that it would have been refused without.
func (a *ShippedAccess) AssertExact(t testing.TB, cluster *Cluster, matters func(Grant) bool) {
	t.Helper()
	grants, needed := a.Grants(), map[Grant]bool{}
	requests := a.Requests(t, cluster)
	for _, request := range requests {
		if request.Status == 403 || request.Status == 401 {
			t.Errorf("refused with %d: %s %s", request.Status, request.Grant, request.URI)
		}
		var by []Grant
		for _, grant := range grants {
			if grant.Covers(request.Grant) {
				by = append(by, grant)
			}
		}
		if len(by) == 1 {
			needed[by[0]] = true
		}
	}
	for _, grant := range grants {
		if matters(grant) && !needed[grant] {
			t.Errorf("granted, and nothing would be refused without it: %s", grant)
		}
	}
	if len(requests) == 0 {
		t.Error("the audit log has no request of the controller")
	}
}
