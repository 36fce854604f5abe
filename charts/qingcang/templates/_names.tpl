{{- /* Names and labels. Most take a dict: root, and name, which is "order", "campaign-operator" and so on.
What a person chose is quoted wherever it stands alone: a cluster, a release or a Secret may be called 2026 or on. */ -}}

{{- define "qingcang.fullname" -}}
{{ .root.Release.Name }}-{{ .name }}
{{- end }}

{{- /* Labels that find pods; they can never change. */ -}}
{{- define "qingcang.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- end }}

{{- /* No version: a pod is replaced when what it runs changes, not with every version of the chart. */ -}}
{{- define "qingcang.podLabels" -}}
{{ include "qingcang.selector" . }}
app.kubernetes.io/part-of: qingcang
{{- end }}

{{- /* A version may have a plus sign, and a label may not. */ -}}
{{- define "qingcang.labels" -}}
{{ include "qingcang.podLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | quote }}
{{- end }}

{{- define "qingcang.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}/{{ .name }}
{{- with index $image.digests .name }}@{{ . }}{{ else }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The services, and what each needs of what there is to configure. "staff" is the log-in of staff,
"ready" the path of the readiness probe. */ -}}
{{- define "qingcang.services" -}}
brand-intake:
  mongodb: true
  vault: true
  staff: true
  ready: /readyz
catalog:
  mongodb: false
  tokens: [share]
  staff: true
  ready: /readyz
store-owner:
  mongodb: true
  tokens: [buyer, owner, share]
  vault: true
  wechat: true
  login: true
  ready: /readyz
order:
  mongodb: true
  tokens: [buyer, share]
  staff: true
  wechat: true
  # Orders are placed and held without the database; one that is away must not close the sale.
  ready: /readyz?exclude=mongodb
fulfilment:
  mongodb: true
  tokens: [buyer]
  vault: true
  staff: true
  ready: /readyz
{{- end }}

{{- /* Finds the pods of lanes of their own, which the operator makes: they are copies of the order service's with
other labels. */ -}}
{{- define "qingcang.lanes" -}}
matchExpressions:
- {key: sale.qingcang.io/campaign, operator: Exists}
{{- end }}
