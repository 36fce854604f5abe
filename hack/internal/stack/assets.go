package stack

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// KubeVersion is the Kubernetes that hack/cluster/pins/kube requires.
const KubeVersion = "1.36.3"

const (
	// setupEnvtest downloads a control plane that the Kubernetes project built.
	setupEnvtest = "sigs.k8s.io/controller-runtime/tools/setup-envtest@v0.25.1"
	// downloadTimeout bounds the attempt; without internet it fails at once.
	downloadTimeout = 60 * time.Second
)

// Assets are the programs of a control plane, and the client to it.
type Assets struct {
	APIServer string // path of kube-apiserver
	Etcd      string
	Kubectl   string
}

// KubeAssets finds the control plane: where KUBEBUILDER_ASSETS points, else in
// the cache, else by a download (never with QINGCANG_NO_DOWNLOAD=1), else by
// building it from hack/cluster/pins/kube, which takes minutes, once. kubectl is taken
// from PATH where it is there.
func KubeAssets(ctx context.Context, root string, progress io.Writer) (Assets, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		assets, missing := assetsIn(dir)
		if missing != "" {
			return Assets{}, fmt.Errorf("KUBEBUILDER_ASSETS names %s, which has no %s", dir, missing)
		}
		return withKubectl(ctx, root, assets, progress)
	}
	dir, err := cacheDir("kube-v" + KubeVersion)
	if err != nil {
		return Assets{}, err
	}
	assets, missing := assetsIn(dir)
	if missing != "" {
		err = withLock(ctx, dir, progress, func() error { return fetchAssets(ctx, root, dir, progress) })
		if err != nil {
			return Assets{}, err
		}
	}
	return withKubectl(ctx, root, assets, progress)
}

// assetsIn names the programs in dir, and the first one that is not there.
// kubectl may be missing.
func assetsIn(dir string) (assets Assets, missing string) {
	assets = Assets{
		APIServer: filepath.Join(dir, "kube-apiserver"),
		Etcd:      filepath.Join(dir, "etcd"),
		Kubectl:   filepath.Join(dir, "kubectl"),
	}
	for _, path := range []string{assets.APIServer, assets.Etcd} {
		if !executable(path) {
			return assets, filepath.Base(path)
		}
	}
	return assets, ""
}

// fetchAssets fills dir. It runs under the directory's lock, and another
// process may have filled it while this one waited.
func fetchAssets(ctx context.Context, root, dir string, progress io.Writer) error {
	if _, missing := assetsIn(dir); missing == "" {
		return nil
	}
	if os.Getenv("QINGCANG_NO_DOWNLOAD") == "" {
		err := downloadAssets(ctx, root, dir, progress)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		fmt.Fprintln(progress, "the control plane cannot be downloaded here, so it is built from source: about 5 minutes on 2 cores, once")
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if err := Kubernetes().build(ctx, root, dir, name, progress); err != nil {
			return err
		}
	}
	return nil
}

// downloadAssets lets setup-envtest put a release under dir and moves its
// programs to where they are looked for.
func downloadAssets(ctx context.Context, root, dir string, progress io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	return step(progress, "downloading the control plane", func() error {
		series := KubeVersion[:strings.LastIndex(KubeVersion, ".")] + ".x"
		store := filepath.Join(dir, "downloaded")
		defer os.RemoveAll(store) //nolint:errcheck // a leftover in the cache harms nobody
		found, err := goOutput(ctx, root, []string{"GOWORK=off"},
			"run", setupEnvtest, "use", "--print", "path", "--bin-dir", store, series)
		if err != nil {
			return err
		}
		if _, missing := assetsIn(found); missing != "" {
			return fmt.Errorf("the download has no %s", missing)
		}
		for _, name := range []string{"kubectl", "etcd", "kube-apiserver"} {
			if err := os.Rename(filepath.Join(found, name), filepath.Join(dir, name)); err != nil {
				return fmt.Errorf("move the download into its place: %w", err)
			}
		}
		return nil
	})
}

// versionFlags drops what only a debugger needs, and stamps the version that
// Kubernetes otherwise reports as v0.0.0-master.
func versionFlags() string {
	parts := strings.Split(KubeVersion, ".")
	const component = " -X k8s.io/component-base/version."
	return "-s -w" + component + "gitVersion=v" + KubeVersion + component + "gitMajor=" + parts[0] + component + "gitMinor=" + parts[1]
}

// withKubectl prefers the user's own kubectl, then one beside the control
// plane, and builds it last.
func withKubectl(ctx context.Context, root string, assets Assets, progress io.Writer) (Assets, error) {
	if path, err := exec.LookPath("kubectl"); err == nil {
		assets.Kubectl = path
		return assets, nil
	}
	if executable(assets.Kubectl) {
		return assets, nil
	}
	built, err := Kubernetes().Build(ctx, root, progress, "kubectl")
	assets.Kubectl = built.Path("kubectl")
	return assets, err
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
