package main

import (
	"context"
	"net"
	"os"
	"path/filepath"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// components are the programs of the node in the order of their start; each may
// lean on those before it.
func (h home) components(programs map[string]string) ([]stack.Process, error) {
	pool, err := h.pki().pool()
	if err != nil {
		return nil, err
	}
	processes := []stack.Process{
		{
			Name: "etcd", Args: h.etcdArgs(), Ready: stack.HTTPReady("http://127.0.0.1:2379/readyz"),
		}, {
			Name: "kube-apiserver", Args: h.apiServerArgs(), Ready: stack.HTTPSReady(serverURL+"/readyz", pool),
		}, {
			Name: "kube-controller-manager", Args: h.controllerManagerArgs(), Ready: stack.TCPReady("127.0.0.1:10257"),
		}, {
			Name: "kube-scheduler", Args: h.schedulerArgs(), Ready: stack.TCPReady("127.0.0.1:10259"),
		}, {
			Name: "containerd", Args: []string{"--config", h.config("containerd.toml"), "--log-level", "info"},
			Env:   []string{"PATH=" + filepath.Dir(programs["runc"]) + ":" + os.Getenv("PATH")}, // its shim asks runc for its features
			Ready: socketReady(h.containerdSocket()),
		}, {
			Name: "kubelet", Args: h.kubeletArgs(), Ready: stack.HTTPReady("http://127.0.0.1:10248/healthz"),
		}, {
			Name: "kube-proxy", Args: []string{"--config", h.config("kube-proxy.yaml")},
			Ready: stack.HTTPReady("http://127.0.0.1:10256/healthz"),
		},
	}
	for i, process := range processes {
		processes[i].Path = programs[process.Name]
		processes[i].Uncounted = true
	}
	return processes, nil
}

func (h home) etcdArgs() []string {
	return []string{
		"--data-dir=" + h.path("etcd"),
		"--unsafe-no-fsync", // a killed process loses nothing by it, and a machine that fails loses a test cluster
		"--log-level=warn",
	}
}

func (h home) apiServerArgs() []string {
	p := h.pki()
	return []string{
		"--etcd-servers=http://127.0.0.1:2379",
		"--bind-address=" + nodeIP,
		"--advertise-address=" + nodeIP,
		"--secure-port=6443",
		"--tls-cert-file=" + p.certificate(serverName),
		"--tls-private-key-file=" + p.key(serverName),
		"--client-ca-file=" + p.certificate(authorityName),
		"--kubelet-client-certificate=" + p.certificate(kubeletClientName),
		"--kubelet-client-key=" + p.key(kubeletClientName),
		"--kubelet-preferred-address-types=InternalIP",
		"--proxy-client-cert-file=" + p.certificate(frontName),
		"--proxy-client-key-file=" + p.key(frontName),
		"--requestheader-client-ca-file=" + p.certificate(authorityName),
		"--requestheader-allowed-names=" + frontName,
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + p.key(accountsName),
		"--service-account-signing-key-file=" + p.key(accountsName),
		"--service-cluster-ip-range=" + serviceRange,
		"--profiling=false",
		// A killed API server must not keep its successor waiting for its port.
		"--permit-address-sharing",
	}
}

func (h home) controllerManagerArgs() []string {
	p := h.pki()
	return []string{
		"--kubeconfig=" + h.config("kube-controller-manager.kubeconfig"),
		"--bind-address=127.0.0.1",
		"--leader-elect=false", // there is no other
		"--root-ca-file=" + p.certificate(authorityName),
		"--service-account-private-key-file=" + p.key(accountsName),
		"--use-service-account-credentials",
		"--cluster-cidr=" + podRange,
		"--service-cluster-ip-range=" + serviceRange,
		// Released clusters look at autoscalers every 15 s; tests wait for them.
		"--horizontal-pod-autoscaler-sync-period=2s",
		"--profiling=false",
	}
}

func (h home) schedulerArgs() []string {
	return []string{
		"--kubeconfig=" + h.config("kube-scheduler.kubeconfig"),
		"--bind-address=127.0.0.1",
		"--leader-elect=false",
		"--profiling=false",
	}
}

func (h home) kubeletArgs() []string {
	return []string{
		"--config=" + h.config("kubelet.yaml"),
		"--kubeconfig=" + h.config("kubelet.kubeconfig"),
		"--root-dir=" + h.path("kubelet"),
		"--cert-dir=" + filepath.Join(h.path("kubelet"), "pki"),
		"--hostname-override=" + nodeName,
		"--node-ip=" + nodeIP,
		"--node-labels=topology.kubernetes.io/zone=local",
	}
}

// socketReady is satisfied when something accepts connections on the socket.
func socketReady(path string) stack.Check {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		connection, err := dialer.DialContext(ctx, "unix", path)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}
