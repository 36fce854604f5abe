{{- /* A list of sentences about the Secrets and keys that are not there, as JSON. Without a cluster to look
into (helm template) it is empty: whoever renders may make them later. */ -}}
{{- define "qingcang.missingSecrets" -}}
{{- $wrong := list -}}
{{- $found := lookup "v1" "Secret" .Release.Namespace "" -}}
{{- if hasKey $found "items" -}}
{{- $there := dict -}}
{{- range $found.items -}}
{{- $_ := set $there .metadata.name (.data | default dict) -}}
{{- end -}}
{{- range $name, $keys := include "qingcang.wantedSecrets" . | fromYaml -}}
{{- $has := index $there $name -}}
{{- range $key := keys $keys | sortAlpha -}}
{{- if not (hasKey $there $name) -}}
{{- $wrong = append $wrong (printf "Secret %s is not in namespace %s; its key %s is wanted (README.md)" $name $.Release.Namespace $key) -}}
{{- else if not (hasKey $has $key) -}}
{{- $wrong = append $wrong (printf "Secret %s has no key %s (README.md)" $name $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- /* Each Secret that some pod mounts or reads, with its keys. Those of Strimzi's users come after the users. */ -}}
{{- define "qingcang.wantedSecrets" -}}
{{- $wanted := dict -}}
{{- $kafka := .Values.kafka -}}
{{- $login := list -}}
{{- if and $kafka.tls (not $kafka.strimzi.users) }}{{ $login = append $login "ca.crt" }}{{ end -}}
{{- if $kafka.sasl }}{{ $login = concat $login (list "username" "password") }}{{ end -}}
{{- if $kafka.clientCertificate }}{{ $login = concat $login (list "tls.crt" "tls.key") }}{{ end -}}
{{- $s := .Values.secrets -}}
{{- $all := list (list ((.Values.operator.secrets).kafka | default $s.kafka) $login) -}}
{{- if and $kafka.tls $kafka.strimzi.users }}{{ $all = append $all (list (include "qingcang.strimziCA" .) (list "ca.crt")) }}{{ end -}}
{{- if eq $kafka.topics "Job" }}{{ $all = append $all (list $s.kafka $login) }}{{ end -}}
{{- range $name, $needs := include "qingcang.services" . | fromYaml -}}
{{- $own := (index $.Values.services $name).secrets -}}
{{- $all = append $all (list ($own.kafka | default $s.kafka) $login) -}}
{{- if $needs.mongodb }}{{ $all = append $all (list ($own.mongodb | default $s.mongodb) (list "uri")) }}{{ end -}}
{{- with $needs.tokens }}{{ $all = append $all (list $s.tokens .) }}{{ end -}}
{{- if $needs.vault }}{{ $all = append $all (list $s.vault (list $name)) }}{{ end -}}
{{- if $needs.wechat }}{{ $all = append $all (list $s.wechatpay (list "private-key.pem" "apiv3.key" "platform-public-key.pem")) }}{{ end -}}
{{- if $needs.login }}{{ $all = append $all (list $s.wechatLogin (list "secret")) }}{{ end -}}
{{- end -}}
{{- range $all -}}
{{- $keys := index $wanted (first .) | default dict -}}
{{- range last . }}{{ $_ := set $keys . true }}{{ end -}}
{{- $_ := set $wanted (first .) $keys -}}
{{- end -}}
{{- toYaml $wanted -}}
{{- end }}
