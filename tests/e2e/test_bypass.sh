# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Ways round the cap, beside Kubernetes' own controllers: by what a person may write who may edit
# Deployments and MCPServers, and by other webhooks and policies that want more replicas. Pods are counted
# as in test_pods.sh. The ways that a person takes are tried without Capstan first.

needs='kube-controller-manager kwok'
apiserver_options=("${no_watch_lists[@]}")

ways=(by_no_owner by_half_an_owner by_another_owner by_no_label by_neither by_terminating)

setup() {
    local way
    install_crd upstream
    start_controllers
    start_node
    record_pods
    NAMESPACE=without
    k create namespace without >/dev/null
    for way in "${ways[@]}"; do
        take "$way"
        pods_of "${way//_/-}" >"$CLUSTER/without.$way"
    done
    cat >"$CLUSTER/policy.yaml" <<'END'
apiVersion: capstan.dev/v1
kind: PolicyConfig
stdioCap: {preventSurge: true}
gracePeriod: {seconds: 45, minimum: true}
END
    start_capstan capstan --config "$CLUSTER/policy.yaml"
    register capstan
    make_serving_certificate
    run_apart neighbour tests/e2e/neighbour "$(webhook_port neighbour)" "$CLUSTER/serving"
}

# make_pair NAME: a stdio server and its Deployment, settled. The node is named, so that no scheduler is
# needed.
make_pair() {
    create_server "$1"
    k -n "$NAMESPACE" create serviceaccount "$1-proxy-runner" >/dev/null
    api toolhive-operator POST "$(deployment_path)" "$(deployment_json "$1" 1 |
        jq -c '.spec.template.spec.nodeName = "kwok"')" >/dev/null
    wait_for 30 is_settled "$1"
}

# patch NAME OPERATIONS: a JSON patch of the Deployment.
patch() {
    k -n "$NAMESPACE" patch deployment "$1" --type json -p "$2" >/dev/null
}

ask_for_three='{"op": "replace", "path": "/spec/replicas", "value": 3}'
take_owner='{"op": "remove", "path": "/metadata/ownerReferences"}'
take_label='{"op": "remove", "path": "/metadata/labels/app.kubernetes.io~1name"}'

by_no_owner() {
    patch "$1" "[$take_owner, $ask_for_three]"
}

by_half_an_owner() {
    patch "$1" "[{\"op\": \"replace\", \"path\": \"/metadata/ownerReferences/0/controller\",
        \"value\": false}, $ask_for_three]"
}

# One that exists, or the garbage collector deletes the Deployment.
by_another_owner() {
    wait_for 10 k -n "$NAMESPACE" get configmap kube-root-ca.crt
    patch "$1" "[{\"op\": \"replace\", \"path\": \"/metadata/ownerReferences\", \"value\": $(k \
        -n "$NAMESPACE" get configmap kube-root-ca.crt -o json | jq -c '[{apiVersion, kind,
            name: .metadata.name, uid: .metadata.uid, controller: true}]')}, $ask_for_three]"
}

by_no_label() {
    patch "$1" "[$take_label]"
    patch "$1" "[$ask_for_three]"
}

by_neither() {
    patch "$1" "[{\"op\": \"replace\", \"path\": \"/metadata/labels\", \"value\": {}}, $take_owner]"
    patch "$1" "[$ask_for_three]"
}

by_terminating() {
    k -n "$NAMESPACE" patch mcpserver "$1" --type merge \
        -p '{"metadata": {"finalizers": ["example.com/mine"]}}' >/dev/null
    k -n "$NAMESPACE" delete mcpserver "$1" --wait=false >/dev/null
    patch "$1" "[$ask_for_three]"
}

# take WAY: with a pair of its name, and whatever it does to the Deployment, later requests for more.
take() {
    local name=${1//_/-}
    make_pair "$name"
    "$1" "$name"
    wait_for 30 is_settled "$name"
    k -n "$NAMESPACE" scale --replicas=4 "deployment/$name" >/dev/null
    wait_for 30 is_settled "$name"
    k -n "$NAMESPACE" patch deployment "$name" --type merge -p '{"spec": {"replicas": 5}}' >/dev/null
    wait_for 30 is_settled "$name"
}

# makes_one_pod WAY WHAT: and once it is scaled past the webhook, it is healed.
makes_one_pod() {
    local made without name=${1//_/-}
    take "$1"
    read -r made _ < <(pods_of "$name")
    read -r without _ <"$CLUSTER/without.$1"
    echo "figure: $2: $made pod made, $without without Capstan"
    expect 'pods that were made' "$made" 1
    ((without > 1)) || fail 'there is one pod without Capstan too, so this shows nothing'
    unregister capstan
    k -n "$NAMESPACE" scale --replicas=3 "deployment/$name" >/dev/null
    register capstan
    wait_for 30 prints 1 replicas_of "$name"
}

test_the_owner_is_taken_off() {
    makes_one_pod by_no_owner 'ownerReferences removed and 3 replicas in one patch'
}

test_the_owner_is_made_no_controller() {
    makes_one_pod by_half_an_owner 'controller: false and 3 replicas in one patch'
}

test_the_owner_is_changed() {
    makes_one_pod by_another_owner 'another owner and 3 replicas in one patch'
}

test_the_label_is_taken_off_first() {
    makes_one_pod by_no_label 'the label removed, then 3 replicas'
}

test_all_labels_and_the_owner_are_taken_off_first() {
    makes_one_pod by_neither 'labels and owner removed, then 3 replicas'
}

test_the_mcpserver_is_terminating() {
    makes_one_pod by_terminating 'a finalizer, the MCPServer deleted, then 3 replicas'
}

# neighbour_json NAME REINVOCATION_POLICY
neighbour_json() {
    jq -nc --arg name "$1" --arg policy "$2" --arg url "https://127.0.0.1:$(webhook_port neighbour)/" \
        --arg bundle "$(base64 -w 0 "$CLUSTER/serving/ca.crt")" '{
        apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration",
        metadata: {$name}, webhooks: [{name: "neighbour.example.com", sideEffects: "None",
            clientConfig: {$url, caBundle: $bundle}, admissionReviewVersions: ["v1"], failurePolicy: "Fail",
            reinvocationPolicy: $policy, rules: [{apiGroups: ["apps"], apiVersions: ["v1"],
                operations: ["CREATE", "UPDATE"], resources: ["deployments", "deployments/scale"]}]}]}'
}

# neighbour_acts yes|no: whether a Deployment that is nobody's gets three replicas.
neighbour_acts() {
    local replicas
    replicas=$(k -n "$NAMESPACE" create deployment nobody --image none --dry-run=server -o json |
        jq .spec.replicas)
    [[ $1 == yes && $replicas == 3 || $1 == no && $replicas == 1 ]]
}

# outcome NAME: of a pair that is made, scaled and patched beside the neighbour: pods made, replicas,
# maxSurge, seconds of grace, generation.
outcome() {
    local made
    make_pair "$1"
    k -n "$NAMESPACE" scale --replicas=5 "deployment/$1" >/dev/null
    wait_for 30 is_settled "$1"
    patch "$1" "[$ask_for_three]"
    wait_for 30 is_settled "$1"
    read -r made _ < <(pods_of "$1")
    deployment_field "$1" "\"$made \\(.spec.replicas) \\(.spec.strategy.rollingUpdate.maxSurge) \" +
        \"\\(.spec.template.spec.terminationGracePeriodSeconds) \\(.metadata.generation)\""
}

# beside_webhook NAME REINVOCATION_POLICY OUTCOME
beside_webhook() {
    local name
    # A test that failed leaves its neighbour.
    k delete --ignore-not-found mutatingwebhookconfiguration aa-neighbour zy-neighbour zzz-neighbour
    api admin POST "$webhooks_path" "$(neighbour_json "$1" "$2")" >/dev/null
    wait_for 10 neighbour_acts yes
    name=$(tr '[:upper:]' '[:lower:]' <<<"$1-$2")
    expect "pods made, replicas, maxSurge, grace, generation beside $1, $2" "$(outcome "$name")" "$3"
    api admin DELETE "$webhooks_path/$1" >/dev/null
    wait_for 10 neighbour_acts no
}

test_a_webhook_of_an_earlier_name_has_not_the_last_word() {
    beside_webhook aa-neighbour IfNeeded '1 1 0 45 1'
    beside_webhook aa-neighbour Never '1 1 0 45 1'
    beside_webhook zy-neighbour IfNeeded '1 1 0 45 1'
    beside_webhook zy-neighbour Never '1 1 0 45 1'
}

test_a_webhook_of_a_later_name_that_is_not_asked_again_has_not_either() {
    beside_webhook zzz-neighbour Never '1 1 0 45 1'
}

# This is what the name is for. `capstan doctor` names such a neighbour.
test_a_webhook_of_a_later_name_that_is_asked_again_has_it() {
    beside_webhook zzz-neighbour IfNeeded '3 3 2 7 1'
}

# policies REINVOCATION_POLICY: MutatingAdmissionPolicies with the wishes of the neighbour.
policies() {
    local resource
    for resource in deployments deployments/scale; do
        cat <<END
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: zzz-${resource//\//-}}
spec:
  reinvocationPolicy: $1
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [$resource]}
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: "add", path: "/spec/replicas", value: 3}]
END
        [[ $resource != deployments ]] || cat <<'END'
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: "add", path: "/spec/template/spec/terminationGracePeriodSeconds", value: 7},
        JSONPatch{op: "add", path: "/spec/strategy", value: Object.spec.strategy{type: "RollingUpdate",
        rollingUpdate: Object.spec.strategy.rollingUpdate{maxSurge: 2, maxUnavailable: 0}}}]
END
        cat <<END
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: zzz-${resource//\//-}}
spec: {policyName: zzz-${resource//\//-}}
---
END
    done
}

test_a_policy_of_the_api_server_has_not_the_last_word() {
    local policy name
    for policy in IfNeeded Never; do
        policies "$policy" | k apply -f - >/dev/null
        wait_for 20 neighbour_acts yes
        name=policy-${policy,,}
        expect "pods made, replicas, maxSurge, grace, generation beside $name" "$(outcome "$name")" \
            '1 1 0 45 1'
        policies "$policy" | k delete -f - >/dev/null
        wait_for 20 neighbour_acts no
    done
}
