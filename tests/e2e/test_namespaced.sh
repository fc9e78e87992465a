# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The overlay with Roles in one namespace: Capstan does all of its work there, and none elsewhere. It has,
# and tries, no right beyond.

# The API server calls the endpoints of the webhook's Service directly: there is no kube-proxy.
apiserver_options=(--enable-aggregator-routing)

watched=toolhive-system

# Capstan's namespace and the rights come with the manifests.
prepare_cluster() {
    return 0
}

setup() {
    install_crd upstream
    k create namespace "$watched" >/dev/null
    install namespaced
    run_installed
    wait_for 30 is_ready installed
    wait_for 10 bundles_are_current
}

# in_namespace NAMESPACE COMMAND...
in_namespace() {
    local NAMESPACE=$1
    "${@:2}"
}

is_capped() {
    local output
    output=$(server_json asked '{"replicas": 3}' | k -n "$watched" apply --dry-run=server -f - 2>&1)
    echo "$output"
    [[ $output == *'Warning: stdio-cap: '* ]]
}

has_replicas() {
    [[ $(replicas_of "$1") == "$2" ]]
}

test_it_works_in_its_namespace_alone() {
    local namespace
    wait_for 10 is_capped
    for namespace in "$watched" "$NAMESPACE"; do
        in_namespace "$namespace" create_server over '{"replicas": 3}'
        in_namespace "$namespace" eval 'api admin POST "$(deployment_path)" "$(deployment_json over 3)"' >/dev/null
    done
    expect 'replicas that it caps' "$(in_namespace "$watched" replicas_of over)" 1
    expect 'replicas elsewhere' "$(replicas_of over)" 3
    wait_for 10 in_namespace "$watched" conditions_are_right over
    expect_match 'kubectl scale' "$(k -n "$watched" scale deployment over --replicas=5 2>&1)" stdio-cap
    expect 'replicas that it holds' "$(in_namespace "$watched" replicas_of over)" 1
    # Without admission the leader heals.
    k label namespace "$watched" capstan.dev/ignore=yes >/dev/null
    wait_for 10 eval "k -n $watched scale deployment over --replicas=4 && wait_for 1 in_namespace $watched has_replicas over 4"
    wait_for 10 in_namespace "$watched" has_replicas over 1
    k label namespace "$watched" capstan.dev/ignore- >/dev/null
    wait_for 10 eval '[[ $(k -n toolhive-system get events.events.k8s.io -o name) ]]'
    expect 'conditions elsewhere' "$(api admin GET "$(server_path)" |
        jq -c '[.items[].status.conditions // empty]')" '[]'
    expect 'replicas elsewhere, in the end' "$(replicas_of over)" 3
    expect 'what it was refused' "$(audit 'select(.writer == "capstan" and .code == 403) | .what' | sort -u)" ''
    expect 'what it could not read' "$(log_of installed watch.failed | wc -l)" 0
}

test_doctor_finds_it_healthy() {
    local report
    report=$("$CAPSTAN" doctor --kubeconfig "$CLUSTER/admin.kubeconfig" -o json) || true
    expect 'missing rights' "$(jq -r '.checks[] | select(.name == "rbac") | .level' <<<"$report")" ok
    expect 'problems' "$(jq -r '.checks[] | select(.level == "problem") | .name' <<<"$report" |
        grep -vE '^(deployment|pods)$' || true)" ''
}
