{{- /* Environment and files of a service. A dict: root, name, needs (of qingcang.services), settings. */ -}}

{{- define "qingcang.serviceEnv" -}}
{{- $values := .root.Values -}}
- {name: HTTP_ADDR, value: ":8080"}
- name: INSTANCE
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- {name: LOG_LEVEL, value: {{ $values.logLevel | quote }}}
- {name: GOMEMLIMIT, value: {{ include "qingcang.gomemlimit" .settings.resources | quote }}}
- {name: OTEL_METRICS_EXPORTER, value: prometheus}
- {name: OTEL_EXPORTER_PROMETHEUS_HOST, value: 0.0.0.0}
- {name: OTEL_EXPORTER_PROMETHEUS_PORT, value: "9464"}
{{- with $values.telemetry.otlpEndpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
- {name: OTEL_TRACES_EXPORTER, value: otlp}
- {name: OTEL_LOGS_EXPORTER, value: none}
{{- end }}
{{ include "qingcang.kafkaEnv" . }}
{{- if .needs.mongodb }}
- name: MONGODB_URI
  valueFrom:
    secretKeyRef: {name: {{ include "qingcang.mongodbSecret" . | quote }}, key: uri}
- {name: MONGODB_DATABASE, value: {{ printf "%s%s" $values.mongodb.databasePrefix .name | quote }}}
{{- end }}
{{- range .needs.tokens }}
- {name: {{ upper . }}_TOKEN_KEYS_FILE, value: /etc/qingcang/tokens/{{ . }}}
{{- end }}
{{- if .needs.vault }}
- {name: VAULT_KEY_FILE, value: /etc/qingcang/vault/{{ .name }}}
{{- end }}
{{- if .needs.staff }}
- {name: OIDC_ISSUER, value: {{ $values.staff.issuer | quote }}}
- {name: OIDC_AUDIENCE, value: {{ $values.staff.audience | quote }}}
{{- end }}
{{- if .needs.wechat }}
- {name: WECHATPAY_MCH_ID, value: {{ $values.wechat.merchantId | quote }}}
- {name: WECHATPAY_APP_ID, value: {{ $values.wechat.appId | quote }}}
- {name: WECHATPAY_CERT_SERIAL, value: {{ $values.wechat.certificateSerial | quote }}}
- {name: WECHATPAY_PRIVATE_KEY_FILE, value: /etc/qingcang/wechatpay/private-key.pem}
- {name: WECHATPAY_APIV3_KEY_FILE, value: /etc/qingcang/wechatpay/apiv3.key}
- {name: WECHATPAY_PLATFORM_PUBLIC_KEY_FILE, value: /etc/qingcang/wechatpay/platform-public-key.pem}
- {name: WECHATPAY_PLATFORM_PUBLIC_KEY_ID, value: {{ $values.wechat.platformPublicKeyId | quote }}}
- {name: WECHATPAY_NOTIFY_URL, value: {{ printf "https://%s.%s/v1/wechatpay/notices" .name $values.domain | quote }}}
{{- end }}
{{- if .needs.login }}
- {name: WECHAT_LOGIN_APP_ID, value: {{ $values.wechat.loginAppId | default $values.wechat.appId | quote }}}
- {name: WECHAT_LOGIN_SECRET_FILE, value: /etc/qingcang/wechat-login/secret}
{{- end }}
{{- with .settings.program }}
- {name: OWNER_PROGRAM, value: {{ . | quote }}}
{{- end }}
{{- with .settings.laneRules }}
- {name: LANE_RULES, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{- define "qingcang.mongodbSecret" -}}
{{ .settings.secrets.mongodb | default .root.Values.secrets.mongodb }}
{{- end }}

{{- /* Where each kind of file is mounted; a volume has the name of its folder. */ -}}
{{- define "qingcang.serviceMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "qingcang.kafkaFiles" . }}
- {name: kafka, mountPath: /etc/qingcang/kafka, readOnly: true}
{{- end }}
{{- range $folder, $needed := dict "mongodb" .needs.mongodb "tokens" .needs.tokens "vault" .needs.vault "wechatpay" .needs.wechat "wechat-login" .needs.login }}
{{- if $needed }}
- {name: {{ $folder }}, mountPath: /etc/qingcang/{{ $folder }}, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{- /* A service gets the keys that it needs and no others of a Secret. */ -}}
{{- define "qingcang.serviceVolumes" -}}
{{- $secrets := .root.Values.secrets -}}
{{ include "qingcang.tmpVolume" . }}
{{- if include "qingcang.kafkaFiles" . }}
{{ include "qingcang.kafkaVolume" . }}
{{- end }}
{{- if .needs.mongodb }}
- name: mongodb
  secret: {secretName: {{ include "qingcang.mongodbSecret" . | quote }}, defaultMode: 0440}
{{- end }}
{{- with .needs.tokens }}
- name: tokens
  secret:
    secretName: {{ $secrets.tokens | quote }}
    defaultMode: 0440
    items:
    {{- range . }}
    - {key: {{ . }}, path: {{ . }}}
    {{- end }}
{{- end }}
{{- if .needs.vault }}
- name: vault
  secret:
    secretName: {{ $secrets.vault | quote }}
    defaultMode: 0440
    items: [{key: {{ .name }}, path: {{ .name }}}]
{{- end }}
{{- if .needs.wechat }}
- name: wechatpay
  secret: {secretName: {{ $secrets.wechatpay | quote }}, defaultMode: 0440}
{{- end }}
{{- if .needs.login }}
- name: wechat-login
  secret:
    secretName: {{ $secrets.wechatLogin | quote }}
    defaultMode: 0440
    items: [{key: secret, path: secret}]
{{- end }}
{{- end }}
