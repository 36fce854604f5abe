//go:build mutant_privileged_pod

package main

// plantedPod is the node's root.
func plantedPod() map[string]string {
	return map[string]string{"charts/qingcang/templates/planted.yaml": `apiVersion: v1
kind: Pod
metadata:
  name: planted
spec:
  containers:
    - name: planted
      image: planted
      securityContext: {privileged: true, runAsUser: 0}
`}
}
