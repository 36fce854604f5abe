package suite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/stack"
)

// operatorUser is whom the operator is to the API server: RBAC lets it do what its role says and
// nothing else, as in a cluster.
const operatorUser = "campaign-operator"

// established bounds the wait for an API server to serve a new kind.
const established = time.Minute

// startPlane brings the embedded control plane up, and installs there what the operator needs.
func (s *Suite) startPlane(ctx context.Context) error {
	plane, err := stack.StartControlPlane(ctx, s.Supervisor, s.Assets, s.path("kube"), operatorUser)
	if err != nil {
		return err
	}
	s.Kubeconfig, s.operatorKubeconfig = plane.Kubeconfig(stack.AdminUser), plane.Kubeconfig(operatorUser)
	if err := s.applyCRDs(ctx, s.crdFiles()); err != nil {
		return err
	}
	return s.installOperator(ctx)
}

func (s *Suite) config() string { return filepath.Join(s.opts.Root, "operators", "campaign", "config") }

func (s *Suite) crdFiles() []string {
	files, _ := filepath.Glob(filepath.Join(s.config(), "crd", "*.yaml")) // fails for a bad pattern only
	return files
}

func (s *Suite) applyCRDs(ctx context.Context, files []string) error {
	for _, file := range files {
		if _, err := s.Kubectl(ctx, "", "apply", "--server-side", "-f", file); err != nil {
			return err
		}
		// Before it has any condition, "kubectl wait" fails at once.
		err := poll.Within(ctx, established, func(ctx context.Context) error {
			_, err := s.Kubectl(ctx, "", "wait", "--for=condition=Established", "--timeout=30s", "-f", file)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// installOperator applies what the operator needs besides the CRDs: the namespace, and its role there.
func (s *Suite) installOperator(ctx context.Context) error {
	data, err := os.ReadFile(filepath.Join(s.config(), "rbac", "role.yaml"))
	if err != nil {
		return fmt.Errorf("read the operator's role: %w", err)
	}
	var generated struct {
		Rules []any `yaml:"rules"`
	}
	if err := yaml.Unmarshal(data, &generated); err != nil {
		return fmt.Errorf("read the operator's role: %w", err)
	}
	rules, err := json.Marshal(generated.Rules)
	if err != nil {
		return fmt.Errorf("write the operator's role: %w", err)
	}
	_, err = s.Kubectl(ctx, fmt.Sprintf(operatorObjects, s.Namespace, rules), "apply", "-f", "-")
	return err
}

// The operator's rules, which are generated for a cluster, are given to its user in its namespace alone.
const operatorObjects = `apiVersion: v1
kind: Namespace
metadata:
  name: %[1]s
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: campaign-operator
  namespace: %[1]s
rules: %[2]s
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: campaign-operator
  namespace: %[1]s
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: campaign-operator
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: User
  name: campaign-operator
`

// Kubectl runs kubectl as the administrator and returns what it prints; its complaint is the error.
func (s *Suite) Kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, s.Assets.Kubectl, append([]string{"--kubeconfig", s.Kubeconfig}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}
