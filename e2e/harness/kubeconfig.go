package harness

import (
	"os"

	clientcmd "k8s.io/client-go/tools/clientcmd"
	api "k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig is one cluster and one user: either a token or a client certificate.
type Kubeconfig struct {
	Server    string
	Namespace string // of the context; may be empty
	CAFile    string
	Token     string
	CertFile  string
	KeyFile   string
}

// Write stores it in the form that kubectl reads.
func (k Kubeconfig) Write(path string) error {
	config := api.NewConfig()
	config.Clusters["e2e"] = &api.Cluster{Server: k.Server, CertificateAuthority: k.CAFile}
	config.AuthInfos["e2e"] = &api.AuthInfo{
		Token: k.Token, ClientCertificate: k.CertFile, ClientKey: k.KeyFile}
	config.Contexts["e2e"] = &api.Context{Cluster: "e2e", AuthInfo: "e2e", Namespace: k.Namespace}
	config.CurrentContext = "e2e"
	content, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}
