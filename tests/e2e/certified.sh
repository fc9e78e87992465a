# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Capstan with certificates that it makes itself, called as a Service. To be sourced. There is no
# kube-proxy: the Service is another name for this machine, and the webhook configuration has the port.

secrets_path=/api/v1/namespaces/capstan-system/secrets
secret_path=$secrets_path/capstan-certs

# allow_certificates: gives all replicas the rights that rbac.yaml does not have.
allow_certificates() {
    k apply -f - >/dev/null <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: capstan-certificates}
rules:
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  resourceNames: [zz-capstan]
  verbs: [get, list, watch, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: capstan-certificates}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: capstan-certificates}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: capstan}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: capstan-certificates, namespace: capstan-system}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [create]}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [capstan-certs]
  verbs: [get, list, watch, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: capstan-certificates, namespace: capstan-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: capstan-certificates}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: capstan}
END
}

# service_webhook_json PORT [FAILURE_POLICY]: without caBundle, as the manifests have it.
service_webhook_json() {
    make_serving_certificate
    webhook_json capstan "${2-Fail}" | jq -c --argjson port "$1" '.webhooks[].clientConfig =
        {service: {namespace: "capstan-system", name: "capstan", path: "/mutate", $port}}'
}

# register_service PORT [FAILURE_POLICY]
register_service() {
    k -n capstan-system get service capstan >/dev/null 2>&1 ||
        k -n capstan-system create service externalname capstan --external-name localhost \
            --tcp 443 >/dev/null
    api admin POST "$webhooks_path" "$(service_webhook_json "$@")" >/dev/null
}

registration() {
    api admin GET "$webhooks_path/zz-capstan"
}

secret() {
    api admin GET "$secret_path"
}

# secret_text KEY: prints the decoded value, or nothing.
secret_text() {
    secret | jq -r --arg key "$1" '.data[$key] // "" | @base64d'
}

# cas_of: the certificates on stdin, one a line. The base64 of one CA in a thousand has the letters END.
cas_of() {
    awk '/^-----BEGIN / { pem = "" } { pem = pem $0 } /^-----END / { print pem }'
}

# secret_cas, bundle_cas [ENTRY]: prints the CAs of the Secret, or of an entry of the webhook
# configuration.
secret_cas() {
    secret_text ca.crt | cas_of
}

bundle_cas() {
    registration | jq -r --argjson entry "${1-0}" \
        '.webhooks[$entry].clientConfig.caBundle // "" | @base64d' | cas_of
}

# set_bundles BASE64: sets the caBundle of each entry. Empty removes it.
set_bundles() {
    local patch
    patch=$(registration | jq -c --arg bundle "$1" '[.webhooks | keys[] |
        {op: "add", path: "/webhooks/\(.)/clientConfig/caBundle", value: $bundle}]')
    api admin PATCH "$webhooks_path/zz-capstan" "$patch" json >/dev/null
}

# bundles_are_current: whether each caBundle is equal to ca.crt.
bundles_are_current() {
    { secret && registration; } | jq -s -e '
        (.[0].data["ca.crt"] // "-") as $wanted | .[1].webhooks |
        length > 0 and all(.[]; .clientConfig.caBundle == $wanted)'
}

# is_certified NAME...: whether bundles_are_current, and each of these serves a certificate for the
# Service's name that the caBundles trust.
is_certified() {
    local name urls=()
    bundles_are_current || return
    secret_text ca.crt >"$CLUSTER/trusted.crt"
    for name in "$@"; do
        urls+=("https://capstan.capstan-system.svc:$(webhook_port "$name")/" -o /dev/null)
    done
    curl -sS --noproxy '*' -m 5 --fail-early --cacert "$CLUSTER/trusted.crt" \
        --connect-to ::127.0.0.1: "${urls[@]}"
}

# restorations TIME: for each change of the configuration by admin since TIME, the milliseconds until
# capstan changed it back, by the audit log.
restorations() {
    audit "select(.what == \"mutatingwebhookconfigurations\" and .verb == \"patch\" and .code < 300 and
        .requestReceivedTimestamp > \"$1\")" | jq -s '
        def ms: (.[:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber);
        sort_by(.requestReceivedTimestamp) | . as $all | range(length) as $i |
        select($all[$i].writer == "admin") |
        first($all[$i + 1:][] | select(.writer != "admin")) as $next |
        ($next.requestReceivedTimestamp | ms) - ($all[$i].stageTimestamp | ms)'
}

# rotate leaf|ca: asks Capstan for a new one.
rotate() {
    k -n capstan-system annotate --overwrite secret capstan-certs "capstan.dev/rotate=$1" >/dev/null
}

is_rotated() {
    secret | jq -e '.metadata.annotations["capstan.dev/rotate"] == null'
}

# has_logged NAME EVENT [FILTER OF JQ]: prints the lines that match; fails if there are none.
has_logged() {
    log_of "$1" "$2" | jq -c "select(${3-true})" | grep .
}
