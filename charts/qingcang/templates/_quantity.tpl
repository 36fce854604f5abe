{{- /* Mebibytes of a quantity of memory such as 1Gi. The schema lets Mi and Gi in. */ -}}
{{- define "qingcang.mebibytes" -}}
{{- if hasSuffix "Gi" . }}{{ mul (trimSuffix "Gi" . | int64) 1024 }}{{ else }}{{ trimSuffix "Mi" . | int64 }}{{ end }}
{{- end }}

{{- /* The soft limit of Go's collector. The services let the heap grow to five times what is live
(GOGC 400), so that without it the kernel would kill them before they collect. The fifth that is left is
for stacks, buffers and what the collector has not given back yet. */ -}}
{{- define "qingcang.gomemlimit" -}}
{{ div (mul (include "qingcang.mebibytes" .limits.memory | int64) 80) 100 }}MiB
{{- end }}
