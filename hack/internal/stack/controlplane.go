package stack

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Names of the control plane's processes in their supervisor.
const (
	EtcdName      = "etcd"
	APIServerName = "kube-apiserver"
)

// AdminUser may do everything in the control plane.
const AdminUser = "admin"

// ControlPlane is a running API server with its store: no controllers and no
// nodes, so objects are kept and checked and nothing runs because of them.
type ControlPlane struct {
	Server string // https URL
	dir    string
}

// Kubeconfig is the path of the file with which that user reaches the API server.
func (c ControlPlane) Kubeconfig(user string) string {
	return filepath.Join(c.dir, user+".kubeconfig")
}

// StartControlPlane runs etcd and the API server on free ports, keeps their data
// under dir, and writes a kubeconfig for the admin and each further user. A
// further user may do what RBAC objects grant to it by its name, at first
// nothing. Both processes are left out of PeakRSS.
func StartControlPlane(ctx context.Context, supervisor *Supervisor, assets Assets, dir string, users ...string) (ControlPlane, error) {
	ports, err := FreePorts(3)
	if err != nil {
		return ControlPlane{}, err
	}
	id, err := openIdentity(filepath.Join(dir, "identity"))
	if err != nil {
		return ControlPlane{}, err
	}
	trust, err := id.trust()
	if err != nil {
		return ControlPlane{}, err
	}
	plane := ControlPlane{Server: "https://" + address(ports[2]), dir: dir}
	if err := plane.writeUsers(id, users); err != nil {
		return ControlPlane{}, fmt.Errorf("write the users of the API server: %w", err)
	}
	store := "http://" + address(ports[0])
	err = supervisor.Start(ctx, Process{
		Name: EtcdName, Path: assets.Etcd, Uncounted: true, Ready: HTTPReady(store + "/readyz"),
		Args: []string{
			"--data-dir=" + filepath.Join(dir, EtcdName),
			"--listen-client-urls=" + store, "--advertise-client-urls=" + store,
			"--listen-peer-urls=http://" + address(ports[1]),
			"--unsafe-no-fsync", // a killed process loses nothing by it
			"--log-level=warn",
		},
	})
	if err != nil {
		return ControlPlane{}, err
	}
	err = supervisor.Start(ctx, Process{
		Name: APIServerName, Path: assets.APIServer, Uncounted: true,
		Ready: HTTPSReady(plane.Server+"/readyz", trust),
		Args:  append(apiServerArgs(id, store), fmt.Sprintf("--secure-port=%d", ports[2])),
	})
	return plane, err
}

func apiServerArgs(id identity, store string) []string {
	return []string{
		"--etcd-servers=" + store,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // nothing in the cluster calls back
		"--tls-cert-file=" + id.certificate(),
		"--tls-private-key-file=" + id.key(),
		"--token-auth-file=" + id.tokens(),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + id.accountKey(),
		"--service-account-signing-key-file=" + id.accountKey(),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--disable-admission-plugins=ServiceAccount", // no controller makes the accounts that it asks for
		"--profiling=false",
		// A killed API server must not keep its successor waiting for its port.
		"--permit-address-sharing",
	}
}

// writeUsers gives each user a new token and a kubeconfig.
func (c ControlPlane) writeUsers(id identity, users []string) error {
	authority, err := os.ReadFile(id.certificate())
	if err != nil {
		return err
	}
	var tokens strings.Builder
	for _, user := range append([]string{AdminUser}, users...) {
		token := rand.Text()
		fmt.Fprintf(&tokens, "%s,%s,%s", token, user, user)
		if user == AdminUser {
			tokens.WriteString(",system:masters") // the group that RBAC lets do everything
		}
		tokens.WriteString("\n")
		kubeconfig := fmt.Sprintf(kubeconfigText, base64.StdEncoding.EncodeToString(authority), c.Server, user, token)
		if err := os.WriteFile(c.Kubeconfig(user), []byte(kubeconfig), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(id.tokens(), []byte(tokens.String()), 0o600)
}

const kubeconfigText = `apiVersion: v1
kind: Config
current-context: qingcang
contexts:
- name: qingcang
  context: {cluster: qingcang, user: %[3]s, namespace: default}
clusters:
- name: qingcang
  cluster:
    server: %[2]s
    certificate-authority-data: %[1]s
users:
- name: %[3]s
  user: {token: %[4]s}
`
