# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The writers' view through the API server: kubectl, the operator, an HPA.

older='1.30'
apiserver_options=(--request-timeout 2m)

setup() {
    install_crd upstream
    start_capstan capstan
    register capstan
}

# create_pair NAME SPEC [REPLICAS]: an MCPServer and its Deployment.
create_pair() {
    create_server "$1" "$2"
    create_deployment "$1" "${3-}" >/dev/null
}

# start_other OPTION...: a second Capstan beside the first; and register_other.
start_other() {
    start_capstan other "$@"
    register other
}

stop_other() {
    unregister other
    stop_capstan other
}

test_an_mcpserver_over_the_cap_is_admitted_with_warnings() {
    local output
    output=$(server_json one '{"replicas": 3}' | k -n "$NAMESPACE" create -f - 2>&1)
    expect_match 'kubectl create' "$output" 'Warning: .*stdio transport allows 1 replica'
    expect_match 'kubectl create' "$output" 'Warning: .*replicas do not share sessions'
    expect spec.replicas "$(server_field one .spec.replicas)" 3
}

test_an_mcpserver_within_the_cap_has_no_warning() {
    local output
    output=$(server_json one '{"replicas": 1}' | k -n "$NAMESPACE" create -f - 2>&1)
    [[ $output != *Warning* ]] || fail "$output"
}

test_its_deployment_is_created_with_one_replica() {
    local output
    create_server one '{"replicas": 3}'
    output=$(deployment_json one 3 | as toolhive-operator -n "$NAMESPACE" create -f - 2>&1)
    expect_match 'kubectl create' "$output" 'Warning: .*stdio transport allows 1 replica'
    expect replicas "$(replicas_of one)" 1
}

test_a_deployment_right_behind_its_mcpserver_is_capped() {
    local i
    for i in {1..20}; do
        create_pair "quick-$i" '{"replicas": 2}' 2
        expect "replicas of quick-$i" "$(replicas_of "quick-$i")" 1
    done
}

test_a_transport_that_has_just_changed_counts() {
    local i
    for i in {1..10}; do
        create_server "changed-$i" '{"transport": "sse", "replicas": 3}'
        change_server "changed-$i" '{"transport": "stdio"}'
        create_deployment "changed-$i" 3 >/dev/null
        expect "replicas of changed-$i" "$(replicas_of "changed-$i")" 1
    done
}

test_kubectl_scale_is_held_at_one() {
    local output
    create_pair one '{}'
    output=$(k -n "$NAMESPACE" scale deployment/one --replicas=5 2>&1)
    expect_match 'kubectl scale' "$output" 'Warning: .*stdio transport allows 1 replica'
    expect replicas "$(replicas_of one)" 1
}

test_an_edit_of_the_deployment_is_held_at_one() {
    local output
    create_pair one '{}'
    output=$(k -n "$NAMESPACE" patch deployment one -p '{"spec": {"replicas": 4}}' 2>&1)
    expect_match 'kubectl patch' "$output" 'Warning: .*stdio transport allows 1 replica'
    expect replicas "$(replicas_of one)" 1
}

test_a_deployment_applied_server_side_is_held_at_one() {
    local output
    create_pair one '{}'
    output=$(deployment_json one 4 | k -n "$NAMESPACE" apply --server-side --force-conflicts \
        --field-manager=gitops -f - 2>&1)
    expect_match 'kubectl apply' "$output" 'Warning: .*stdio transport allows 1 replica'
    expect replicas "$(replicas_of one)" 1
}

test_an_mcpserver_applied_server_side_keeps_its_spec() {
    local output i
    for i in 1 2; do
        output=$(server_json one '{"replicas": 3}' | k -n "$NAMESPACE" apply --server-side \
            --field-manager=gitops -f - 2>&1)
        expect_match "kubectl apply, time $i" "$output" 'Warning: .*stdio transport allows 1 replica'
        expect spec.replicas "$(server_field one .spec.replicas)" 3
    done
}

test_an_autoscaler_is_held_at_one_on_stdio() {
    create_pair one '{}'
    expect 'the answer to the HPA' "$(put_scale one 4)" 1
    expect replicas "$(replicas_of one)" 1
}

test_an_autoscaler_is_left_alone_on_other_transports() {
    create_pair one '{"transport": "sse"}'
    expect 'the answer to the HPA' "$(put_scale one 4)" 4
    expect replicas "$(replicas_of one)" 4
}

test_the_operator_does_not_reset_what_the_spec_leaves_open() {
    create_pair one '{"transport": "streamable-http"}'
    put_scale one 4 >/dev/null
    update_deployment one '.spec.replicas = 1 |
        .spec.template.metadata.annotations["toolhive.stacklok.dev/runconfig-checksum"] = "1"' \
        >/dev/null
    expect replicas "$(replicas_of one)" 4
    update_deployment one '.spec.replicas = 2' admin >/dev/null
    expect 'replicas, after an edit by a person' "$(replicas_of one)" 2
}

test_a_scale_to_zero_is_a_scale_to_zero() {
    create_pair one '{"replicas": 3}' 3
    expect 'the answer to the HPA' "$(put_scale one 0)" 0
    expect replicas "$(replicas_of one)" 0
    k -n "$NAMESPACE" scale deployment/one --replicas=3
    k -n "$NAMESPACE" scale deployment/one --replicas=0
    expect replicas "$(replicas_of one)" 0
}

test_a_dry_run_is_answered_alike_and_leaves_nothing() {
    local output writes
    create_pair one '{}'
    wait_for 10 conditions_are_right one
    writes=$(count_writes)
    output=$(server_json dry '{"replicas": 3}' | k -n "$NAMESPACE" create --dry-run=server -f - 2>&1)
    expect_match 'kubectl create --dry-run' "$output" 'Warning: .*stdio transport allows 1 replica'
    refuses server dry
    expect 'replicas of a Deployment in a dry run' "$(api admin PATCH \
        "$(deployment_path one)?dryRun=All" '{"spec": {"replicas": 3}}' | jq .spec.replicas)" 1
    expect 'replicas of a Scale in a dry run' "$(api admin PATCH \
        "$(deployment_path one)/scale?dryRun=All" '{"spec": {"replicas": 3}}' | jq .spec.replicas)" 1
    k -n "$NAMESPACE" patch mcpserver one --type merge -p '{"spec": {"replicas": 3}}' \
        --dry-run=server
    # Only time shows that nothing happens.
    sleep 3
    expect 'writes of capstan' "$(count_writes)" "$writes"
    expect 'the stored spec.replicas' "$(server_field one '.spec.replicas // "none"')" none
}

test_impossible_replicas_are_refused_by_the_api_server() {
    local replicas output impossible=(-1 '"2"' 1.5)
    # Kubernetes 1.30 does not check the format of a number, and the operator's CRD has no maximum.
    ((MINOR == 30)) || impossible+=(2147483648)
    create_server one
    for replicas in "${impossible[@]}"; do
        output=$(refuses api admin POST "$(server_path)" \
            "$(server_json bad '{}' | jq -c ".spec.replicas = $replicas")")
        expect_match "creating with $replicas" "$output" 'error: 422'
        output=$(refuses api admin PATCH "$(server_path one)" "{\"spec\": {\"replicas\": $replicas}}")
        expect_match "changing to $replicas" "$output" 'error: 422'
    done
    create_deployment one >/dev/null
    output=$(refuses api admin PATCH "$(deployment_path one)/scale" '{"spec": {"replicas": -1}}')
    expect_match 'scaling to -1' "$output" 'error: 422'
}

test_a_forged_deployment_is_left_alone() {
    create_pair one '{"replicas": 3}' 3
    api admin POST "$(deployment_path)" "$(deployment_json one 3 |
        jq -c '.metadata.name = "forged" | del(.metadata.ownerReferences)')" >/dev/null
    expect 'replicas without an owner' "$(replicas_of forged)" 3
    expect 'the answer to the HPA' "$(put_scale forged 4)" 4
    api admin POST "$(deployment_path)" "$(deployment_json one 3 |
        jq -c '.metadata.name = "other" | .metadata.ownerReferences[0].name = "other"')" >/dev/null
    expect 'replicas with an owner of another name' "$(replicas_of other)" 3
}

test_what_a_former_server_of_that_name_left_is_held_too() {
    create_pair one '{}'
    delete_server one
    create_server one '{"replicas": 3}'
    # Its owner is the first. Its selector names the second just as well.
    expect 'the answer to the HPA' "$(put_scale one 3)" 1
    expect 'replicas, after an edit by a person' "$(update_deployment one '.spec.replicas = 3' admin |
        jq .spec.replicas)" 1
    api admin DELETE "$(deployment_path one)" >/dev/null
    create_deployment one 3 >/dev/null
    expect 'replicas of the new one' "$(replicas_of one)" 1
}

test_a_name_that_the_api_server_makes_up_is_no_matter() {
    local name
    name=$(api admin POST "$(server_path)" "$(server_json one '{"replicas": 3}' |
        jq -c '.metadata = {generateName: "made-up-"}')" | jq -r .metadata.name)
    create_deployment "$name" 3 >/dev/null
    expect replicas "$(replicas_of "$name")" 1
}

test_a_deletion_is_never_in_the_way() {
    api admin POST "$webhooks_path" "$(webhook_json deletions |
        jq -c --arg port "$(webhook_port capstan)" '.webhooks[].rules[].operations = ["DELETE"] |
            .webhooks |= .[:2] | .webhooks[].clientConfig.url |= sub(":[0-9]+/"; ":\($port)/")')" \
        >/dev/null
    wait_for 10 deletion_is_reviewed
    create_pair one '{"replicas": 3}' 3
    k -n "$NAMESPACE" delete deployment one --wait=false
    k -n "$NAMESPACE" delete mcpserver one
    api admin DELETE "$webhooks_path/zz-deletions" >/dev/null
}

deletion_is_reviewed() {
    local before
    create_server short-lived
    before=$(reviews_answered capstan)
    delete_server short-lived
    (($(reviews_answered capstan) > before))
}

# A '<' reaches the webhook as six bytes.
test_a_review_of_17_megabytes_is_answered() {
    local before
    create_server one
    create_deployment one >/dev/null
    deployment_json one 3 | jq -c '.spec.template.spec.containers[0].env = [
        {name: "LONG", value: ("<" * 2900000)}]' >"$CLUSTER/long.json"
    before=$(milliseconds_spent capstan)
    expect replicas "$(api admin PUT "$(deployment_path one)?dryRun=All" "@$CLUSTER/long.json" |
        jq .spec.replicas)" 1
    expect_at_most 'milliseconds it took' $(($(milliseconds_spent capstan) - before)) 1000
}

# The API server itself takes seconds for such an object, and far more on a busy machine.
test_a_review_of_9900_levels_is_answered() {
    local output before
    before=$(milliseconds_spent capstan)
    server_json deep '{"replicas": 3}' | jq -c '.spec.podTemplateSpec = {deep: "here"}' |
        sed "s/\"here\"/$(printf '{"a":%.0s' {1..9900})1$(printf '}%.0s' {1..9900})/" \
            >"$CLUSTER/deep.json"
    output=$(curl -K "$CLUSTER/admin.curl" -m 110 --fail-with-body -D - -o /dev/null \
        -H 'Content-Type: application/json' --data-binary "@$CLUSTER/deep.json" \
        "$APISERVER$(server_path)?dryRun=All")
    expect_match 'the answer' "$output" '[Ww]arning: .*stdio transport allows 1 replica'
    expect_at_most 'milliseconds it took' $(($(milliseconds_spent capstan) - before)) 1000
}

test_a_second_for_all_of_it_is_enough() {
    create_pair one '{}'
    expect replicas "$(api admin PATCH "$(deployment_path one)/scale?timeout=1s" \
        '{"spec": {"replicas": 3}}' | jq .spec.replicas)" 1
}

# The other webhook has facts of its own and wants 3 replicas. It undoes the cap, and the API server asks
# the first one again.
test_two_webhooks_that_disagree_come_to_an_end() {
    local began
    create_server one '{"replicas": 3}'
    server one | jq '.spec.transport = "sse"' >"$CLUSTER/facts.json"
    make_serving_certificate
    run_apart other "$CAPSTAN" serve --objects "$CLUSTER/facts.json" \
        --webhook-cert-path "$CLUSTER/serving" \
        --webhook-bind-address "127.0.0.1:$(webhook_port other)" \
        --health-probe-bind-address "127.0.0.1:$(probe_port other)" \
        --metrics-bind-address "127.0.0.1:$(metrics_port other)" --shutdown-delay 0s
    wait_for 30 is_ready other
    register other Fail Never
    began=${EPOCHREALTIME/./}
    expect replicas "$(create_deployment one 3 | jq .spec.replicas)" 1
    expect_at_most 'milliseconds it took' $(((${EPOCHREALTIME/./} - began) / 1000)) 5000
    stop_other
}

test_a_longer_grace_period_is_set() {
    cat >"$CLUSTER/grace.yaml" <<END
apiVersion: capstan.dev/v1
kind: PolicyConfig
gracePeriod: {seconds: 45, minimum: true}
END
    start_other --config "$CLUSTER/grace.yaml"
    create_pair one '{}'
    stop_other
    expect 'the grace period' \
        "$(deployment_field one .spec.template.spec.terminationGracePeriodSeconds)" 45
    update_deployment one . >/dev/null
    expect 'the grace period, kept' \
        "$(deployment_field one .spec.template.spec.terminationGracePeriodSeconds)" 45
}

test_mode_deny_refuses_with_the_reason() {
    local output
    create_server before '{"replicas": 3}'
    printf 'apiVersion: capstan.dev/v1\nkind: PolicyConfig\nstdioCap: {mode: deny}\n' \
        >"$CLUSTER/deny.yaml"
    start_other --config "$CLUSTER/deny.yaml"
    output=$(server_json one '{"replicas": 3}' | refuses k -n "$NAMESPACE" create -f -)
    # An object that broke the rule before can still be edited.
    change_server before '{"image": "ghcr.io/example/mcp:v2"}'
    stop_other
    expect_match 'kubectl create' "$output" 'Forbidden.*stdio transport allows 1 replica'
}

# by_apply: creates the object on stdin by server-side apply, with a deletionTimestamp of its own. 1.37
# drops that after admission.
by_apply() {
    jq -c '.metadata.deletionTimestamp = "2026-11-22T11:59:00Z"' |
        k -n "$NAMESPACE" apply --server-side -f - 2>&1
}

test_a_creation_that_says_it_is_being_deleted_is_capped_and_denied() {
    local output
    create_server one '{}'
    deployment_json one 3 | by_apply >/dev/null
    expect 'replicas' "$(replicas_of one)" 1
    printf 'apiVersion: capstan.dev/v1\nkind: PolicyConfig\nstdioCap: {mode: deny}\n' \
        >"$CLUSTER/deny.yaml"
    start_other --config "$CLUSTER/deny.yaml"
    output=$(server_json two '{"replicas": 3}' | refuses by_apply)
    stop_other
    expect_match 'kubectl apply' "$output" 'stdio transport allows 1 replica'
}
