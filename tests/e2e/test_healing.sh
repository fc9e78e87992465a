# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Deployments that were scaled past the webhook. No test of this group registers it.

setup() {
    install_crd upstream
    cat >"$CLUSTER/policy.yaml" <<END
apiVersion: capstan.dev/v1
kind: PolicyConfig
exempt:
- {namespace: exempt}
END
    start_capstan capstan --config "$CLUSTER/policy.yaml"
}

create_pair() {
    create_server "$1" "$2"
    create_deployment "$1" "$3" >/dev/null
}

# Waits until one more Deployment is healed. By then the earlier ones would have been healed too.
heal_one_more() {
    create_pair last-one '{}' 2
    wait_for 10 prints 1 replicas_of last-one
}

test_a_scale_that_the_webhook_did_not_see_is_healed() {
    create_pair one '{"replicas": 3}' 1
    k -n "$NAMESPACE" scale deployment/one --replicas=4
    wait_for 10 prints 1 replicas_of one
    expect 'what was written' "$(audit 'select(.objectRef.name == "one" and .writer == "capstan" and
        .objectRef.resource == "deployments") | "\(.verb) \(.what)"')" '"patch deployments/scale"'
    wait_for 10 has_event one StdioTransportCapAt1
}

test_a_scale_while_it_was_down_is_healed() {
    create_pair one '{}' 1
    stop_capstan capstan
    expect 'the answer to the HPA' "$(put_scale one 3)" 3
    start_capstan capstan --config "$CLUSTER/policy.yaml"
    wait_for 10 prints 1 replicas_of one
    wait_for 10 has_event one StdioTransportCapAt1
}

test_a_transport_that_becomes_stdio_is_healed() {
    create_pair one '{"transport": "sse"}' 3
    heal_one_more
    expect 'replicas on sse' "$(replicas_of one)" 3
    change_server one '{"transport": "stdio"}'
    wait_for 10 prints 1 replicas_of one
}

test_other_transports_and_zero_are_left_alone() {
    create_pair sse '{"transport": "sse"}' 3
    create_pair http '{"transport": "streamable-http", "replicas": 2}' 4
    create_pair zero '{"replicas": 3}' 0
    heal_one_more
    expect 'replicas on sse' "$(replicas_of sse)" 3
    expect 'replicas on streamable-http' "$(replicas_of http)" 4
    expect 'replicas of zero' "$(replicas_of zero)" 0
}

test_what_is_not_its_own_is_left_alone() {
    create_server one
    api admin POST "$(deployment_path)" "$(deployment_json one 3 |
        jq -c '.metadata.name = "forged" | del(.metadata.ownerReferences)')" >/dev/null
    api admin POST "$(deployment_path)" "$(deployment_json one 3 |
        jq -c '.metadata.name = "other" | .metadata.ownerReferences[0].name = "other"')" >/dev/null
    heal_one_more
    expect 'replicas without an owner' "$(replicas_of forged)" 3
    expect 'replicas with an owner of another name' "$(replicas_of other)" 3
}

# Its owner is the first. Its selector names the second just as well.
test_what_a_former_server_of_that_name_left_is_healed_too() {
    create_pair one '{}' 1
    delete_server one
    k -n "$NAMESPACE" scale deployment/one --replicas=3
    heal_one_more
    expect 'replicas while there is no server' "$(replicas_of one)" 3
    create_server one
    wait_for 10 prints 1 replicas_of one
}

test_the_exempt_are_left_alone() {
    k create namespace exempt
    NAMESPACE=exempt create_pair one '{}' 3
    heal_one_more
    expect replicas "$(NAMESPACE=exempt replicas_of one)" 3
}

test_an_autoscaler_that_insists_does_not_make_it_write_for_ever() {
    local writes
    create_pair one '{}' 1
    spawn insist one
    sleep 15
    writes=$(count_writes '.what == "deployments/scale" and .objectRef.name == "one"')
    expect_at_most 'writes within 15 s' "$writes" 5
    ((writes > 1)) || fail 'it was healed only once'
}

insist() {
    while sleep 0.3; do
        put_scale "$1" 3
    done
}

test_a_policy_that_only_warns_heals_nothing() {
    create_pair one '{}' 1
    stop_capstan capstan
    printf 'apiVersion: capstan.dev/v1\nkind: PolicyConfig\nstdioCap: {mode: warn}\n' \
        >"$CLUSTER/warn.yaml"
    start_capstan capstan --config "$CLUSTER/warn.yaml"
    k -n "$NAMESPACE" scale deployment/one --replicas=3
    # The conditions depend on the spec alone. They show that Capstan is at work.
    create_server two '{"replicas": 2}'
    wait_for 10 conditions_are_right two
    sleep 3
    expect replicas "$(replicas_of one)" 3
    stop_capstan capstan
    start_capstan capstan --config "$CLUSTER/policy.yaml"
    wait_for 10 prints 1 replicas_of one
}
