# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# KEDA's own operator, outside of the cluster, as its own ServiceAccount with its own CRDs and rights. To
# be sourced. A group that uses it needs keda-operator.

# install_keda: CRDs, namespace and rights, from its source.
install_keda() {
    k create namespace keda >/dev/null
    k apply --server-side -f "$KEDA/config/crd/bases" >/dev/null
    k wait --for condition=established --timeout 30s crd/scaledobjects.keda.sh >/dev/null
    k -n keda create serviceaccount keda-operator >/dev/null
    k apply -f "$KEDA/config/rbac/role.yaml" >/dev/null
    k create clusterrolebinding keda --clusterrole keda-operator --serviceaccount keda:keda-operator >/dev/null
    k -n keda create rolebinding keda --role keda-operator --serviceaccount keda:keda-operator >/dev/null
}

# It reads its namespace from a file that pods have, so it gets a mount namespace of its own.
start_keda() {
    local folder=$CLUSTER/keda
    mkdir "$folder"
    sed "s/token: .*}}/token: $(k -n keda create token keda-operator --duration 8h)}}/" \
        "$CLUSTER/admin.kubeconfig" >"$folder/kubeconfig"
    echo -n keda >"$folder/namespace"
    cat >"$folder/in_pod" <<END
#!/bin/sh
mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount &&
    cp "$folder/namespace" /run/secrets/kubernetes.io/serviceaccount || exit 1
exec "\$@"
END
    chmod +x "$folder/in_pod"
    make_serving_certificate
    run_apart keda env POD_NAMESPACE=keda WATCH_NAMESPACE= KEDA_HTTP_DEFAULT_TIMEOUT=3000 "${no_reports[@]}" \
        unshare --mount --map-root-user "$folder/in_pod" "$(realpath "$TOOLS/keda-operator")" \
        --kubeconfig "$folder/kubeconfig" --cert-dir "$CLUSTER/serving" --leader-elect=false \
        --health-probe-bind-address "127.0.0.1:$(probe_port keda)" \
        --metrics-bind-address "127.0.0.1:$(metrics_port keda)" \
        --metrics-service-bind-address "127.0.0.1:$(webhook_port keda)"
    wait_for 60 is_ready keda
}

# scaled_object_json NAME [FILTER]: of a Deployment of this name, at least 2 replicas. Its trigger gives no
# metric here.
scaled_object_json() {
    jq -nc --arg name "$1" '{apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: {$name},
        spec: {scaleTargetRef: {$name}, minReplicaCount: 2, triggers: [{type: "cron", metadata: {
            timezone: "Etc/UTC", start: "0 6 * * *", end: "0 7 * * *", desiredReplicas: "3"}}]}} | '"${2-.}"
}

# make_scaled_object NAME [FILTER]: in $NAMESPACE.
make_scaled_object() {
    scaled_object_json "$@" >"$CLUSTER/scaled-object.json"
    k -n "$NAMESPACE" apply -f "$CLUSTER/scaled-object.json"
}
