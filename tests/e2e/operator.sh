# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# ToolHive's own operator, outside of the cluster, as its own ServiceAccount with the rights of its own
# chart. To be sourced. A group that uses it needs thv-operator and helm, and for the pods
# kube-controller-manager, kube-scheduler and kwok.

# install_operator SOURCE: its CRDs, its namespace and its rights, from the source of the operator.
# May be called again with a newer one.
install_operator() {
    k apply --server-side --force-conflicts -f "$1/deploy/charts/operator-crds/files/crds" >/dev/null
    k wait --for condition=established --timeout 30s crd --all >/dev/null
    wait_for 30 crd_is_served
    k create namespace toolhive-system >/dev/null 2>&1 || true
    HOME=$CLUSTER "$TOOLS/helm" template toolhive-operator "$1/deploy/charts/operator" \
        --namespace toolhive-system | yq -c 'select(. != null)' >"$CLUSTER/chart.json"
    jq -c 'select(.kind != "Deployment")' "$CLUSTER/chart.json" |
        k apply --server-side --force-conflicts -f - >/dev/null
}

operator_environment() {
    jq -r 'select(.kind == "Deployment") | .spec.template.spec.containers[0].env[] |
        select(.value != null) | "\(.name)=\(.value)"' "$CLUSTER/chart.json"
}

# write_operator_kubeconfig: operator.kubeconfig, with a token of its ServiceAccount.
write_operator_kubeconfig() {
    local token
    token=$(k -n toolhive-system create token toolhive-operator --duration 8h)
    sed "s/token: .*}}/token: $token}}/" "$CLUSTER/toolhive-operator.kubeconfig" \
        >"$CLUSTER/operator.kubeconfig"
}

# The operator reports its use to a public host, so it gets a proxy that nobody listens on. Go asks no
# proxy for 127.0.0.1.
no_reports=(HTTPS_PROXY=http://127.0.0.1:9 HTTP_PROXY=http://127.0.0.1:9)

# start_operator [PROGRAM]: with the environment of its chart.
start_operator() {
    local environment
    mapfile -t environment < <(operator_environment)
    write_operator_kubeconfig
    run_apart operator env "${environment[@]}" POD_NAMESPACE=toolhive-system \
        "${no_reports[@]}" \
        "$TOOLS/${1-thv-operator}" --kubeconfig "$CLUSTER/operator.kubeconfig" \
        --health-probe-bind-address "127.0.0.1:$(probe_port operator)" \
        --metrics-bind-address "127.0.0.1:$(metrics_port operator)"
    wait_for 60 is_ready operator
}

# start_scheduler: so that the operator's pods come to the node.
start_scheduler() {
    run_apart scheduler "$TOOLS/kube-scheduler" \
        --kubeconfig "$CLUSTER/kube-scheduler.kubeconfig" --leader-elect=false --secure-port 0
}

# start_proxies: kwok's pods run nothing, so this does what the proxies in them would do: each makes the
# StatefulSet of its server. Without it the operator is never done with a server.
start_proxies() {
    run_apart proxies play_proxies
}

# The order of the three lists matters. A StatefulSet that is missing because its server was deleted is
# seen to be missing first, and then the server is not there either: it is not made again.
play_proxies() {
    local namespace name
    while :; do
        api admin GET /apis/apps/v1/statefulsets | jq -r '.items[] |
            "\(.metadata.namespace) \(.metadata.name)"' | sort >"$CLUSTER/made"
        api admin GET /apis/apps/v1/deployments | jq -r '.items[] |
            select(.metadata.labels["app.kubernetes.io/name"] == "mcpserver") |
            select((.status.readyReplicas // 0) > 0 and .metadata.deletionTimestamp == null) |
            "\(.metadata.namespace) \(.metadata.name)"' | sort >"$CLUSTER/ready"
        if [[ -n $(comm -23 "$CLUSTER/ready" "$CLUSTER/made") ]]; then
            k get mcpservers --all-namespaces -o json | jq -r '.items[] |
                select(.metadata.deletionTimestamp == null) |
                "\(.metadata.namespace) \(.metadata.name)"' | sort >"$CLUSTER/live"
            comm -23 "$CLUSTER/ready" "$CLUSTER/made" | comm -12 - "$CLUSTER/live" |
                while read -r namespace name; do
                    make_stateful_set "$namespace" "$name"
                done
        fi
        sleep 0.3
    done
}

# make_stateful_set NAMESPACE NAME
make_stateful_set() {
    api admin PATCH "/apis/apps/v1/namespaces/$1/statefulsets/$2?fieldManager=proxy&force=true" \
        "$(jq -nc --arg name "$2" '{app: $name, toolhive: "true", "toolhive-name": $name} as $labels | {
            apiVersion: "apps/v1", kind: "StatefulSet", metadata: {$name, $labels},
            spec: {replicas: 1, serviceName: $name, selector: {matchLabels: {app: $name}},
                template: {metadata: {$labels},
                    spec: {containers: [{name: "mcp", image: "ghcr.io/example/mcp:v1"}]}}}}')" apply
}

# last_write WRITER: when it was, in milliseconds; leases do not count.
last_write() {
    audit "select(.writer == \"$1\" and .what != \"leases\") | .stageTimestamp" | tail -n 1 |
        jq -r '(.[:19] + "Z" | fromdate) * 1000 + (.[20:23] | tonumber)'
}

# is_quiet SECONDS: whether the operator has written nothing for so long.
is_quiet() {
    local last
    last=$(last_write toolhive-operator)
    ((${EPOCHREALTIME/./} / 1000 > ${last:-0} + $1 * 1000))
}

writes_of_both() {
    audit 'select((.writer == "toolhive-operator" or .writer == "capstan") and .what != "leases")' | wc -l
}

# pair_is_there NAME: whether the operator has made its Deployment, and it is ready.
pair_is_there() {
    api admin GET "$(deployment_path "$1")" && is_settled "$1"
}
