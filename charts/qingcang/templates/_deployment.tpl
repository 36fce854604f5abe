{{- /* What stands beside each Deployment, and how it is rolled out. Each takes a dict: root, name. */ -}}

{{- define "qingcang.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "qingcang.fullname" . }}
  labels: {{- include "qingcang.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{- /* No replica goes before its successor is ready. */ -}}
{{- define "qingcang.rollOut" -}}
revisionHistoryLimit: 3
strategy:
  type: RollingUpdate
  rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
selector:
  matchLabels: {{- include "qingcang.selector" . | nindent 4 }}
{{- end }}

{{- /* A pod that cannot become ready must not hold a drain up. */ -}}
{{- define "qingcang.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "qingcang.fullname" . }}
  labels: {{- include "qingcang.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "qingcang.selector" . | nindent 6 }}
{{- end }}
