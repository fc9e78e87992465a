# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Kubernetes' own controllers, and nodes of kwok, which run nothing and say that all of it is ready.
# And a record of all pods. To be sourced. A group that uses it needs
# kube-controller-manager and kwok.

# For apiserver_options of a group that uses kwok. Debian's etcd cannot serve lists that come by a watch,
# and kwok's watches look like requests for such lists.
no_watch_lists=(--feature-gates WatchList=false)

# start_controllers [OPTION]...: all of them: Deployments, ReplicaSets, HPAs, garbage and so on, each as
# its own ServiceAccount.
start_controllers() {
    run_apart controllers "$TOOLS/kube-controller-manager" \
        --kubeconfig "$CLUSTER/kube-controller-manager.kubeconfig" --use-service-account-credentials \
        --service-account-private-key-file "$CLUSTER/certificates/accounts.key" \
        --root-ca-file "$CLUSTER/certificates/ca.crt" --leader-elect=false --secure-port 0 \
        --horizontal-pod-autoscaler-sync-period 1s --v 1 "$@"
    wait_for 60 k -n default get serviceaccount default
}

# start_node: one node, `kwok`, on which each pod that is bound to it becomes ready.
start_node() {
    local file options=()
    for file in node/{fast/node-initialize,heartbeat-with-lease/node-heartbeat-with-lease} \
        pod/fast/{pod-ready,pod-delete}; do
        options+=(--config "$KWOK/kustomize/stage/$file.yaml")
    done
    run_apart kwok env HOME="$CLUSTER" "$TOOLS/kwok" \
        --kubeconfig "$CLUSTER/admin.kubeconfig" --manage-all-nodes \
        --node-lease-duration-seconds 40 --node-ip 127.0.0.1 "${options[@]}"
    k apply -f - >/dev/null <<'END'
apiVersion: v1
kind: Node
metadata: {name: kwok, labels: {kubernetes.io/hostname: kwok}}
END
    wait_for 60 k wait --for condition=Ready --timeout 1s node/kwok
}

# autoscaler_json NAME [FILTER]: of a Deployment of this name, between 2 and 5 replicas. It needs no metrics
# to see that there are fewer replicas than its minimum.
autoscaler_json() {
    jq -nc --arg name "$1" '{apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler",
        metadata: {$name}, spec: {scaleTargetRef: {apiVersion: "apps/v1", kind: "Deployment", $name},
        minReplicas: 2, maxReplicas: 5}} | '"${2-.}"
}

# make_autoscaler NAME [FILTER]: in $NAMESPACE.
make_autoscaler() {
    autoscaler_json "$@" >"$CLUSTER/autoscaler.json"
    k -n "$NAMESPACE" apply -f "$CLUSTER/autoscaler.json"
}

# make_deployment NAME REPLICAS [KIND]: as the operator. The node is named, so that no scheduler is needed.
make_deployment() {
    k -n "$NAMESPACE" create serviceaccount "$1-proxy-runner" >/dev/null
    api toolhive-operator POST "$(deployment_path)" "$(deployment_of "${3-mcpservers}" "$1" "$2" |
        jq -c '.spec.template.spec.nodeName = "kwok"')" >/dev/null
    wait_for 30 is_settled "$1"
}

# scalings NAME: how often the autoscaler has written the scale of a Deployment in $NAMESPACE.
scalings() {
    audit 'select(.writer == "horizontal-pod-autoscaler" and .what == "deployments/scale" and .code == 200)' |
        jq -c "select(.objectRef.name == \"$1\" and .objectRef.namespace == \"$NAMESPACE\")" | wc -l
}

# has_scaled NAME N: whether the autoscaler has written the scale so often.
has_scaled() {
    (($(scalings "$1") >= $2))
}

# record_pods: from now on, in $CLUSTER/pods.log: an event for each change of a pod.
record_pods() {
    run_apart pods "$TOOLS/kubectl" --kubeconfig "$CLUSTER/admin.kubeconfig" get pods --all-namespaces \
        --watch --output-watch-events -o json
}

# pods_of NAME: of a Deployment in $NAMESPACE: how many pods were ever made for it, and how many there
# were at the same time at most. Pods that terminate are not counted among the latter.
pods_of() {
    local mark="mark-$RANDOM$RANDOM"
    # Once the record has this pod, it has everything before it.
    api admin POST /api/v1/namespaces/default/pods "{\"apiVersion\": \"v1\", \"kind\": \"Pod\",
        \"metadata\": {\"name\": \"$mark\"}, \"spec\": {\"automountServiceAccountToken\": false,
        \"containers\": [{\"name\": \"none\", \"image\": \"none\"}]}}" >/dev/null
    wait_for 10 grep -F "\"$mark\"" "$CLUSTER/pods.log"
    # The last line may be half written.
    jq -Rrn --arg namespace "$NAMESPACE" --arg name "$1" '
        reduce (inputs | fromjson? | . as $event | .object.metadata | select(.namespace == $namespace and
            .labels["app.kubernetes.io/instance"] == $name) | {$event, uid, deletionTimestamp}) as $pod
        ({all: {}, live: {}, most: 0};
            .all[$pod.uid] = true |
            if $pod.event.type == "DELETED" or $pod.deletionTimestamp then del(.live[$pod.uid])
            else .live[$pod.uid] = true end |
            .most = ([.most, (.live | length)] | max)) |
        "\(.all | length) \(.most)"' "$CLUSTER/pods.log"
}

# is_settled NAME: whether the controllers have done all that the Deployment asks for.
is_settled() {
    deployment_field "$1" '[.metadata.generation == .status.observedGeneration,
        .spec.replicas == (.status.replicas // 0), .spec.replicas == (.status.updatedReplicas // 0),
        .spec.replicas == (.status.readyReplicas // 0)] | all' | grep -x true
}
