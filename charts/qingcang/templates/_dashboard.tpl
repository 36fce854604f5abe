{{- /* Grafana's JSON of a dashboard: rows of panels, three beside each other. */ -}}
{{- define "qingcang.dashboard" -}}
{{- $source := dict "type" "prometheus" "uid" "${datasource}" -}}
{{- $panels := list -}}
{{- $y := 0 -}}
{{- $id := 1 -}}
{{- range $row := .rows -}}
{{- $panels = append $panels (dict "id" $id "type" "row" "title" $row.title "collapsed" false "panels" list "gridPos" (dict "x" 0 "y" $y "w" 24 "h" 1)) -}}
{{- $id = add1 $id -}}
{{- $y = add1 $y -}}
{{- range $i, $panel := $row.panels -}}
{{- $targets := list -}}
{{- range $n, $query := $panel.queries -}}
{{- $targets = append $targets (dict "refId" (index (list "A" "B" "C" "D") $n) "expr" $query.expr "legendFormat" $query.legend "datasource" $source) -}}
{{- end -}}
{{- $grid := dict "x" (mul 8 (mod $i 3)) "y" (add $y (mul 8 (div $i 3))) "w" 8 "h" 8 -}}
{{- $field := dict "defaults" (dict "unit" $panel.unit "min" 0) "overrides" list -}}
{{- $panels = append $panels (dict "id" $id "type" "timeseries" "title" $panel.title "description" ($panel.about | default "") "datasource" $source "targets" $targets "gridPos" $grid "fieldConfig" $field) -}}
{{- $id = add1 $id -}}
{{- end -}}
{{- $y = add $y (mul 8 (div (add (len $row.panels) 2) 3)) -}}
{{- end -}}
{{- $variables := list
  (dict "name" "datasource" "type" "datasource" "query" "prometheus" "label" "Prometheus")
  (dict "name" "namespace" "type" "query" "label" "Namespace" "datasource" $source "query" "label_values(journal_queue, namespace)" "refresh" 1) -}}
{{- dict "title" .title "uid" .uid "description" .about "tags" (list "qingcang") "schemaVersion" 39 "editable" true "refresh" "10s"
  "time" (dict "from" "now-1h" "to" "now") "templating" (dict "list" $variables) "panels" $panels | toJson -}}
{{- end }}
