# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The API server, or etcd behind it, stops, hangs, or loses its history.

setup() {
    install_crd upstream
    start_capstan capstan
}

cap='[{"op":"add","path":"/spec/replicas","value":1}]'

# unknown_deployment NAME OTHER: the Deployment of NAME, as if it were that of the MCPServer OTHER, of which
# Capstan has not heard.
unknown_deployment() {
    deployment_json "$1" 3 | jq -c --arg name "$2" '.metadata.name = $name |
        .metadata.ownerReferences[0] |=
            (.name = $name | .uid = "00000000-0000-0000-0000-000000000000")'
}

milliseconds_since() {
    echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

test_a_compaction_in_mid_watch_loses_nothing() {
    local known
    create_server kept '{"replicas": 3}'
    create_server gone '{"replicas": 3}'
    wait_for 10 conditions_are_right kept
    wait_for 10 conditions_are_right gone
    known=$(metric capstan capstan_mcpservers)
    # While it sleeps, objects change, the connections are cut, and etcd drops the history.
    send capstan STOP
    change_server kept '{"replicas": 1}'
    delete_server gone
    end apiserver KILL
    start_apiserver
    create_server new '{"replicas": 3}'
    compact
    send capstan CONT
    wait_for 20 conditions_are_right kept
    wait_for 20 conditions_are_right new
    expect 'the number of MCPServers known' "$(metric capstan capstan_mcpservers)" "$known"
}

test_a_compaction_while_it_watches_is_no_matter() {
    local i
    for i in {1..5}; do
        create_server "server-$i" '{"replicas": 2}'
        compact
        wait_for 10 conditions_are_right "server-$i"
    done
}

test_the_api_server_may_be_away_for_30_seconds() {
    local deployment unknown before began
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    deployment=$(deployment_json one 3)
    end apiserver KILL
    began=${EPOCHREALTIME/./}
    while (($(milliseconds_since "$began") < 30000)); do
        expect "readiness after $(milliseconds_since "$began") ms" "$(ready_code capstan)" 200
        expect "the answer after $(milliseconds_since "$began") ms" \
            "$(review capstan <<<"$deployment")" "$cap"
        sleep 0.5
    done
    before=$(milliseconds_spent capstan)
    unknown=$(jq -c '.metadata.name = "unknown" | .metadata.ownerReferences[0] |=
        (.name = "unknown" | .uid = "00000000-0000-0000-0000-000000000001")' <<<"$deployment")
    expect 'the answer about an unknown one' "$(review capstan <<<"$unknown")" warning
    expect_at_most 'milliseconds it took' $(($(milliseconds_spent capstan) - before)) 1500
    start_apiserver
    change_server one '{"replicas": 1}'
    create_server two '{"replicas": 3}'
    # The back-off has grown to 30 s by then, plus a random part.
    wait_for 65 conditions_are_right one
    wait_for 10 conditions_are_right two
}

test_an_api_server_that_hangs_does_not_hold_up_admission() {
    local deployment unknown before
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    deployment=$(deployment_json one 3)
    unknown=$(unknown_deployment one unknown)
    expect 'the answer about an unknown one, before' "$(review capstan <<<"$unknown")" nothing
    unknown=$(unknown_deployment one never-asked-about)
    send apiserver STOP
    before=$(milliseconds_spent capstan)
    expect 'the answer' "$(review capstan <<<"$deployment")" "$cap"
    # A live GET would have waited for 500 ms.
    expect_at_most 'milliseconds it took' $(($(milliseconds_spent capstan) - before)) 400
    before=$(milliseconds_spent capstan)
    expect 'the answer about an unknown one' "$(review capstan <<<"$unknown")" warning
    expect_at_most 'milliseconds it took' $(($(milliseconds_spent capstan) - before)) 1500
    sleep 5
    send apiserver CONT
    wait_for 20 apiserver_is_ready
    change_server one '{"replicas": 1}'
    wait_for 40 conditions_are_right one
}

test_it_ends_in_time_while_the_api_server_hangs() {
    local began
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    send apiserver STOP
    began=${EPOCHREALTIME/./}
    stop_capstan capstan
    expect_at_most 'milliseconds it took' "$(milliseconds_since "$began")" 20000
    send apiserver CONT
    wait_for 20 apiserver_is_ready
    start_capstan capstan
}

test_etcd_may_hang_for_a_while() {
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    send etcd STOP
    sleep 10
    expect readiness "$(ready_code capstan)" 200
    send etcd CONT
    wait_for 30 change_server one '{"replicas": 1}'
    wait_for 65 conditions_are_right one
}

test_it_starts_before_the_api_server_does() {
    stop_capstan capstan
    end apiserver KILL
    launch_capstan capstan
    wait_for 10 prints 503 ready_code capstan
    sleep 3
    expect 'readiness' "$(ready_code capstan)" 503
    start_apiserver
    wait_for 40 is_ready capstan
    create_server one '{"replicas": 3}'
    # An API server that has just started answers for a moment that there is no such resource.
    wait_for 45 conditions_are_right one
}
