# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# KEDA's own operator, which makes an autoscaler of each ScaledObject. The tests build on one another.

needs='kube-controller-manager kwok keda-operator'
apiserver_options=("${no_watch_lists[@]}")

setup() {
    install_family
    start_controllers
    start_node
    record_pods
    install_keda
    start_keda
    start_capstan capstan
    register capstan
}

# warned NAME [FILTER]: the warnings about a new ScaledObject, which stays.
warned() {
    warnings make_scaled_object "$@"
}

test_1_at_a_stdio_server_its_author_is_told_and_no_pod_is_made() {
    local warning made
    create_server one
    make_deployment one 1
    warning=$(warned one)
    expect_match 'kubectl apply' "$warning" '^autoscaler: .*cannot scale .*stdio'
    expect 'warnings' "$(n_lines "$warning")" 1
    wait_for 60 k -n "$NAMESPACE" get horizontalpodautoscaler keda-hpa-one
    wait_for 60 has_scaled one 15
    expect replicas "$(replicas_of one)" 1
    read -r made _ < <(pods_of one)
    expect 'pods that were made' "$made" 1
    wait_for 20 is_contested one
    expect_match 'the Event' "$(k get events.events.k8s.io --namespace "$NAMESPACE" -o json |
        jq -r '.items[] | select(.reason == "ReplicasContested") | .note')" 'keda-hpa-one'
}

is_contested() {
    events_about "$1" | grep -xF ReplicasContested
}

test_2_at_other_servers_it_scales() {
    create_server free '{"transport": "sse"}'
    make_deployment free 1
    expect 'warnings' "$(warned free)" ''
    wait_for 60 prints 2 replicas_of free
    sleep 3
    expect replicas "$(replicas_of free)" 2
}

test_3_its_spec_decides_about_the_warning() {
    local target='.spec.scaleTargetRef'
    create_server one
    create_server pinned '{"transport": "sse", "replicas": 2}'
    expect_match 'a count of the spec' "$(warned pinned)" '^autoscaler: .*spec.replicas .*undo each other'
    expect 'warnings about a maximum of one' "$(warned one '.spec.minReplicaCount = 0 | .spec.maxReplicaCount = 1')" ''
    expect_match 'a maximum of two' "$(warned one '.spec.maxReplicaCount = 2')" '^autoscaler: .*stdio'
    expect_match 'a target with a kind' "$(warned one "$target.kind = \"Deployment\" |
        $target.apiVersion = \"apps/v1\" | .spec.maxReplicaCount = 3")" '^autoscaler: .*stdio'
    expect 'warnings about a StatefulSet' "$(warned one "$target.kind = \"StatefulSet\" |
        .metadata.name = \"of-another-kind\"")" ''
}

test_4_deny_refuses_a_new_one_and_lets_an_old_one_be_edited() {
    create_server one
    create_server two
    make_scaled_object one >/dev/null 2>&1
    write_policy deny 'autoscaler: {mode: deny}'
    stop_capstan capstan
    start_capstan capstan --config "$CLUSTER/deny.yaml"
    expect_match 'a new one' "$(refuses make_scaled_object two)" 'autoscaler: .*stdio'
    expect_match 'another minimum' "$(warned one '.spec.minReplicaCount = 3')" '^autoscaler: '
    expect_match 'a larger maximum' "$(refuses make_scaled_object one '.spec.maxReplicaCount = 200')" \
        'autoscaler: .*stdio'
    stop_capstan capstan
    start_capstan capstan
}

# The API server validates a ScaledObject after it has asked its webhooks.
test_5_no_expression_fails_on_an_odd_one() {
    local filter
    for filter in 'del(.spec)' '.spec = null' '.spec = "text"' '.spec = []' 'del(.spec.scaleTargetRef)' \
        '.spec.scaleTargetRef = null' '.spec.scaleTargetRef = "odd"' '.spec.scaleTargetRef.kind = 3' \
        '.spec.scaleTargetRef.kind = null' '.spec.scaleTargetRef.kind = {}' '.spec.maxReplicaCount = "9"'; do
        expect_match "$filter" "$(refuses_or_not api admin POST \
            "/apis/keda.sh/v1alpha1/namespaces/$NAMESPACE/scaledobjects?dryRun=All" \
            "$(scaled_object_json odd "$filter")")" '"(kind|reason)": *"(ScaledObject|Invalid|BadRequest)"'
    done
    expect 'expressions that failed' "$(evaluation_errors)" 0
}

# refuses_or_not COMMAND...: what it prints, whether it fails or not.
refuses_or_not() {
    "$@" 2>&1 || true
}
