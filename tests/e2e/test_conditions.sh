# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The two conditions in the status of an MCPServer: Capstan writes them in time, and they stay.

older='1.30'

setup() {
    install_crd upstream
    start_capstan capstan
}

test_they_appear_and_follow_the_spec() {
    local spec name n=0
    for spec in '{}' '{"replicas": 0}' '{"replicas": 1}' '{"replicas": 2}' \
        '{"transport": "sse"}' '{"transport": "sse", "replicas": 1}' \
        '{"transport": "streamable-http", "replicas": 2}' \
        '{"replicas": 2, "sessionStorage": {"provider": "memory"}}' \
        '{"transport": "sse", "replicas": 2, "sessionStorage": {"provider": "redis", "address": "redis:6379"}}' \
        '{"replicas": 2, "sessionStorage": {"provider": "redis", "address": "redis:6379"}}'; do
        create_server "spec-$((n += 1))" "$spec"
    done
    for name in $(seq -f 'spec-%.0f' "$n"); do
        wait_for 10 conditions_are_right "$name"
    done
    for name in $(seq -f 'spec-%.0f' "$n"); do
        expect "writes of $name" "$(status_writes "$name")" 1
    done
    expect 'their order' "$(server_field spec-1 '[.status.conditions[].type] | sort | join(" ")')" \
        'SessionStorageWarning StdioReplicaCapped'
}

test_they_flip_with_the_spec() {
    local before
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    expect 'the cap' "$(condition one StdioReplicaCapped)" True
    before=$(condition one StdioReplicaCapped lastTransitionTime)
    change_server one '{"replicas": 1}'
    wait_for 10 conditions_are_right one
    expect 'the cap, afterwards' "$(condition one StdioReplicaCapped)" False
    [[ $(condition one StdioReplicaCapped lastTransitionTime) > $before ]] ||
        fail "lastTransitionTime is still $before"
}

test_the_time_of_transition_stays_while_the_status_does() {
    local cap storage
    create_server one '{"transport": "sse", "replicas": 1}'
    wait_for 10 conditions_are_right one
    cap=$(condition one StdioReplicaCapped lastTransitionTime)
    storage=$(condition one SessionStorageWarning lastTransitionTime)
    # The times have whole seconds.
    wait_for 5 later_than "$cap"
    change_server one '{"replicas": 3, "sessionStorage": {"provider": "redis", "address": "r:1"}}'
    wait_for 10 conditions_are_right one
    expect 'the reason' "$(condition one SessionStorageWarning reason)" SessionStorageConfigured
    expect 'lastTransitionTime of the warning' \
        "$(condition one SessionStorageWarning lastTransitionTime)" "$storage"
    expect 'lastTransitionTime of the cap' \
        "$(condition one StdioReplicaCapped lastTransitionTime)" "$cap"
}

later_than() {
    [[ $(date -u +%FT%TZ) > $1 ]]
}

test_they_are_applied_by_the_manager_capstan() {
    local entry='.metadata.managedFields[] | select(.manager == "capstan")'
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    expect 'the operation' "$(server_field one "$entry | .operation")" Apply
    expect 'what it owns' "$(server_field one "$entry | .fieldsV1[\"f:status\"][\"f:conditions\"] |
        keys - [\".\"] | join(\" \")")" \
        'k:{"type":"SessionStorageWarning"} k:{"type":"StdioReplicaCapped"}'
}

ready_condition='{type: "Ready", status: "True", reason: "Up", message: "it is up",
    lastTransitionTime: "2026-01-01T00:00:00Z"}'

test_the_operator_may_put_the_whole_status() {
    local writes
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    writes=$(status_writes one)
    put_status one ".phase = \"Ready\" | .conditions += [$ready_condition]"
    wait_for 5 conditions_are_right one
    change_server one '{"replicas": 2}'
    wait_for 10 conditions_are_right one
    expect 'the condition of the operator' "$(condition one Ready reason)" Up
    expect 'the phase' "$(server_field one .status.phase)" Ready
    expect 'further writes' "$(($(status_writes one) - writes))" 1
}

test_they_come_back_when_a_put_leaves_them_out() {
    local before
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    before=$(condition one StdioReplicaCapped lastTransitionTime)
    wait_for 5 later_than "$before"
    put_status one ".conditions = [$ready_condition]"
    wait_for 10 conditions_are_right one
    expect 'lastTransitionTime' "$(condition one StdioReplicaCapped lastTransitionTime)" "$before"
    expect 'the condition of the operator' "$(condition one Ready reason)" Up
}

test_they_come_back_when_a_merge_patch_erases_them() {
    local before
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    before=$(condition one SessionStorageWarning lastTransitionTime)
    wait_for 5 later_than "$before"
    merge_status one "{\"conditions\": [$(jq -nc "$ready_condition")]}"
    wait_for 10 conditions_are_right one
    expect 'lastTransitionTime' "$(condition one SessionStorageWarning lastTransitionTime)" "$before"
}

test_they_are_put_right_when_somebody_changes_them() {
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    put_status one '.conditions |= map(.message = "something else")'
    wait_for 10 conditions_are_right one
}

# Fault: another writer erases them again and again.
test_an_endless_quarrel_is_a_slow_one() {
    local writes
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    spawn erase_for_ever one
    sleep 20
    # 2 s after the first, then 5 s, 10 s.
    writes=$(status_writes one)
    expect_at_most 'writes within 20 s' "$writes" 5
    ((writes > 1)) || fail 'they did not come back'
}

erase_for_ever() {
    while sleep 0.3; do
        merge_status "$1" '{"conditions": []}'
    done
}

test_a_recreated_mcpserver_gets_its_own() {
    local before
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    before=$(condition one StdioReplicaCapped lastTransitionTime)
    wait_for 5 later_than "$before"
    delete_server one
    create_server one '{"replicas": 2}'
    wait_for 10 conditions_are_right one
    [[ $(condition one StdioReplicaCapped lastTransitionTime) > $before ]] ||
        fail "lastTransitionTime is that of the deleted one, $before"
}

test_what_is_being_deleted_is_left_alone() {
    local writes
    create_server one
    wait_for 10 conditions_are_right one
    writes=$(status_writes one)
    k -n "$NAMESPACE" patch mcpserver one --type merge -p '{"metadata": {"finalizers": ["a.b/c"]}}'
    k -n "$NAMESPACE" delete mcpserver one --wait=false
    change_server one '{"replicas": 3}'
    merge_status one '{"conditions": []}'
    # Only time shows that nothing happens.
    sleep 4
    expect 'further writes' "$(($(status_writes one) - writes))" 0
    k -n "$NAMESPACE" patch mcpserver one --type merge -p '{"metadata": {"finalizers": null}}'
}

# Fault: the object is deleted between the event and the write. The write must not bring it back.
test_what_is_deleted_at_once_stays_deleted() {
    local i
    for i in {1..20}; do
        create_server "brief-$i" '{"replicas": 3}'
        delete_server "brief-$i"
    done
    create_server last '{"replicas": 3}'
    wait_for 10 conditions_are_right last
    expect 'the MCPServers' "$(k -n "$NAMESPACE" get mcpservers -o name)" \
        mcpserver.toolhive.stacklok.dev/last
}

test_an_event_tells_when_one_turns_true() {
    local output
    create_server one '{"replicas": 1}'
    wait_for 10 conditions_are_right one
    expect 'events before' "$(events_about one)" ''
    change_server one '{"replicas": 3}'
    wait_for 10 has_event one StdioTransportCapAt1
    wait_for 10 has_event one SessionStorageMissingForReplicas
    output=$(k -n "$NAMESPACE" get events.events.k8s.io -o json | jq -r '[.items[] |
        select(.reason == "StdioTransportCapAt1") | .reportingController, .type] | join(" ")')
    expect_match 'reportingController and type' "$output" '^capstan.dev/capstan Warning'
    # kubectl describe reads the same Events from the other API group.
    expect_match 'kubectl describe' "$(k -n "$NAMESPACE" describe mcpserver one)" \
        'StdioTransportCapAt1'
}

test_a_restart_writes_nothing() {
    local before
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    before=$(server_field one .metadata.resourceVersion)
    stop_capstan capstan
    start_capstan capstan
    create_server after-restart
    wait_for 10 conditions_are_right after-restart
    expect 'writes of one' "$(status_writes one)" 1
    expect 'its resourceVersion' "$(server_field one .metadata.resourceVersion)" "$before"
}

test_what_changed_while_it_was_down_is_caught_up_with() {
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    stop_capstan capstan
    change_server one '{"replicas": 1}'
    create_server two '{"replicas": 2}'
    start_capstan capstan
    wait_for 10 conditions_are_right one
    wait_for 10 conditions_are_right two
}
