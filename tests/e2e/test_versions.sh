# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# CRDs of other versions of the operator, CRDs that come later, and missing rights. The tests build on
# one another.

older='1.30'

setup() {
    :
}

# Capstan asks so often, in seconds, whether the CRD is there.
retry=30

test_1_a_crd_may_come_after_the_start() {
    VERSION=v1alpha1
    launch_capstan capstan
    wait_for 10 is_alive capstan
    # Capstan asks meanwhile, and finds no CRD.
    sleep 2
    install_crd v1alpha1
    create_server one '{"replicas": 3}'
    wait_for $((retry + 15)) conditions_are_right one
    wait_for 10 is_ready capstan
}

is_alive() {
    curl -s --noproxy '*' --fail "http://127.0.0.1:$(probe_port "$1")/healthz"
}

test_2_v1alpha1_alone_will_do() {
    local output
    VERSION=v1alpha1
    register capstan
    output=$(server_json one '{"replicas": 3}' | k -n "$NAMESPACE" create -f - 2>&1)
    expect_match 'kubectl create' "$output" 'Warning: .*stdio transport allows 1 replica'
    wait_for 10 conditions_are_right one
    create_deployment one 3 >/dev/null
    expect replicas "$(replicas_of one)" 1
    wait_for 10 has_event one StdioTransportCapAt1
}

test_3_a_version_that_is_added_is_taken_up() {
    VERSION=v1alpha1
    create_server old '{"replicas": 3}'
    wait_for 10 conditions_are_right old
    install_crd upstream
    VERSION=v1beta1
    create_server new '{"replicas": 3}'
    wait_for $((retry + 15)) conditions_are_right new
    expect 'writes of the old one' "$(status_writes old)" 1
    create_deployment new 3 >/dev/null
    expect replicas "$(replicas_of new)" 1
}

# Fault: a schema that refuses what Capstan writes.
test_4_a_refused_write_is_not_repeated() {
    local path=schema/openAPIV3Schema/properties/status/properties/conditions/items/properties
    k patch crd mcpservers.toolhive.stacklok.dev --type json -p "[
        {\"op\": \"add\", \"path\": \"/spec/versions/0/$path/reason/enum\", \"value\": [\"Other\"]},
        {\"op\": \"add\", \"path\": \"/spec/versions/1/$path/reason/enum\", \"value\": [\"Other\"]}]"
    # The test begins when the API server uses the new schema.
    wait_for 20 reason_is_refused
    create_server one '{"replicas": 3}'
    wait_for 10 is_written one
    sleep 10
    expect_at_most 'attempts' "$(status_writes one)" 2
    expect 'attempts that succeeded' "$(count_writes '.objectRef.name == "one" and .code < 300 and
        .what == "mcpservers/status"')" 0
}

is_written() {
    (($(status_writes "$1") > 0))
}

reason_is_refused() {
    create_server probe '{"replicas": 0}'
    ! merge_status probe '{"conditions": [{"type": "Probe", "status": "True", "reason": "Mine",
        "message": "none", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}' && return
    delete_server probe
    return 1
}

test_5_a_crd_may_go_and_come_again() {
    k delete crd mcpservers.toolhive.stacklok.dev --timeout=30s
    sleep 2
    expect 'readiness' "$(ready_code capstan)" 200
    install_crd upstream
    create_server one '{"replicas": 2}'
    wait_for $((2 * retry + 15)) conditions_are_right one
}

# Here the conditions are one value, so server-side apply would remove those of others.
test_6_conditions_without_a_list_type_are_put() {
    local i
    k delete mutatingwebhookconfiguration zz-capstan
    stop_capstan capstan
    k delete crd mcpservers.toolhive.stacklok.dev --timeout=30s
    install_crd atomic
    VERSION=v1alpha1
    create_server one '{"replicas": 3}'
    merge_status one '{"phase": "Pending", "conditions": [{"type": "Ready", "status": "False",
        "reason": "Starting", "message": "none", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}'
    start_capstan capstan
    wait_for 10 conditions_are_right one
    expect 'the condition of the operator' "$(condition one Ready reason)" Starting
    expect 'the phase' "$(server_field one .status.phase)" Pending
    for i in {1..20}; do
        put_status one ".message = \"$i\"" || true
    done
    change_server one '{"replicas": 1}'
    wait_for 20 conditions_are_right one
    expect 'the condition of the operator, afterwards' "$(condition one Ready reason)" Starting
    expect 'how it was written' "$(audit 'select(.what == "mcpservers/status" and
        .writer == "capstan" and .objectRef.namespace == "'"$NAMESPACE"'") | .verb' | sort -u)" \
        '"update"'
    stop_capstan capstan
}

test_7_missing_rights_are_told_calmly() {
    local lines
    VERSION=v1alpha1
    launch_capstan capstan-limited
    wait_for 10 is_alive capstan-limited
    sleep 20
    lines=$(grep -ciE 'forbidden|403' "$CLUSTER/capstan-limited.log" || true)
    ((lines > 0)) || fail 'the log does not tell'
    expect_at_most 'lines about it' "$lines" 6
    is_alive capstan-limited
    k create clusterrolebinding limited --clusterrole=capstan --user=capstan-limited
    create_server one '{"replicas": 3}'
    wait_for 90 conditions_are_right one
    wait_for 60 is_ready capstan-limited
    stop_capstan capstan-limited
}
