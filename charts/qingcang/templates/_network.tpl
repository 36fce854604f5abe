{{- /* Rules of NetworkPolicies. A dict: root, name, policy (values), kafkaPorts, http and metrics (ports), and
what the pod reaches: mongodb, outside, apiServer, traces (the URL of their endpoint). */ -}}

{{- define "qingcang.ingress" -}}
{{- if .policy.clients -}}
- from: {{- toYaml .policy.clients | nindent 2 }}
  ports: [{port: {{ .http }}}]
{{ include "qingcang.fromTest" . }}
{{- else -}}
- ports: [{port: {{ .http }}}]
{{- end }}
{{ include "qingcang.fromScrapers" . }}
{{- end }}

{{- define "qingcang.fromTest" -}}
- from:
  - podSelector:
      matchLabels: {{- include "qingcang.selector" (dict "root" .root "name" "test") | nindent 8 }}
  ports: [{port: {{ .http }}}]
{{- end }}

{{- /* The API server is among them: kubectl qingcang reads how far a lane is behind through it. */ -}}
{{- define "qingcang.fromScrapers" -}}
- from: {{- concat (.policy.scrapers | default (list (dict "namespaceSelector" dict))) .policy.apiServer | toYaml | nindent 2 }}
  ports: [{port: {{ .metrics }}}]
{{- end }}

{{- define "qingcang.toDNS" -}}
- to: [{namespaceSelector: {}}, {ipBlock: {cidr: 169.254.0.0/16}}] # the cluster's DNS, and one on the node
  ports:
  {{- range .policy.dnsPorts | uniq }}
  - {port: {{ . }}, protocol: UDP}
  - {port: {{ . }}, protocol: TCP}
  {{- end }}
{{- end }}

{{- define "qingcang.egress" -}}
{{ include "qingcang.toDNS" . }}
{{ include "qingcang.to" (dict "peers" .policy.kafka "ports" .kafkaPorts) }}
{{- if .mongodb }}
{{ include "qingcang.to" (dict "peers" .policy.mongodb "ports" .policy.mongodbPorts) }}
{{- end }}
{{- if .outside }}
{{ include "qingcang.to" (dict "ports" .policy.outsidePorts) }}
{{- end }}
{{- if .apiServer }}
{{ include "qingcang.to" (dict "peers" .policy.apiServer "ports" .policy.apiServerPorts) }}
{{- end }}
{{- with .traces }}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{ include "qingcang.to" (dict "ports" (list (int $port))) }}
{{- end }}
{{- end }}

{{- /* A dict: ports, and peers, which may be missing: anywhere. */ -}}
{{- define "qingcang.to" -}}
- ports:
  {{- range .ports | uniq }}
  - port: {{ . }}
  {{- end }}
  {{- with .peers }}
  to: {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
