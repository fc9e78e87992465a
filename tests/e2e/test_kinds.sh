# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The kinds of the family without their operator: CRDs that are not there, that come and that go, and
# objects of one name. The tests build on one another. Kubernetes 1.20 does not take upstream's CRDs, and
# what a group needs does not run there.

needs='etcd'
older='1.30'

# Of mcpservers alone.
setup() {
    install_crd upstream
}

# Capstan asks so often, in seconds, whether a CRD is there; and some more.
retry=35

test_1_the_servers_alone_will_do() {
    launch_capstan capstan
    wait_for 5 is_ready capstan
    register capstan
    create_server one '{"replicas": 3}'
    create_deployment one 3 >/dev/null
    expect 'replicas' "$(replicas_of one)" 1
    wait_for 10 conditions_are_right one
    expect 'errors' "$(jq -Rc 'fromjson? | select(.level == "error")' "$CLUSTER/capstan.log")" ''
    sleep 20
    is_ready capstan
    expect_at_most 'warnings in the log' "$(jq -Rc 'fromjson? | select(.level == "warn")' \
        "$CLUSTER/capstan.log" | wc -l)" 2
}

# is_known KIND NAME: whether Capstan knows that this one has spec.replicas. About an autoscaler it looks
# nothing up.
is_known() {
    local warning
    autoscaler_json "$2" >"$CLUSTER/autoscaler.json"
    warning=$(warnings k -n "$NAMESPACE" create --dry-run=server -f "$CLUSTER/autoscaler.json")
    echo "$warning"
    [[ $warning == 'autoscaler: '*"${kind_of[$1]}"* ]]
}

test_2_the_other_kinds_are_taken_up_when_they_come() {
    local kind
    for kind in mcpremoteproxies virtualmcpservers; do
        install_crd upstream "$kind"
        create_member "$kind" "came-$kind" '{"replicas": 2}'
        wait_for "$retry" is_known "$kind" "came-$kind"
        api toolhive-operator POST "$(deployment_path)" "$(deployment_of "$kind" "came-$kind" 5)" >/dev/null
        expect "replicas of $kind" "$(replicas_of "came-$kind")" 2
    done
}

test_3_a_kind_that_goes_hinders_nobody() {
    create_member mcpremoteproxies stays '{"replicas": 2}'
    wait_for 10 is_known mcpremoteproxies stays
    k delete crd virtualmcpservers.toolhive.stacklok.dev --timeout=30s >/dev/null
    sleep 5
    expect 'readiness' "$(ready_code capstan)" 200
    is_known mcpremoteproxies stays
    create_server one '{"replicas": 3}'
    wait_for 10 conditions_are_right one
    install_crd upstream virtualmcpservers
    create_member virtualmcpservers again '{"replicas": 2}'
    wait_for "$retry" is_known virtualmcpservers again
}

# deploy KIND NAME COUNT: the Deployment of this one, in place of any other of that name. Prints the count
# that it gets.
deploy() {
    api admin DELETE "$(deployment_path "$2")" >/dev/null 2>&1 || true
    api toolhive-operator POST "$(deployment_path)" "$(deployment_of "$@")" | jq .spec.replicas
}

test_4_three_of_one_name_stay_apart() {
    local redis='"sessionStorage": {"provider": "redis", "address": "redis:6379"}'
    create_server same '{"transport": "stdio"}'
    create_member mcpremoteproxies same "{\"replicas\": 3, $redis}"
    create_member virtualmcpservers same "{$redis}"
    expect 'of the MCPServer, which is stdio' "$(deploy mcpservers same 5)" 1
    expect 'of the MCPRemoteProxy, which has three' "$(deploy mcpremoteproxies same 5)" 3
    expect 'of the VirtualMCPServer, which has no count' "$(deploy virtualmcpservers same 5)" 5
    expect 'its scale' "$(put_scale same 4)" 4
    change_member virtualmcpservers same '{"replicas": 2}'
    expect 'once it has two' "$(deploy virtualmcpservers same 5)" 2
    delete_server same
    expect 'of the MCPRemoteProxy without the MCPServer' "$(deploy mcpremoteproxies same 5)" 3
    api admin DELETE "$(member_path mcpremoteproxies same)" >/dev/null
    expect 'of the VirtualMCPServer without the others' "$(deploy virtualmcpservers same 5)" 2
}
