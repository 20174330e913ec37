{{- define "headgate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "headgate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "headgate.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "headgate.labels" -}}
{{ include "headgate.selector" . }}
app.kubernetes.io/part-of: headgate
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "headgate.selector" -}}
app.kubernetes.io/name: {{ include "headgate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "headgate.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with .Values.image.registry }}{{ $repository = printf "%s/%s" (trimSuffix "/" .) $repository }}{{ end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "headgate.controller.serviceAccount" -}}
{{- $made := ternary (printf "%s-controller" (include "headgate.fullname" .)) "default" .Values.controller.serviceAccount.create -}}
{{- default $made .Values.controller.serviceAccount.name -}}
{{- end -}}

{{- define "headgate.dataplane.serviceAccount" -}}
{{- $made := ternary (printf "%s-dataplane" (include "headgate.fullname" .)) "default" .Values.dataplane.serviceAccount.create -}}
{{- default $made .Values.dataplane.serviceAccount.name -}}
{{- end -}}

{{- define "headgate.watchNamespace" -}}
{{- if .Values.controller.scope.enabled -}}
{{- default .Release.Namespace .Values.controller.scope.namespace -}}
{{- end -}}
{{- end -}}

{{/* controller.watchSecrets by namespace, as YAML: the names of single Secrets; none: all of the namespace. */}}
{{- define "headgate.secretScopes" -}}
{{- $scopes := dict -}}
{{- $all := .Values.controller.watchSecrets -}}
{{- range $all -}}
{{- $namespace := splitList "/" . | first -}}
{{- $names := get $scopes $namespace | default list -}}
{{- if not (has $namespace $all) }}{{ $names = append $names (splitList "/" . | last) | uniq | sortAlpha }}{{ end -}}
{{- $_ := set $scopes $namespace $names -}}
{{- end -}}
{{- toYaml $scopes -}}
{{- end -}}

{{- define "headgate.electionId" -}}
{{- default (printf "%s-controller-leader" (include "headgate.fullname" .)) .Values.controller.electionID -}}
{{- end -}}

{{- define "headgate.publishService" -}}
{{- if .Values.controller.publishService.enabled -}}
{{- if .Values.controller.publishService.pathOverride -}}
{{- .Values.controller.publishService.pathOverride -}}
{{- else if .Values.dataplane.service.enabled -}}
{{- printf "%s/%s" .Release.Namespace (include "headgate.fullname" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty: the status of Ingresses says the addresses of data planes' nodes. */}}
{{- define "headgate.publishNodes" -}}
{{- if and .Values.controller.publishNodes.enabled (not (include "headgate.publishService" .)) }}yes{{ end -}}
{{- end -}}

{{/* Who makes the certificates of the two programs for each other: "chart", "cert-manager" or "others". */}}
{{- define "headgate.snapshotTls.maker" -}}
{{- if .Values.snapshotTls.certManager.enabled }}cert-manager{{ else if .Values.snapshotTls.generate }}chart{{ else }}others{{ end -}}
{{- end -}}

{{/* Not empty: controllers renew them. */}}
{{- define "headgate.snapshotTls.renewed" -}}
{{- if and (eq (include "headgate.snapshotTls.maker" .) "chart") .Values.snapshotTls.renew .Values.rbac.create }}yes{{ end -}}
{{- end -}}

{{/* By which data planes and others call controllers, as YAML. */}}
{{- define "headgate.controller.names" -}}
{{- $service := printf "%s-controller" (include "headgate.fullname" .) -}}
- {{ $service }}.{{ .Release.Namespace }}.svc
- {{ $service }}.{{ .Release.Namespace }}
- {{ $service }}
- {{ $service }}.{{ .Release.Namespace }}.svc.cluster.local
{{- end -}}

{{- define "headgate.controller.tlsSecret" -}}
{{- if ne (include "headgate.snapshotTls.maker" .) "others" -}}
{{- printf "%s-controller-tls" (include "headgate.fullname" .) -}}
{{- else -}}
{{- required "snapshotTls.generate is false, so snapshotTls.controllerSecret must name a Secret" .Values.snapshotTls.controllerSecret -}}
{{- end -}}
{{- end -}}

{{- define "headgate.admission.service" -}}
{{- printf "%s-controller-admission" (include "headgate.fullname" .) -}}
{{- end -}}

{{/* The ValidatingWebhookConfiguration, which belongs to no namespace. */}}
{{- define "headgate.admission.configuration" -}}
{{- $name := printf "%s-admission" (include "headgate.fullname" .) -}}
{{- if ne .Release.Namespace "default" }}{{ $name = printf "%s-%s" .Release.Namespace $name | trunc 63 | trimSuffix "-" }}{{ end -}}
{{- $name -}}
{{- end -}}

{{/* Not empty: controllers make the webhook's certificate. */}}
{{- define "headgate.admission.own" -}}
{{- with .Values.controller.admissionWebhooks -}}
{{- if and .enabled (not .certificate.secretName) (not .certManager.enabled) }}yes{{ end -}}
{{- end -}}
{{- end -}}

{{- define "headgate.admission.secret" -}}
{{- default (printf "%s-controller-admission" (include "headgate.fullname" .)) .Values.controller.admissionWebhooks.certificate.secretName -}}
{{- end -}}

{{- define "headgate.dataplane.tlsSecret" -}}
{{- if ne (include "headgate.snapshotTls.maker" .) "others" -}}
{{- printf "%s-dataplane-tls" (include "headgate.fullname" .) -}}
{{- else -}}
{{- required "snapshotTls.generate is false, so snapshotTls.dataplaneSecret must name a Secret" .Values.snapshotTls.dataplaneSecret -}}
{{- end -}}
{{- end -}}

{{- /* Both programs run as nobody in particular, with nothing to write to and no privilege. */ -}}
{{- define "headgate.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "headgate.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* Of a component: as given, or over nodes as far as it goes. */ -}}
{{- define "headgate.spread" -}}
{{- $component := index . 1 -}}
{{- with index . 0 -}}
topologySpreadConstraints:
  {{- with (get .Values $component).topologySpreadConstraints }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "headgate.selector" . | nindent 8 }}
        app.kubernetes.io/component: {{ $component }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "headgate.probes" -}}
livenessProbe:
  httpGet:
    path: /healthz
    port: admin
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 5
readinessProbe:
  httpGet:
    path: /readyz
    port: admin
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}

{{- define "headgate.extraArgs" -}}
{{- range $flag, $value := . }}
{{- if kindIs "bool" $value }}
- {{ printf "--%s=%t" $flag $value | quote }}
{{- else }}
- {{ printf "--%s=%v" $flag $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "headgate.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- /* The name of a Role of the controller: of the root, what the name ends with, and the namespace. Releases of one name in several
namespaces may meet in a third. */ -}}
{{- define "headgate.controller.roleName" -}}
{{- $namespace := (index . 0).Release.Namespace -}}
{{- if ne $namespace (index . 2) }}{{ $namespace }}-{{ end }}{{ include "headgate.fullname" (index . 0) }}-{{ index . 1 -}}
{{- end -}}

{{- /* Gives the controller that Role: of the same. */ -}}
{{- define "headgate.controller.roleBinding" -}}
{{- $name := include "headgate.controller.roleName" . -}}
{{- $namespace := index . 2 -}}
{{- with index . 0 -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ $namespace }}
  labels:
    {{- include "headgate.labels" . | nindent 4 }}
    app.kubernetes.io/component: controller
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "headgate.controller.serviceAccount" . }}
    namespace: {{ .Release.Namespace }}
{{- end -}}
{{- end -}}

{{- /* All that the controller reads, and the Events that it writes. */ -}}
{{- define "headgate.rules" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
{{- if .Values.controller.useEndpoints }}
- apiGroups: [""]
  resources: [endpoints]
  verbs: [list, watch]
{{- else }}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
{{- end }}
{{- if not .Values.controller.watchSecrets }}
# The program leaves out Secrets of types that belong to other programs, by field selector; a role cannot say so.
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
{{- end }}
# Only ConfigMaps that an Ingress names as a backend, one by one.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [patch]
# On Ingresses, about what became of them; on Services, about the health of their endpoints.
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* The name of a TCP service's port, for a dict of root and port. */}}
{{- define "headgate.tcpPort" -}}
{{ with .root.Values.portNamePrefix }}{{ . }}-{{ end }}{{ .port }}-tcp
{{- end -}}
