# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The three kinds beside ToolHive's own operator, which makes and edits their Deployments: the counts that
# others chose stay, and those that the specs have win. The tests build on one another.

needs='kube-controller-manager kube-scheduler kwok helm thv-operator'
apiserver_options=("${no_watch_lists[@]}")

setup() {
    start_controllers
    start_scheduler
    start_node
    install_operator "$TOOLHIVE"
    start_operator
    start_proxies
    start_capstan capstan
    register capstan
}

# make_members NAME SPEC: one of each kind, NAME-KIND, in this namespace. None is stdio. Waits for their
# Deployments.
make_members() {
    local kind
    create_group
    for kind in "${family[@]}"; do
        create_member "$kind" "$1-$kind" "$(not_stdio "$kind" "$2")"
    done
    for kind in "${family[@]}"; do
        wait_for 60 pair_is_there "$1-$kind"
    done
}

# not_stdio KIND SPEC: SPEC, with a transport where the default is stdio.
not_stdio() {
    jq -c --arg kind "$1" 'if $kind == "mcpservers" then .transport = "sse" else . end' <<<"$2"
}

# edit KIND NAME TEXT: so that the operator writes another template into the Deployment. Waits until it has.
edit() {
    local change before
    before=$(templates_of "$2")
    case $1 in
    mcpservers) change="{\"env\": [{\"name\": \"EDITED\", \"value\": \"$3\"}]}" ;;
    *) change="{\"podTemplateSpec\": {\"metadata\": {\"annotations\": {\"example.com/edited\": \"$3\"}}}}" ;;
    esac
    change_member "$1" "$2" "$change"
    wait_for 60 has_other_template "$2" "$before"
    wait_for 60 is_quiet 3
    wait_for 30 is_settled "$2"
}

templates_of() {
    deployment_field "$1" '.spec.template | tojson'
}

has_other_template() {
    [[ $(templates_of "$1") != "$2" ]]
}

scale() {
    warnings k -n "$NAMESPACE" scale "deployment/$1" --replicas="$2"
}

test_1_the_count_that_kubectl_chose_outlives_an_edit() {
    local kind name
    make_members free '{}'
    echo "$NAMESPACE" >"$CLUSTER/namespace"
    for kind in "${family[@]}"; do
        name=free-$kind
        expect "replicas of $name" "$(replicas_of "$name")" 1
        expect "warnings about scaling $name" "$(scale "$name" 3)" ''
        edit "$kind" "$name" by-kubectl
        expect "replicas of $name, edited" "$(replicas_of "$name")" 3
    done
}

# All of them were scaled to three.
test_2_the_count_that_an_autoscaler_chose_outlives_an_edit() {
    local NAMESPACE kind name
    NAMESPACE=$(cat "$CLUSTER/namespace")
    for kind in "${family[@]}"; do
        name=free-$kind
        expect "warnings about the autoscaler of $name" \
            "$(warnings make_autoscaler "$name" '.spec.minReplicas = 4')" ''
        wait_for 30 prints 4 replicas_of "$name"
        edit "$kind" "$name" by-autoscaler
        expect "replicas of $name, edited" "$(replicas_of "$name")" 4
    done
}

test_3_the_count_of_a_spec_wins_and_the_scaler_is_told() {
    local kind name warning
    make_members pinned '{"replicas": 2}'
    for kind in "${family[@]}"; do
        name=pinned-$kind
        expect "replicas of $name" "$(replicas_of "$name")" 2
        warning=$(scale "$name" 4)
        expect_match "the warning about $name" "$warning" "^replica-passthrough: .*operator.* 2.*${kind_of[$kind]}"
        expect "warnings about scaling $name" "$(n_lines "$warning")" 1
        wait_for 60 prints 2 replicas_of "$name"
        change_member "$kind" "$name" '{"replicas": 3}'
        wait_for 60 prints 3 replicas_of "$name"
        expect "warnings about scaling $name to what its spec has" "$(scale "$name" 3)" ''
    done
}

test_4_a_creation_tells_what_sessions_need() {
    local kind warning redis='{"provider": "redis", "address": "redis:6379"}'
    create_group
    for kind in "${family[@]}"; do
        warning=$(created "$kind" "memory-$kind" "$(not_stdio "$kind" '{"replicas": 3}')")
        expect_match "$kind" "$warning" '^session-storage: 3 replicas '
        expect "warnings about $kind" "$(n_lines "$warning")" 1
        warning=$(created "$kind" "spread-$kind" \
            "$(not_stdio "$kind" '{"replicas": 3, "sessionAffinity": "None"}')")
        expect_match "$kind without affinity" "$warning" '^session-storage: .*sessionAffinity'
        expect "warnings about $kind with redis" "$(created "$kind" "redis-$kind" "$(not_stdio "$kind" \
            "{\"replicas\": 3, \"sessionAffinity\": \"None\", \"sessionStorage\": $redis}")")" ''
        expect "warnings about $kind with one replica" \
            "$(created "$kind" "one-$kind" "$(not_stdio "$kind" '{"replicas": 1}')")" ''
    done
}

test_5_a_creation_tells_what_several_backends_do() {
    local warning redis='{"provider": "redis", "address": "redis:6379"}'
    expect_match 'stdio' "$(created mcpservers stdio '{"backendReplicas": 3}')" '^stdio-cap: .*backendReplicas'
    expect_match 'sse' "$(created mcpservers sse '{"transport": "sse", "backendReplicas": 3}')" \
        '^session-storage: .*backendReplicas'
    expect 'warnings about sse with redis' "$(created mcpservers redis \
        "{\"transport\": \"sse\", \"backendReplicas\": 3, \"sessionStorage\": $redis}")" ''
    expect 'warnings about one backend' "$(created mcpservers one '{"backendReplicas": 1}')" ''
    warning=$(created mcpservers both '{"replicas": 2, "backendReplicas": 3}')
    expect 'warnings about both, and about sessions' "$(n_lines "$warning")" 3
    expect 'the backends that are asked for' "$(server_field both .spec.backendReplicas)" 3
}

# Of the other kinds only the operator writes the status.
test_6_no_condition_on_the_other_kinds() {
    local kind
    wait_for 120 is_quiet 10
    for kind in mcpremoteproxies virtualmcpservers; do
        expect "writes of $kind" "$(audit "select(.writer == \"capstan\" and
            (.what | startswith(\"$kind\")))" | wc -l)" 0
        expect "managers of $kind" "$(k get "$kind.toolhive.stacklok.dev" --all-namespaces \
            --show-managed-fields -o json | jq -c '[.items[].metadata.managedFields[].manager |
            select(test("capstan"))]')" '[]'
    done
    NAMESPACE=$(cat "$CLUSTER/namespace") wait_for 30 conditions_are_right free-mcpservers
}

test_7_a_quiet_minute() {
    local before n_before
    wait_for 120 is_quiet 10
    before=$(generations)
    n_before=$(writes_of_both)
    sleep 60
    expect 'writes of Capstan and of the operator' "$(($(writes_of_both) - n_before))" 0
    expect 'generations' "$(generations)" "$before"
}

generations() {
    k get mcpservers,mcpremoteproxies,virtualmcpservers,deployments --all-namespaces -o json |
        jq -r '.items[] | "\(.kind) \(.metadata.namespace) \(.metadata.name) \(.metadata.generation)"'
}
