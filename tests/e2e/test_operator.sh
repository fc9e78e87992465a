# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Beside ToolHive's own operator, with its CRDs and its rights, and Kubernetes' own controllers. The
# tests build on one another: the first runs without Capstan, to compare with.

needs='kube-controller-manager kube-scheduler kwok helm thv-operator'
apiserver_options=("${no_watch_lists[@]}")

setup() {
    start_controllers
    start_scheduler
    start_node
    install_operator "$TOOLHIVE"
    start_operator
    start_proxies
    record_pods
}

n_servers=50

# spec_of I: the spec of server I of those that are created and edited.
spec_of() {
    local specs=('{"transport": "stdio"}' '{"transport": "sse"}' '{"transport": "streamable-http"}'
        '{"transport": "stdio", "replicas": 3}' '{"transport": "sse", "replicas": 2}'
        '{"transport": "streamable-http", "replicas": 2}' '{}')
    echo "${specs[$1 % ${#specs[@]}]}"
}

# conflicts [WRITER]: how often the operator's status writes met one; with WRITER, only those for a write
# of WRITER's. The operator meets some with its own writes, and with those of whoever edits.
conflicts() {
    audit 'select(.what | startswith("mcpservers"))' | jq -s --arg of "${1-}" 'sort_by(.stageTimestamp) |
        reduce .[] as $write ({n: 0}; "\($write.objectRef.namespace)/\($write.objectRef.name)" as $key |
            if $write.code < 300 then .[$key] = $write.writer
            elif $write.code == 409 and $write.what == "mcpservers/status" and
                $write.writer == "toolhive-operator" and ($of == "" or .[$key] == $of) then .n += 1
            else . end) | .n'
}

n_singles=8

# one_by_one: creates and edits some servers in a namespace of their own, each when the operator is done
# with the one before. Then a write of Capstan's that waits for nobody comes in the midst of its writes.
one_by_one() {
    local NAMESPACE=$NAMESPACE-singles i
    k create namespace "$NAMESPACE" >/dev/null
    for ((i = 0; i < n_singles; i++)); do
        create_server "single-$i" "$(spec_of "$i")"
        wait_for 60 is_quiet 3
        change_server "single-$i" '{"env": [{"name": "EDITED", "value": "yes"}]}'
        wait_for 60 is_quiet 3
    done
    wait_for 30 all_are_right
    delete_namespace
}

# create_and_edit FILE: creates n_servers one right after the other, and edits each. Writes to FILE how
# many conflicts the operator met while they were created, and while they were edited. These are all; see
# conflicts.
create_and_edit() {
    local i before after
    before=$(conflicts)
    for ((i = 0; i < n_servers; i++)); do
        create_server "server-$i" "$(spec_of "$i")"
    done
    wait_for 240 is_quiet 10
    after=$(conflicts)
    for ((i = 0; i < n_servers; i++)); do
        change_server "server-$i" '{"env": [{"name": "EDITED", "value": "yes"}]}'
    done
    wait_for 240 is_quiet 10
    echo "$((after - before)) $(($(conflicts) - after))" >"$1"
}

test_1_the_operator_alone() {
    local made edited
    create_and_edit "$CLUSTER/conflicts.without"
    read -r made edited <"$CLUSTER/conflicts.without"
    echo "figure: without Capstan: $made conflicts in $n_servers creations, $edited in $n_servers edits"
    server_conditions >"$CLUSTER/conditions.without"
    expect 'servers with both conditions' "$(wc -l <"$CLUSTER/conditions.without")" "$n_servers"
    delete_namespace
}

# server_conditions: a line for each server that has both: its name, and the two without their times.
server_conditions() {
    api admin GET "$(server_path)" | jq -c '.items[] | [.metadata.name, ([.status.conditions[] |
        select(.type == "StdioReplicaCapped" or .type == "SessionStorageWarning") |
        {type, status, reason, message, observedGeneration}] | sort_by(.type))] | select(.[1] | length == 2)' | sort
}

# The cost that is saved: Capstan writes at once, in the midst of the operator's writes.
test_2_conflicts_with_capstan_that_waits_for_nobody() {
    local n
    write_policy on 'conditions: {write: on}'
    start_capstan capstan --config "$CLUSTER/on.yaml"
    register capstan
    one_by_one
    n=$(conflicts capstan)
    echo "figure: with Capstan, conditions.write on: it made $n conflicts for the operator in" \
        "$n_singles creations and $n_singles edits, one after the other"
    ((n > 0)) || fail 'conditions.write: auto would save nothing'
    unregister capstan
    stop_capstan capstan
}

test_3_no_conflict_with_capstan() {
    local made edited before
    start_capstan capstan
    register capstan
    # Capstan knows of an operator by its first write.
    create_server first '{}'
    wait_for 60 is_quiet 5
    delete_server first
    wait_for 60 is_gone first
    before=$(conflicts capstan)
    one_by_one
    create_and_edit "$CLUSTER/conflicts.with"
    read -r made edited <"$CLUSTER/conflicts.with"
    echo "figure: with Capstan: $made conflicts in $n_servers creations, $edited in $n_servers edits"
    expect 'conflicts with a write of Capstan' "$(conflicts capstan)" "$before"
    wait_for 30 all_are_right
    # The same, whoever has written them last.
    diff "$CLUSTER/conditions.without" <(server_conditions)
    echo "$NAMESPACE" >"$CLUSTER/namespace"
}

all_are_right() {
    local conditions
    conditions=$(api admin GET "$(server_path)" |
        jq -c ".items[] | select(($conditions_by_table) != ($conditions_as_they_are)) | .metadata.name")
    echo "$conditions"
    [[ -z $conditions ]]
}

# in_first_namespace COMMAND...: where the servers of test 3 are.
in_first_namespace() {
    NAMESPACE=$(cat "$CLUSTER/namespace") "$@"
}

# By the table of rules: stdio is 1 whatever spec.replicas says, the others are as spec.replicas says.
test_4_its_deployments_are_as_the_table_says() {
    local wrong
    wrong=$({ in_first_namespace api_list mcpservers && in_first_namespace api_list deployments; } |
        jq -s -c '(.[0].items | map({key: .metadata.name, value: .spec}) | from_entries) as $specs |
            .[1].items[] | $specs[.metadata.name] as $spec |
            (if ($spec.transport // "stdio") == "stdio" then 1 else $spec.replicas // 1 end) as $wanted |
            select(.spec.replicas != $wanted) | [.metadata.name, .spec.replicas, $wanted]')
    expect 'Deployments with other replicas' "$wrong" ''
    expect 'Deployments' "$(in_first_namespace api_list deployments | jq '.items | length')" "$n_servers"
}

api_list() {
    case $1 in
    mcpservers) api admin GET "$(server_path)" ;;
    deployments) api admin GET "$(deployment_path)" ;;
    esac
}

# versions_of: the generation and resourceVersion of each MCPServer and each Deployment.
versions_of() {
    { api_list mcpservers && api_list deployments; } |
        jq -r '.items[].metadata | "\(.name) \(.generation) \(.resourceVersion)"'
}

test_5_two_quiet_minutes() {
    local before n_before
    wait_for 120 is_quiet 10
    before=$(in_first_namespace versions_of)
    n_before=$(writes_of_both)
    sleep 120
    expect 'writes of Capstan and of the operator' "$(($(writes_of_both) - n_before))" 0
    expect 'generations and resourceVersions' "$(in_first_namespace versions_of)" "$before"
}

test_6_edits_of_replicas_and_transport() {
    create_server one '{"transport": "sse", "replicas": 3}'
    wait_for 60 pair_is_there one
    expect 'replicas on sse' "$(replicas_of one)" 3
    change_server one '{"transport": "stdio"}'
    wait_for 60 prints 1 replicas_of one
    wait_for 60 is_quiet 5
    expect 'replicas on stdio' "$(replicas_of one)" 1
    wait_for 30 conditions_are_right one
    change_server one '{"transport": "streamable-http", "replicas": 2}'
    wait_for 60 prints 2 replicas_of one
    wait_for 60 is_quiet 5
    expect 'replicas on streamable-http' "$(replicas_of one)" 2
    wait_for 30 conditions_are_right one
    k -n "$NAMESPACE" scale deployment/one --replicas=4 >/dev/null
    # The operator has the say if spec.replicas is set.
    wait_for 60 prints 2 replicas_of one
    change_server one '{"replicas": null}'
    k -n "$NAMESPACE" scale deployment/one --replicas=4 >/dev/null
    wait_for 60 is_quiet 5
    expect 'replicas that nobody but kubectl has set' "$(replicas_of one)" 4
}

test_7_scaled_while_capstan_was_away() {
    local generation
    create_server one '{}'
    wait_for 60 pair_is_there one
    unregister capstan
    stop_capstan capstan
    k -n "$NAMESPACE" scale deployment/one --replicas=3 >/dev/null
    wait_for 60 is_settled one
    start_capstan capstan
    wait_for 30 prints 1 replicas_of one
    wait_for 60 is_quiet 5
    generation=$(deployment_field one .metadata.generation)
    sleep 10
    expect 'replicas' "$(replicas_of one)" 1
    expect 'the generation' "$(deployment_field one .metadata.generation)" "$generation"
    register capstan
}

test_8_rollout_restart() {
    roll_out one 2
    write_policy surge 'stdioCap: {preventSurge: true}'
    stop_capstan capstan
    start_capstan capstan --config "$CLUSTER/surge.yaml"
    roll_out two 1
    stop_capstan capstan
    start_capstan capstan
}

# roll_out NAME MOST: a stdio server; MOST proxies at a time.
roll_out() {
    local most
    create_server "$1" '{}'
    wait_for 60 pair_is_there "$1"
    wait_for 60 is_quiet 5
    k -n "$NAMESPACE" rollout restart "deployment/$1" >/dev/null
    k -n "$NAMESPACE" rollout status --timeout 60s "deployment/$1" >/dev/null
    wait_for 60 is_quiet 5
    expect 'the annotation of the restart' "$(deployment_field "$1" \
        '.spec.template.metadata.annotations | has("kubectl.kubernetes.io/restartedAt")')" true
    read -r _ most < <(pods_of "$1")
    expect 'the most pods at a time' "$most" "$2"
}

test_9_deletion_takes_everything_with_it() {
    create_server one '{"replicas": 3}'
    create_server two '{"transport": "sse", "replicas": 2}'
    wait_for 60 pair_is_there one
    wait_for 60 pair_is_there two
    # Only what has an owner goes with it.
    wait_for 60 is_adopted one
    wait_for 60 is_adopted two
    wait_for 60 is_quiet 5
    delete_server one
    wait_for 60 is_gone one
    expect 'replicas of the other' "$(replicas_of two)" 2
    delete_namespace
    in_first_namespace delete_namespace
}

# is_adopted NAME: whether the operator owns the StatefulSet that the proxy of this server has made.
is_adopted() {
    k -n "$NAMESPACE" get statefulset "$1" -o json |
        jq -e '.metadata.ownerReferences // [] | any(.kind == "MCPServer")'
}

is_gone() {
    local left
    left=$(k -n "$NAMESPACE" get mcpserver,deployment,replicaset,pod,statefulset,service -o name |
        grep -E "/(mcp-)?$1(-proxy)?(-|$)") || true
    echo "$left"
    [[ -z $left ]]
}

# observed_now: how many servers have both conditions of their present generation.
observed_now() {
    api admin GET "$(server_path)" | jq '[.items[] | .metadata.generation as $generation |
        select([.status.conditions[] | select(.type == "StdioReplicaCapped" or
        .type == "SessionStorageWarning") | .observedGeneration == $generation] == [true, true])] | length'
}

# The bound of one edit is 30 s, and the edits take some time, too.
test_10_an_operator_that_is_killed_in_the_midst_leaves_none_missing() {
    local i began before
    wait_for 240 is_quiet 10
    for ((i = 0; i < n_servers; i++)); do
        create_server "server-$i" "$(spec_of "$i")"
    done
    wait_for 240 is_quiet 10
    for ((i = 0; i < n_servers; i++)); do
        change_server "server-$i" '{"env": [{"name": "EDITED", "value": "yes"}]}'
    done
    began=${EPOCHREALTIME/./}
    end operator KILL
    before=$(observed_now)
    wait_for 34 prints "$n_servers" observed_now
    echo "figure: the operator was killed with $before of $n_servers conditions written;" \
        "none was missing $(((${EPOCHREALTIME/./} - began) / 1000)) ms later"
    all_are_right
    start_operator
}

# create_all: one server for each transport, count of replicas, and provider.
create_all() {
    local transport replicas provider n=0
    for transport in '' '"transport": "stdio",' '"transport": "sse",' '"transport": "streamable-http",'; do
        for replicas in '' '"replicas": 0,' '"replicas": 1,' '"replicas": 3,'; do
            for provider in '' '"sessionStorage": {"provider": "memory"},' \
                '"sessionStorage": {"provider": "redis", "address": "redis:6379"},'; do
                create_server "all-$((n += 1))" "{$transport $replicas $provider \"proxyPort\": 8080}"
            done
        done
    done
}

# have_conditions N: whether so many have both.
have_conditions() {
    local n
    n=$(server_conditions | wc -l)
    echo "$n of $1"
    ((n == $1))
}

# Each alone: the operator first, and then Capstan.
test_11_both_write_the_same_conditions() {
    local by_operator by_capstan
    unregister capstan
    stop_capstan capstan
    create_all
    wait_for 120 have_conditions 48
    by_operator=$(server_conditions)
    end operator
    start_capstan capstan
    NAMESPACE=$NAMESPACE-b
    k create namespace "$NAMESPACE" >/dev/null
    create_all
    wait_for 60 have_conditions 48
    by_capstan=$(server_conditions)
    diff <(echo "$by_operator") <(echo "$by_capstan")
    all_are_right
}
