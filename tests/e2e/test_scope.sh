# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The API server asks Capstan by the matchConditions of the manifests: here, about odd objects. An
# expression that fails would refuse the request here, and skip the webhook with failurePolicy Ignore.

older='1.30'

setup() {
    install_crd upstream
    start_capstan capstan
    register capstan
}

# odd FILTER: a Deployment that is nobody's, changed by jq.
odd() {
    jq -nc '{apiVersion: "apps/v1", kind: "Deployment", metadata: {name: "odd"}, spec: {
        selector: {matchLabels: {app: "odd"}}, template: {metadata: {labels: {app: "odd"}},
        spec: {containers: [{name: "odd", image: "odd"}]}}}} | '"$1"
}

# Filters of jq for `odd`.
selects() {
    echo ".spec.selector.matchLabels[\"app.kubernetes.io/name\"] = \"$1\" |
        .spec.template.metadata.labels[\"app.kubernetes.io/name\"] = \"$1\""
}

owned_by() {
    echo ".metadata.ownerReferences = [{apiVersion: \"$1\", kind: \"MCPServer\", name: \"odd\", uid: \"1\"}]"
}

owned_by_others() {
    echo ".metadata.ownerReferences = [range($1) | {apiVersion: \"v1\", kind: \"Pod\", name: \"odd\",
        uid: \"\(.)\"}]"
}

# asks WANTED WHAT USER METHOD PATH [BODY [TYPE]]: sends the request, which the API server may refuse as
# invalid. Fails unless it has asked Capstan, if WANTED is yes, or has not, if it is no.
asks() {
    local wanted=$1 what=$2 before after asked=no output
    shift 2
    before=$(reviews_answered capstan)
    output=$(api "$@" 2>&1) || true
    [[ $output != *matchCondition* && $output != *Webhook* && $output != *webhook* ]] || fail "$what: $output"
    after=$(reviews_answered capstan)
    ((after == before)) || asked=yes
    [[ $asked == "$wanted" ]] || fail "$what: asked: $asked, where $wanted is expected: ${output:0:300}"
}

# creates WANTED WHAT FILTER: a dry run. The object may be too long for an argument.
creates() {
    odd "$3" >"$CLUSTER/odd.json"
    asks "$1" "creating $2" admin POST "$(deployment_path)?dryRun=All" "@$CLUSTER/odd.json"
}

test_a_deployment_is_asked_about_by_its_selector() {
    local name
    for name in mcpserver mcpremoteproxy virtualmcpserver; do
        creates yes "one that selects $name" "$(selects "$name")"
    done
    creates no 'one that is nobody'\''s' .
    creates no 'one with the label alone' '.metadata.labels["app.kubernetes.io/name"] = "mcpserver"'
    creates no 'one that selects another' "$(selects mcpserver2)"
    creates no 'one that selects nothing' "$(selects '')"
    creates no 'one without matchLabels' \
        '.spec.selector = {matchExpressions: [{key: "app", operator: "In", values: ["odd"]}]}'
    creates no 'one with an empty selector' '.spec.selector = {}'
    creates no 'one without a selector' 'del(.spec.selector)'
    creates no 'one whose selector is null' '.spec.selector = null'
    creates no 'one whose matchLabels are null' '.spec.selector.matchLabels = null'
    creates no 'one without a spec' 'del(.spec)'
    creates no 'one whose spec is null' '.spec = null'
    creates no 'one with nothing at all' '{apiVersion, kind, metadata: {}}'
}

test_a_deployment_is_asked_about_by_its_owner() {
    creates yes 'one with an owner' "$(owned_by toolhive.stacklok.dev/v1beta1)"
    creates yes 'one with an owner of a later version' "$(owned_by toolhive.stacklok.dev/v9)"
    creates yes 'one with an owner and no spec' \
        "$(owned_by toolhive.stacklok.dev/v1beta1) | del(.spec)"
    creates yes 'one with two owners' "$(owned_by toolhive.stacklok.dev/v1) | .metadata.ownerReferences |=
        [{apiVersion: \"v1\", kind: \"Pod\", name: \"odd\", uid: \"2\"}] + ."
    creates no 'one with an owner of a like group' "$(owned_by toolhive.stacklok.dev.example.com/v1)"
    creates no 'one with an owner without a group' "$(owned_by v1)"
    creates no 'one with an owner without apiVersion' \
        "$(owned_by v1) | del(.metadata.ownerReferences[].apiVersion)"
    creates no 'one with an empty owner' '.metadata.ownerReferences = [{}]'
    creates no 'one whose owners are null' '.metadata.ownerReferences = null'
    creates no 'one without owners' '.metadata.ownerReferences = []'
    creates no 'one with 100 others' "$(owned_by_others 100)"
    # More than that are not searched.
    creates yes 'one with 101 others' "$(owned_by_others 101)"
    creates yes 'one with a megabyte of others' "$(owned_by_others 20000)"
}

# updates WANTED WHAT FILTER: of the Deployment `odd`, as it is stored; a dry run.
updates() {
    asks "$1" "updating $2" admin PUT "$(deployment_path odd)?dryRun=All" \
        "$(api admin GET "$(deployment_path odd)" | jq -c "$3")"
}

# store FILTER
store() {
    api admin DELETE "$(deployment_path odd)" >/dev/null 2>&1 || true
    api admin POST "$(deployment_path)" "$(odd "$1")" >/dev/null
}

test_an_update_is_asked_about_by_the_old_object_too() {
    store .
    updates no 'one that is nobody'\''s' '.spec.replicas = 2'
    updates yes 'one that gets an owner' "$(owned_by toolhive.stacklok.dev/v1beta1)"
    updates yes 'one that gets a selector, which is refused' "$(selects mcpserver)"
    asks no 'its status' admin PATCH "$(deployment_path odd)/status" '{"status": {"replicas": 1}}'
    store "$(owned_by toolhive.stacklok.dev/v1beta1)"
    updates yes 'one that loses its owner' 'del(.metadata.ownerReferences) | .spec.replicas = 3'
    updates yes 'one that gets another owner' '.metadata.ownerReferences[0].apiVersion = "v1"'
    updates yes 'one that loses its spec' 'del(.spec, .metadata.ownerReferences)'
    asks yes 'a JSON patch that takes its owner' admin PATCH "$(deployment_path odd)?dryRun=All" \
        '[{"op": "remove", "path": "/metadata/ownerReferences"}]' json
    store "$(selects mcpserver)"
    updates yes 'one without labels' '.metadata.labels = {} | .spec.replicas = 3'
    updates yes 'one that loses its selector' 'del(.spec.selector)'
    updates yes 'one that selects another' "$(selects other)"
    asks yes 'a server-side apply of replicas alone' admin PATCH \
        "$(deployment_path odd)?dryRun=All&fieldManager=e2e&force=true" '{"apiVersion": "apps/v1",
        "kind": "Deployment", "metadata": {"name": "odd"}, "spec": {"replicas": 3}}' apply
}

# scales WANTED WHAT: the Deployment `odd`, as it is stored; a dry run by PATCH and by PUT.
scales() {
    local path scale filter
    path=$(deployment_path odd)/scale
    asks "$1" "patching the scale of $2" admin PATCH "$path?dryRun=All" '{"spec": {"replicas": 2}}'
    scale=$(api admin GET "$path" | jq -c '.spec.replicas = 2')
    for filter in . 'del(.status)' '.status = null' '.status.selector = "app=other"' \
        'del(.metadata.uid)'; do
        asks "$1" "putting the scale of $2, $filter" admin PUT "$path?dryRun=All" \
            "$(jq -c "$filter" <<<"$scale")"
    done
}

# many_labels N: a filter of jq for a selector of N labels and 16 times as many bytes.
many_labels() {
    echo "[range($1) | {key: \"l\(. + 1000000)\", value: \"123456\"}] | from_entries"
}

test_a_scale_is_asked_about_by_its_selector() {
    local name
    for name in mcpserver mcpremoteproxy virtualmcpserver; do
        store "$(selects "$name")"
        scales yes "one that selects $name"
    done
    store "$(selects mcpserver) | .spec.selector.matchLabels.zone = \"z\" |
        .spec.template.metadata.labels.zone = \"z\""
    scales yes 'one whose selector has it in the middle'
    store .
    scales no 'one that is nobody'\''s'
    store "$(selects mcpserver2)"
    scales no 'one that selects another'
    store '.metadata.labels["app.kubernetes.io/name"] = "mcpserver"'
    scales no 'one with the label alone'
    store '.spec.selector = {matchExpressions: [{key: "app", operator: "Exists"}]}'
    scales no 'one without matchLabels'
    store "($(many_labels 600)) as \$labels | .spec.selector.matchLabels = \$labels |
        .spec.template.metadata.labels = \$labels"
    scales no 'one with a long selector'
    # Longer ones are not searched.
    store "($(many_labels 700)) as \$labels | .spec.selector.matchLabels = \$labels |
        .spec.template.metadata.labels = \$labels"
    scales yes 'one with a very long selector'
}

# aims WANTED WHAT FILTER: an autoscaler of the Deployment `odd`, changed by jq; a dry run.
aims() {
    asks "$1" "creating an autoscaler of $2" admin POST \
        "/apis/autoscaling/v1/namespaces/$NAMESPACE/horizontalpodautoscalers?dryRun=All" \
        "$(autoscaler_json odd ".apiVersion = \"autoscaling/v1\" | $3")"
}

test_an_autoscaler_is_asked_about_by_its_target() {
    local target=.spec.scaleTargetRef
    aims yes 'a Deployment' .
    aims yes 'a Deployment without apiVersion' "del($target.apiVersion)"
    aims yes 'something without a kind, which is refused' "del($target.kind)"
    aims yes 'nothing, which is refused' "del($target)"
    aims no 'a StatefulSet' "$target.kind = \"StatefulSet\""
    aims no 'another kind of that name' "$target.kind = \"deployment\""
    aims no 'a kind of another group' "$target = {apiVersion: \"example.com/v1\", kind: \"Odd\", name: \"odd\"}"
    NAMESPACE=kube-system aims no 'a Deployment in kube-system' .
    autoscaler_json odd '.apiVersion = "autoscaling/v1"' | k -n "$NAMESPACE" create -f - >/dev/null
    asks no 'its status' admin PATCH \
        "/apis/autoscaling/v1/namespaces/$NAMESPACE/horizontalpodautoscalers/odd/status" \
        '{"status": {"currentReplicas": 1, "desiredReplicas": 1}}'
}

test_nothing_else_is_asked_about() {
    api admin POST "/apis/apps/v1/namespaces/$NAMESPACE/statefulsets" "$(odd '.kind = "StatefulSet" |
        .spec.serviceName = "odd"')" >/dev/null
    asks no 'the scale of a StatefulSet' admin PATCH \
        "/apis/apps/v1/namespaces/$NAMESPACE/statefulsets/odd/scale" '{"spec": {"replicas": 2}}'
    store "$(selects mcpserver)"
    asks no 'a deletion' admin DELETE "$(deployment_path odd)?dryRun=All"
    NAMESPACE=kube-system creates no 'one in kube-system' "$(selects mcpserver)"
}

# The label stops admission alone: the leader does not look at it.
test_a_namespace_with_the_label_is_not_asked_about() {
    create_server one
    create_deployment one 1 >/dev/null
    expect 'the answer to a scale' "$(put_scale one 3)" 1
    k label namespace "$NAMESPACE" capstan.dev/ignore=no >/dev/null
    wait_for 10 prints 3 put_scale one 3
    wait_for 10 prints 1 replicas_of one
    wait_for 10 conditions_are_right one
}

test_the_roles_of_kubernetes_may_not_set_that_label() {
    local role rules
    for role in view edit admin; do
        rules=$(k get clusterrole "system:aggregate-to-$role" -o json | jq -c '[.rules[] |
            select(.resources // [] | any(IN("namespaces", "*"))) | .verbs[]] | unique - ["get", "list", "watch"]')
        expect "what $role may do to namespaces, except to read" "$rules" '[]'
    done
    k get clusterrole system:aggregate-to-view -o json | jq -e 'any(.rules[]; .resources |
        index("namespaces"))' >/dev/null || fail 'no role says anything about namespaces'
}

test_no_expression_has_failed() {
    expect 'expressions that failed' "$(evaluation_errors)" 0
    # The metric would have told: here is one that fails.
    api admin POST "$webhooks_path" "$(webhook_json capstan Ignore | jq -c '.metadata.name = "failing" |
        .webhooks |= [.[1] | .matchConditions[0].expression = "object.spec.nothing == 1"]')" >/dev/null
    wait_for 10 expression_fails
    api admin DELETE "$webhooks_path/failing" >/dev/null
}

expression_fails() {
    creates no 'one that is nobody'\''s' .
    (($(evaluation_errors) > 0))
}
