{{- /* Parts of pods: what makes them restricted, where they run, their way to Kafka. */ -}}

{{- /* What all pods have alike. */ -}}
{{- define "qingcang.pod" -}}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What all containers have alike. A dict: root, name (of the image). */ -}}
{{- define "qingcang.container" -}}
image: {{ include "qingcang.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* Over nodes and zones as evenly as there is room; each ReplicaSet by itself, so that a roll-out counts
only its new pods. A dict: root, name. */ -}}
{{- define "qingcang.spread" -}}
topologySpreadConstraints:
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "qingcang.selector" $ | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{- /* Where a pod may run. It takes the values of a service or of the operator. */ -}}
{{- define "qingcang.nodes" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{- /* The Secret that a pod logs in to Kafka with: its KafkaUser's, or what the values name. */ -}}
{{- define "qingcang.kafkaSecret" -}}
{{- if .root.Values.kafka.strimzi.users -}}
{{ include "qingcang.fullname" . }}
{{- else -}}
{{ .settings.secrets.kafka | default .root.Values.secrets.kafka }}
{{- end }}
{{- end }}

{{- /* The Secret with the certificate authority of Strimzi's cluster. */ -}}
{{- define "qingcang.strimziCA" -}}
{{- $strimzi := .Values.kafka.strimzi -}}
{{ $strimzi.caSecret | default (printf "%s-cluster-ca-cert" $strimzi.cluster) }}
{{- end }}

{{- define "qingcang.kafkaEnv" -}}
{{- $kafka := .root.Values.kafka -}}
- {name: KAFKA_BROKERS, value: {{ join "," $kafka.brokers | quote }}}
{{- if $kafka.tls }}
- {name: KAFKA_TLS_CA_FILE, value: /etc/qingcang/kafka/ca.crt}
{{- end }}
{{- if $kafka.clientCertificate }}
- {name: KAFKA_TLS_CERT_FILE, value: /etc/qingcang/kafka/tls.crt}
- {name: KAFKA_TLS_KEY_FILE, value: /etc/qingcang/kafka/tls.key}
{{- end }}
{{- if $kafka.strimzi.users }}
- {name: KAFKA_SASL_USERNAME, value: {{ include "qingcang.fullname" . | quote }}}
- {name: KAFKA_SASL_PASSWORD_FILE, value: /etc/qingcang/kafka/password}
{{- else if $kafka.sasl }}
- name: KAFKA_SASL_USERNAME
  valueFrom:
    secretKeyRef: {name: {{ include "qingcang.kafkaSecret" . | quote }}, key: username}
- {name: KAFKA_SASL_PASSWORD_FILE, value: /etc/qingcang/kafka/password}
{{- end }}
{{- end }}

{{- /* True if Kafka's files are to be mounted. */ -}}
{{- define "qingcang.kafkaFiles" -}}
{{- $kafka := .root.Values.kafka -}}
{{- if or $kafka.tls $kafka.sasl $kafka.strimzi.users }}true{{ end }}
{{- end }}

{{- define "qingcang.kafkaVolume" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $secret := include "qingcang.kafkaSecret" . -}}
- name: kafka
  projected:
    defaultMode: 0440
    sources:
    {{- if $kafka.tls }}
    - secret:
        {{- if $kafka.strimzi.users }}
        name: {{ include "qingcang.strimziCA" .root | quote }}
        {{- else }}
        name: {{ $secret | quote }}
        {{- end }}
        items: [{key: ca.crt, path: ca.crt}]
    {{- end }}
    {{- if $kafka.clientCertificate }}
    - secret:
        name: {{ $secret | quote }}
        items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]
    {{- end }}
    {{- if or $kafka.sasl $kafka.strimzi.users }}
    - secret:
        name: {{ $secret | quote }}
        items: [{key: password, path: password}]
    {{- end }}
{{- end }}

{{- /* Room for what a request spools; the root file system cannot be written. */ -}}
{{- define "qingcang.tmpVolume" -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- end }}
