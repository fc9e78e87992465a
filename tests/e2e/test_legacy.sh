# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Beside ToolHive's operator v0.10.0, from before it knew spec.replicas: it sets every Deployment back to
# 1, and writes neither condition. Then an upgrade to the newest one. The tests build on one another.

needs='kube-controller-manager kube-scheduler kwok helm thv-operator thv-operator-0.10'
apiserver_options=("${no_watch_lists[@]}")

setup() {
    VERSION=v1alpha1
    start_controllers
    start_scheduler
    start_node
    install_operator "$TOOLHIVE_OLD"
    start_operator thv-operator-0.10
    start_proxies
}

# The servers of tests 3 to 7 live on from one to the next.
NAMESPACE_OF_ALL=servers

# make_server NAME TRANSPORT: and waits until the operator has made its Deployment.
make_server() {
    create_server "$1" "{\"transport\": \"$2\"}"
    wait_for 60 pair_is_there "$1"
}

pair_is_there() {
    api admin GET "$(deployment_path "$1")" && is_settled "$1"
}

scale() {
    k -n "$NAMESPACE" scale "deployment/$1" --replicas="$2" >/dev/null
}

# stays NAME REPLICAS SECONDS
stays() {
    local end=$((SECONDS + $3))
    while ((SECONDS < end)); do
        expect "replicas of $1" "$(replicas_of "$1")" "$2"
        sleep 0.2
    done
}

test_1_without_capstan_every_deployment_falls_back_to_one() {
    local name began conditions
    VERSION=v1alpha1
    make_server web sse
    make_server tool stdio
    for name in web tool; do
        began=${EPOCHREALTIME/./}
        scale "$name" 3
        wait_for 30 prints 1 replicas_of "$name"
        echo "figure: without Capstan $name, scaled to 3, was back at 1 after" \
            "$(((${EPOCHREALTIME/./} - began) / 1000)) ms"
    done
    conditions=$(api admin GET "$(server_path)" | jq -r '.items[].status.conditions[]?.type' |
        grep -xE 'StdioReplicaCapped|SessionStorageWarning') || true
    expect 'conditions' "$conditions" ''
}

test_2_without_capstan_an_autoscaler_cannot_work() {
    VERSION=v1alpha1
    make_server scaled sse
    make_autoscaler scaled >/dev/null
    # The operator undoes each of these.
    wait_for 60 has_scaled scaled 4
    k -n "$NAMESPACE" delete hpa scaled >/dev/null
    wait_for 10 prints 1 replicas_of scaled
    echo 'figure: without Capstan an autoscaler with minReplicas 2 asked for 2 again and again'
}

test_3_with_capstan_an_sse_server_stays_at_three() {
    VERSION=v1alpha1 NAMESPACE=$NAMESPACE_OF_ALL
    k create namespace "$NAMESPACE" >/dev/null
    start_capstan capstan
    register capstan
    make_server web sse
    make_server tool stdio
    scale web 3
    scale tool 3
    stays web 3 20
    expect 'replicas of the stdio server' "$(replicas_of tool)" 1
    expect 'its ReplicaSet' "$(k -n "$NAMESPACE" get replicasets -l app.kubernetes.io/instance=tool \
        -o json | jq -c '[.items[].spec.replicas]')" '[1]'
    echo 'figure: with Capstan an sse server scaled to 3 stayed there for 20 s; a stdio server stayed at 1'
}

test_4_an_autoscaler_works() {
    VERSION=v1alpha1 NAMESPACE=$NAMESPACE_OF_ALL
    make_server scaled sse
    make_autoscaler scaled >/dev/null
    wait_for 30 prints 2 replicas_of scaled
    stays scaled 2 10
    expect 'times that the autoscaler has asked for 2' "$(scalings scaled)" 1
}

test_5_both_conditions_are_written_once_and_then_nothing() {
    local before n_before name
    VERSION=v1alpha1 NAMESPACE=$NAMESPACE_OF_ALL
    for name in web tool scaled; do
        wait_for 30 conditions_are_right "$name"
    done
    before=$(generations)
    n_before=$(count_writes)
    sleep 20
    expect 'the generations' "$(generations)" "$before"
    expect 'writes of Capstan' "$(($(count_writes) - n_before))" 0
}

# Nobody else writes them, and the operator writes the status all the same.
test_6_none_is_missing_three_seconds_after_an_edit() {
    local name
    VERSION=v1alpha1 NAMESPACE=$NAMESPACE_OF_ALL
    for name in web tool scaled; do
        change_server "$name" '{"env": [{"name": "EDITED", "value": "yes"}]}'
        wait_for 3 conditions_are_right "$name"
    done
}

generations() {
    { api admin GET "$(server_path)" && api admin GET "$(deployment_path)"; } |
        jq -r '.items[].metadata | "\(.name) \(.generation)"'
}

test_7_an_upgrade_of_the_operator_loses_nothing() {
    local name
    NAMESPACE=$NAMESPACE_OF_ALL
    end operator
    install_operator "$TOOLHIVE"
    start_operator thv-operator
    VERSION=v1beta1
    # Capstan finds the new version within 30 s, and the operator has pods to replace.
    create_server new '{"transport": "sse", "replicas": 2}'
    wait_for 90 prints 2 replicas_of new
    for name in web tool scaled new; do
        wait_for 90 conditions_are_right "$name"
        wait_for 90 is_settled "$name"
    done
    stays web 3 10
    expect 'replicas of the scaled server' "$(replicas_of scaled)" 2
    expect 'replicas of the stdio server' "$(replicas_of tool)" 1
    scale tool 3
    stays tool 1 3
}
