package main

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"text/template"
)

// The cluster's own networks. They exist in its network namespace; the machine
// has a link to it and routes.
const (
	linkRange    = "10.245.0.0/30" // the machine's end is .1, the node's is .2
	machineIP    = "10.245.0.1"
	nodeIP       = "10.245.0.2"
	podRange     = "10.244.0.0/16"
	serviceRange = "10.96.0.0/16"
	apiServiceIP = "10.96.0.1"
	dnsIP        = "10.96.0.10"
)

const (
	nodeName       = "qingcang"
	checkNamespace = "cluster-check"
	serverURL      = "https://" + nodeIP + ":6443"
)

// Images that are built here. The tag is never pulled.
const (
	pauseImage = "cluster.qingcang.local/pause:v1"
	probeImage = "cluster.qingcang.local/probe:v1"
	dnsImage   = "cluster.qingcang.local/coredns:v1"
	usageImage = "cluster.qingcang.local/metrics-server:v1"
)

//go:embed config
var templates embed.FS

// settings are what the templates in config name.
type settings struct {
	Dir, ContainerdSocket, Authority, ResolvConf string
	CNIPlugins, Shim, Runc                       string
	NodeIP, NodeName, PodRange, DNSIP            string
	CgroupRoot, CheckNamespace                   string
	PauseImage, ProbeImage, DNSImage, UsageImage string
}

func (h home) settings(programs map[string]string) settings {
	return settings{
		Dir: h.dir, ContainerdSocket: h.containerdSocket(), Authority: h.pki().certificate(authorityName),
		ResolvConf: h.config("resolv.conf"),
		CNIPlugins: programs["cni"], Shim: programs["containerd-shim-runc-v2"], Runc: programs["runc"],
		NodeIP: nodeIP, NodeName: nodeName, PodRange: podRange, DNSIP: dnsIP,
		CgroupRoot: h.cgroup(), CheckNamespace: checkNamespace,
		PauseImage: pauseImage, ProbeImage: probeImage, DNSImage: dnsImage, UsageImage: usageImage,
	}
}

func (s settings) render(name string) ([]byte, error) {
	parsed, err := template.ParseFS(templates, "config/"+name)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, s); err != nil {
		return nil, fmt.Errorf("fill in %s: %w", name, err)
	}
	return text.Bytes(), nil
}

// writeConfig writes what the node's programs read: configurations, identities,
// and where the machine asks for names, which may be a link to a folder that the
// node does not see.
func (h home) writeConfig(programs map[string]string) error {
	if err := os.MkdirAll(h.config("cni"), 0o700); err != nil {
		return err
	}
	if err := h.writeIdentities(); err != nil {
		return fmt.Errorf("make the identities of the cluster: %w", err)
	}
	names, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return err
	}
	if err := os.WriteFile(h.config("resolv.conf"), names, 0o644); err != nil {
		return err
	}
	s := h.settings(programs)
	for name, target := range map[string]string{
		"containerd.toml": h.config("containerd.toml"),
		"kubelet.yaml":    h.config("kubelet.yaml"),
		"kube-proxy.yaml": h.config("kube-proxy.yaml"),
		"cni.conflist":    h.config("cni/10-qingcang.conflist"),
	} {
		text, err := s.render(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(target, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
