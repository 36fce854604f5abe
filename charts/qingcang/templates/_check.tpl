{{- /* What the schema cannot say: values that are missing or contradict each other. All of it is said at once. */ -}}
{{- define "qingcang.check" -}}
{{- $wrong := list -}}
{{- $v := .Values -}}
{{- range list
  (list "clusterName" $v.clusterName "a name for this Kubernetes cluster, unique among those of one Kafka")
  (list "domain" $v.domain "the domain under which each service is reached, as order.<domain>")
  (list "kafka.brokers" $v.kafka.brokers "host:port of some Kafka brokers")
  (list "staff.issuer" $v.staff.issuer "the OpenID Connect issuer of the staff's tokens")
  (list "wechat.appId" $v.wechat.appId "the app id of the public account whose page pays")
  (list "wechat.merchantId" $v.wechat.merchantId "the merchant's number at WeChat Pay")
  (list "wechat.certificateSerial" $v.wechat.certificateSerial "the serial number of the merchant's certificate")
  (list "wechat.platformPublicKeyId" $v.wechat.platformPublicKeyId "the id of WeChat Pay's public key") }}
{{- if not (index . 1) }}
{{- $wrong = append $wrong (printf "%s is not set: give %s" (index . 0) (index . 2)) }}
{{- end }}
{{- end }}
{{- $strimzi := $v.kafka.strimzi }}
{{- if and (eq $v.kafka.topics "Strimzi") (not $strimzi.cluster) }}
{{- $wrong = append $wrong "kafka.topics is Strimzi, but kafka.strimzi.cluster does not name the Kafka object whose topic operator is to make them" }}
{{- end }}
{{- if and $strimzi.users (not $strimzi.cluster) }}
{{- $wrong = append $wrong "kafka.strimzi.users is true, but kafka.strimzi.cluster does not name the Kafka object whose user operator is to make them" }}
{{- end }}
{{- if and $strimzi.users (or $v.kafka.sasl $v.kafka.clientCertificate) }}
{{- $wrong = append $wrong "kafka.strimzi.users gives each service a user of its own; take kafka.sasl and kafka.clientCertificate out, which give them one by Secret" }}
{{- end }}
{{- if and $strimzi.users (eq $v.kafka.topics "Job") }}
{{- $wrong = append $wrong "kafka.strimzi.users gives no user the right to make topics, so kafka.topics cannot be Job: set it to Strimzi or None" }}
{{- end }}
{{- if gt (int $strimzi.minInSyncReplicas) (int $strimzi.replicas) }}
{{- $wrong = append $wrong (printf "kafka.strimzi.minInSyncReplicas is %v, more than the %v of kafka.strimzi.replicas: nothing could be written" $strimzi.minInSyncReplicas $strimzi.replicas) }}
{{- end }}
{{- if and $v.kafka.clientCertificate (not $v.kafka.tls) }}
{{- $wrong = append $wrong "kafka.clientCertificate is true, but kafka.tls is not, without which no certificate is shown" }}
{{- end }}
{{- if and $v.kafka.clientCertificate $v.kafka.sasl }}
{{- $wrong = append $wrong "kafka.clientCertificate and kafka.sasl are both true; a client logs in one way" }}
{{- end }}
{{- if and $v.gateway.enabled (not $v.gateway.name) }}
{{- $wrong = append $wrong "gateway.enabled is true, but gateway.name does not name the Gateway that the routes are for" }}
{{- end }}
{{- if gt (len .Release.Name) 40 }}
{{- $wrong = append $wrong (printf "the release's name has %d characters; with more than 40 the names of its Services would be too long" (len .Release.Name)) }}
{{- end }}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" .Release.Name) }}
{{- $wrong = append $wrong (printf "the release's name is %s; Services are named after it, so it has only a-z, 0-9 and -, and begins with a letter" .Release.Name) }}
{{- end }}
{{- $parts := merge (dict "operator" $v.operator) $v.services }}
{{- range $name := keys $parts | sortAlpha }}
{{- $path := ternary $name (printf "services.%s" $name) (eq $name "operator") }}
{{- $resources := (index $parts $name).resources }}
{{- if gt (include "qingcang.mebibytes" $resources.requests.memory | int64) (include "qingcang.mebibytes" $resources.limits.memory | int64) }}
{{- $wrong = append $wrong (printf "%s.resources.requests.memory is %s, more than its limits.memory of %s" $path $resources.requests.memory $resources.limits.memory) }}
{{- end }}
{{- end }}
{{- $wrong = concat $wrong (include "qingcang.otherOperators" . | fromJsonArray) }}
{{- $wrong = concat $wrong (include "qingcang.missingSecrets" . | fromJsonArray) }}
{{- if $wrong }}
{{- fail (printf "\n- %s\n" (join "\n- " $wrong)) }}
{{- end }}
{{- end }}

{{- /* A list of sentences about operators that run in the namespace already, as JSON: this release's own bears the
name of the cluster, and another's would run the same campaigns. */ -}}
{{- define "qingcang.otherOperators" -}}
{{- $wrong := list -}}
{{- range (lookup "apps/v1" "Deployment" .Release.Namespace "").items -}}
{{- $labels := .metadata.labels | default dict -}}
{{- $owner := index $labels "app.kubernetes.io/instance" -}}
{{- if and (eq (index $labels "app.kubernetes.io/name" | default "") "campaign-operator") (eq (index $labels "app.kubernetes.io/part-of" | default "") "qingcang") -}}
{{- if ne $owner $.Release.Name -}}
{{- $wrong = append $wrong (printf "release %s runs the campaigns of namespace %s; install this one in a namespace of its own" $owner $.Release.Namespace) -}}
{{- else -}}
{{- $was := index (.metadata.annotations | default dict) "qingcang.io/cluster-name" -}}
{{- if and $was (ne $was $.Values.clusterName) -}}
{{- $wrong = append $wrong (printf "clusterName was %s and must never change: the campaigns that run bear it" $was) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}
