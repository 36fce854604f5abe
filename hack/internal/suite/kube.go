package suite

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// operatorUser is whom the operator is to the API server: RBAC lets it do what its role says and
// nothing else, as in a cluster.
const operatorUser = "campaign-operator"

// installOperator applies what a cluster needs before the operator runs: the namespace, the CRDs,
// its roles and their binding.
func (s *Suite) installOperator(ctx context.Context) error {
	if _, err := s.Kubectl(ctx, operatorObjects, "apply", "-f", "-"); err != nil {
		return err
	}
	config := s.opts.Root + "/operators/campaign/config"
	if _, err := s.Kubectl(ctx, "", "apply", "--server-side", "-f", config+"/crd", "-f", config+"/rbac"); err != nil {
		return err
	}
	_, err := s.Kubectl(ctx, "", "wait", "--for=condition=Established", "--timeout=30s", "crd/campaigns.sale.qingcang.io")
	return err
}

// The operator's role is bound to its user in its namespace alone.
const operatorObjects = `apiVersion: v1
kind: Namespace
metadata:
  name: qingcang
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: campaign-operator-user
  namespace: qingcang
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: campaign-operator
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: User
  name: campaign-operator
`

// Kubectl runs kubectl as the administrator and returns what it prints; its complaint is the error.
func (s *Suite) Kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, s.Assets.Kubectl, append([]string{"--kubeconfig", s.Plane.Kubeconfig("admin")}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return string(out), nil
}
