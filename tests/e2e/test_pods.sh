# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Pods, beside Kubernetes' own controllers: a second one of a stdio server is never made, whoever asks
# for it in whatever way. Everything is done without Capstan first, to see the pods that would have
# been made.

needs='kube-controller-manager kwok'
apiserver_options=("${no_watch_lists[@]}")

setup() {
    local way
    install_crd upstream
    start_controllers
    start_node
    record_pods
    NAMESPACE=without
    k create namespace without >/dev/null
    for way in create scale autoscaler edit merge-patch json-patch replace apply server-side-apply \
        operator spec restart undo; do
        try "$way"
        pods_of "$way" >"$CLUSTER/without.$way"
    done
    k delete namespace without --wait=false >/dev/null
    start_capstan capstan
    register capstan
}

# try WAY: with a stdio server and a Deployment of that name. Waits until the controllers have done
# everything.
try() {
    create_server "$1"
    [[ $1 == create ]] || make_deployment "$1" 1
    "by_${1//-/_}" "$1" >/dev/null
    wait_for 30 is_settled "$1"
}

deployment() {
    api toolhive-operator POST "$(deployment_path)" "$(deployment_json "$1" "$2" |
        jq -c '.spec.template.spec.nodeName = "kwok"')" >/dev/null
    wait_for 30 is_settled "$1"
}

deployment() {
    k -n "$NAMESPACE" get deployment "$1" -o json
}

by_create() {
    make_deployment "$1" 5
}

by_scale() {
    k -n "$NAMESPACE" scale --replicas=5 "deployment/$1"
}

by_autoscaler() {
    make_autoscaler "$1"
    wait_for 30 has_scaled "$1" 1
}

by_edit() {
    KUBE_EDITOR="sed -i 's/^  replicas: 1\$/  replicas: 5/'" k -n "$NAMESPACE" edit "deployment/$1"
}

by_merge_patch() {
    k -n "$NAMESPACE" patch deployment "$1" --type merge -p '{"spec": {"replicas": 5}}'
}

by_json_patch() {
    k -n "$NAMESPACE" patch deployment "$1" --type json \
        -p '[{"op": "replace", "path": "/spec/replicas", "value": 5}]'
}

by_replace() {
    deployment "$1" | jq 'del(.metadata.resourceVersion) | .spec.replicas = 5' | k replace -f -
}

by_apply() {
    deployment "$1" | jq 'del(.metadata.resourceVersion, .metadata.managedFields, .status) |
        .spec.replicas = 5' | k apply -f - 2>&1
}

by_server_side_apply() {
    deployment "$1" | jq '{apiVersion, kind, metadata: {name: .metadata.name,
        namespace: .metadata.namespace}, spec: {replicas: 5}}' |
        k apply --server-side --force-conflicts --field-manager gitops -f - 2>&1
}

by_operator() {
    update_deployment "$1" '.spec.replicas = 5'
}

# The operator, for a server whose spec asks for five.
by_spec() {
    change_server "$1" '{"replicas": 5}'
    update_deployment "$1" '.spec.replicas = 5'
}

by_restart() {
    k -n "$NAMESPACE" rollout restart "deployment/$1"
    k -n "$NAMESPACE" rollout status --timeout 30s "deployment/$1"
}

by_undo() {
    k -n "$NAMESPACE" set image "deployment/$1" toolhive=other
    k -n "$NAMESPACE" rollout status --timeout 30s "deployment/$1"
    k -n "$NAMESPACE" rollout undo "deployment/$1"
    k -n "$NAMESPACE" rollout status --timeout 30s "deployment/$1"
}

# makes_one_pod WAY WHAT
makes_one_pod() {
    try "$1"
    has_one_pod "$@"
}

# has_one_pod WAY WHAT: for tries that are over.
has_one_pod() {
    local made most without
    read -r made most < <(pods_of "$1")
    read -r without _ <"$CLUSTER/without.$1"
    echo "figure: $2: $made pod made, $without without Capstan"
    expect 'pods that were made' "$made" 1
    ((without > 1)) || fail 'there is one pod without Capstan too, so this shows nothing'
}

test_a_deployment_that_is_created_with_five() {
    makes_one_pod create 'a Deployment of 5 created'
}

test_kubectl_scale() {
    makes_one_pod scale 'kubectl scale --replicas=5'
}

test_an_autoscaler_with_a_minimum_of_two() {
    try autoscaler
    wait_for 30 has_scaled autoscaler 4
    expect replicas "$(replicas_of autoscaler)" 1
    has_one_pod autoscaler 'an autoscaler with minReplicas 2'
}

test_kubectl_edit() {
    makes_one_pod edit 'kubectl edit'
}

test_kubectl_patch() {
    makes_one_pod merge-patch 'a merge patch'
    makes_one_pod json-patch 'a JSON patch'
}

test_kubectl_replace() {
    makes_one_pod replace 'kubectl replace'
}

test_kubectl_apply() {
    makes_one_pod apply 'kubectl apply'
    makes_one_pod server-side-apply 'kubectl apply --server-side'
}

test_the_operator_itself() {
    makes_one_pod operator 'an update by the operator'
    makes_one_pod spec 'spec.replicas 5, and the operator'
}

test_a_rollout_runs_two_proxies_for_a_while() {
    roll restart 2
    roll undo 2
}

# roll WAY MOST [POLICY]: MOST pods at a time, and as many in all as without Capstan.
roll() {
    local made most without made_without
    try "$1"
    read -r made most < <(pods_of "$1")
    read -r made_without without <"$CLUSTER/without.$1"
    echo "figure: kubectl rollout $1${3+, $3}: at most $most at a time, $without without Capstan"
    expect 'the most pods at a time' "$most" "$2"
    expect 'pods that were made' "$made" "$made_without"
}

# patch_spec NAME JSON: of the Deployment.
patch_spec() {
    k -n "$NAMESPACE" patch deployment "$1" --type merge -p "{\"spec\": $2}" >/dev/null
}

# live_pods NAME: how many there are, without those that terminate, and how many of them are ready.
live_pods() {
    deployment_field "$1" '"\(.status.replicas // 0) \(.status.readyReplicas // 0)"'
}

# stretch NAME MOST: what a rollout makes possible for a person who may edit the Deployment. The new pod is
# not available for an hour, so the old one stays. Then the rollout is paused, and gets a larger surge.
stretch() {
    create_server "$1"
    make_deployment "$1" 1
    patch_spec "$1" '{"minReadySeconds": 3600, "progressDeadlineSeconds": 7200,
        "template": {"metadata": {"annotations": {"a": "b"}}}}'
    wait_for 30 prints 1 deployment_field "$1" .status.updatedReplicas
    wait_for 30 prints "$2 $2" live_pods "$1"
    k -n "$NAMESPACE" rollout pause "deployment/$1" >/dev/null
    patch_spec "$1" '{"strategy": {"rollingUpdate": {"maxSurge": 4}}}'
    expect 'replicas' "$(replicas_of "$1")" 1
}

# The count is 1 all the time, so there is nothing to cap and nothing to heal.
test_a_rollout_that_does_not_end_keeps_several_proxies() {
    stretch stretched 2
    wait_for 30 prints '5 5' live_pods stretched
    sleep 3
    expect 'pods, ready ones' "$(live_pods stretched)" '5 5'
}

test_with_prevent_surge_a_rollout_runs_one_proxy_at_a_time() {
    cat >"$CLUSTER/surge.yaml" <<'END'
apiVersion: capstan.dev/v1
kind: PolicyConfig
stdioCap: {preventSurge: true}
END
    stop_capstan capstan
    start_capstan capstan --config "$CLUSTER/surge.yaml"
    roll restart 1 preventSurge
    roll undo 1 preventSurge
    makes_one_pod scale 'kubectl scale --replicas=5, preventSurge'
    stretch stretched 1
    sleep 3
    expect 'pods of a rollout that does not end, ready ones' "$(live_pods stretched)" '1 1'
    stop_capstan capstan
    start_capstan capstan
}
