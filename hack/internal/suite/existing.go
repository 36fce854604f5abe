package suite

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// leaveTimeout bounds the cleaning of somebody's cluster.
const leaveTimeout = time.Minute

// findKubectl spares whoever has a cluster the control plane of our own, from which kubectl else comes.
func (s *Suite) findKubectl(ctx context.Context) (stack.Assets, error) {
	if path, err := exec.LookPath("kubectl"); s.opts.Kubeconfig != "" && err == nil {
		return stack.Assets{Kubectl: path}, nil
	}
	return stack.KubeAssets(ctx, s.opts.Root, s.opts.Progress)
}

// joinCluster uses a cluster that is there already in place of the embedded control plane: a namespace of
// its own, the CRDs that are missing, and the operator's rights. CRDs that are there are left as they are,
// for somebody's campaigns may hang on them.
func (s *Suite) joinCluster(ctx context.Context) error {
	s.Kubeconfig = s.opts.Kubeconfig
	var err error
	if s.Namespace, err = ownNamespace(s.path("namespace")); err != nil {
		return err
	}
	if err := s.writeOperatorKubeconfig(ctx); err != nil {
		return err
	}
	s.joined = true // from here on there is something to clean
	for _, file := range s.crdFiles() {
		if _, err := s.Kubectl(ctx, "", "get", "-f", file); err == nil {
			_, _ = fmt.Fprintf(s.opts.Progress, "  the cluster has %s already, which is left as it is\n", filepath.Base(file))
			continue
		}
		if err := s.applyCRDs(ctx, []string{file}); err != nil {
			return err
		}
		s.crds = append(s.crds, file)
	}
	return s.installOperator(ctx)
}

// ownNamespace returns the namespace that this suite's folder has in the cluster since a start that did not
// end well, or a new name.
func ownNamespace(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(data)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the suite's namespace: %w", err)
	}
	name := "qingcang-demo-" + strings.ToLower(rand.Text()[:6])
	if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the suite's namespace: %w", err)
	}
	return name, nil
}

// writeOperatorKubeconfig writes the administrator's log-in with the operator's user in its place: the
// operator has its own rights and no more, whatever way of logging in the cluster has.
func (s *Suite) writeOperatorKubeconfig(ctx context.Context) error {
	text, err := s.Kubectl(ctx, "", "config", "view", "--raw", "--minify", "--flatten", "-o", "json")
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return fmt.Errorf("read %s: %w", s.Kubeconfig, err)
	}
	users, _ := config["users"].([]any)
	if len(users) != 1 {
		return fmt.Errorf("the current context of %s has no user", s.Kubeconfig)
	}
	entry, _ := users[0].(map[string]any)
	user, ok := entry["user"].(map[string]any)
	if !ok {
		return fmt.Errorf("the current context of %s has no user", s.Kubeconfig)
	}
	user["as"] = operatorUser
	data, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("write the operator's kubeconfig: %w", err)
	}
	s.operatorKubeconfig = s.path("operator.kubeconfig")
	return os.WriteFile(s.operatorKubeconfig, data, 0o600)
}

// leaveCluster takes away what joinCluster brought. Campaigns go first, while the operator that takes
// their records back still runs. It works on after an interrupt.
func (s *Suite) leaveCluster() {
	if !s.joined {
		return
	}
	s.joined = false
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	// A namespace takes its time to go: the next start must not look for its own.
	if err := os.Remove(s.path("namespace")); err != nil {
		s.opts.Log.Warn("the next start will have the same namespace", "err", err)
	}
	steps := [][]string{
		{"--namespace", s.Namespace, "delete", "campaigns,ownerprograms", "--all", "--timeout=30s"},
		{"--namespace", s.Namespace, "delete", "rolebindings/campaign-operator", "roles/campaign-operator", "--ignore-not-found"},
		{"delete", "namespace", s.Namespace, "--ignore-not-found", "--wait=false"},
	}
	for _, file := range s.crds {
		steps = append(steps, []string{"delete", "-f", file, "--ignore-not-found", "--timeout=30s"})
	}
	for _, args := range steps {
		if _, err := s.Kubectl(ctx, "", args...); err != nil {
			s.opts.Log.Warn("something of the demo is left in the cluster", "namespace", s.Namespace, "err", err)
		}
	}
}
