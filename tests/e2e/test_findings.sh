# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# `capstan audit` finds in a cluster what admission would find if each object were submitted again: the
# tests submit each in a dry run, and read in the API server's audit log what admission did. Upstream's
# CRDs are not for Kubernetes 1.20.

needs='etcd'

# The objects were there before Capstan. Somebody else holds the Lease, so nothing is healed.
setup() {
    local kind redis='"sessionStorage": {"provider": "redis", "address": "redis:6379"}'
    install_family
    NAMESPACE=all
    k create namespace all >/dev/null
    create_server over '{"replicas": 3}'
    create_server backends '{"backendReplicas": 2}'
    create_server spread '{"transport": "sse", "replicas": 2, "sessionAffinity": "None"}'
    create_server shared "{\"transport\": \"sse\", \"replicas\": 2, \"backendReplicas\": 2, $redis}"
    create_server fine '{}'
    create_member mcpremoteproxies proxy '{"replicas": 2}'
    create_member virtualmcpservers virtual "{\"replicas\": 2, $redis}"
    for kind in over spread fine; do
        create_deployment "$kind" 4 >/dev/null
    done
    create_deployment shared 2 >/dev/null
    api admin POST "$(deployment_path)" "$(deployment_of mcpremoteproxies proxy 2)" >/dev/null
    api admin POST "$(deployment_path)" "$(deployment_of virtualmcpservers virtual 3 |
        jq -c '.spec.template.spec.terminationGracePeriodSeconds = 10')" >/dev/null
    for kind in over fine virtual backends; do
        NAMESPACE=all make_autoscaler "$kind" >/dev/null
    done
    make_autoscaler nobody >/dev/null
    hold_lease
    start_held
    register capstan
}

hold_lease() {
    api admin POST /apis/coordination.k8s.io/v1/namespaces/capstan-system/leases "{
        \"apiVersion\": \"coordination.k8s.io/v1\", \"kind\": \"Lease\", \"metadata\": {\"name\": \"capstan\"},
        \"spec\": {\"holderIdentity\": \"somebody\", \"leaseDurationSeconds\": 36000, \"leaseTransitions\": 0,
        \"acquireTime\": \"$(date -u +%FT%T.000000Z)\", \"renewTime\": \"$(date -u +%FT%T.000000Z)\"}}" >/dev/null
}

# start_held [OPTION]...: Capstan, which will not lead.
start_held() {
    start_capstan capstan --leader-elect "$@"
}

# submit VERB KIND...: all of these once more, in a dry run.
submit() {
    local kinds
    kinds=$(IFS=, && echo "${*:2}")
    k -n all get "$kinds" -o json | jq --arg verb "$1" 'if $verb == "replace" then . else
        .items |= map(del(.metadata.resourceVersion, .metadata.uid)) end' >"$CLUSTER/all.json"
    k -n all "$1" --dry-run=server -f "$CLUSTER/all.json"
}

# admitted FILE: what admission finds, a line for each rule. A Deployment is updated; of the others a new one is
# made. The API server refuses that, since it is there, but not before it has asked.
admitted() {
    local before
    before=$(wc -l <"$CLUSTER/audit.log")
    refuses submit create "${family[@]}" horizontalpodautoscalers >/dev/null
    submit replace deployments >/dev/null
    sleep 1
    tail -n "+$((before + 1))" "$CLUSTER/audit.log" | jq -r 'select(.requestURI | test("dryRun=All")) |
        .objectRef as $object | .annotations // {} | keys[] | select(test("^[a-z]+\\.capstan\\.dev/")) |
        "\($object.resource) \($object.name) \(sub("^.*/"; ""))"' | sort -u >"$1"
}

declare -A plural_of=([MCPServer]=mcpservers [MCPRemoteProxy]=mcpremoteproxies
    [VirtualMCPServer]=virtualmcpservers [Deployment]=deployments
    [HorizontalPodAutoscaler]=horizontalpodautoscalers)

# with_plurals: puts the plural in place of the kind that each line on stdin begins with.
with_plurals() {
    local kind rest
    while read -r kind rest; do
        echo "${plural_of[$kind]} $rest"
    done
}

# found FILE [OPTION]...: what audit finds, as admitted prints it. Prints the exit status.
found() {
    local status=0 file=$1
    shift
    "$CAPSTAN" audit --kubeconfig "$CLUSTER/capstan-auditor.kubeconfig" -o json "$@" >"$file.json" || status=$?
    jq -r '.items[] | select(.namespace == "all") | . as $item | .findings[]? |
        "\($item.kind) \($item.name) \(.rule)"' "$file.json" | with_plurals | sort -u >"$file"
    echo "$status"
}

# agree [OPTION]...: about the present policy. Prints how many findings there are and audit's exit status.
agree() {
    local status
    admitted "$CLUSTER/admitted"
    status=$(found "$CLUSTER/found" "$@")
    diff "$CLUSTER/admitted" "$CLUSTER/found" >&2 || fail 'the findings differ: < of admission, > of audit'
    echo "$(wc -l <"$CLUSTER/found") $status"
}

# The role of the page is enough, and nothing is written.
test_1_it_finds_what_admission_finds() {
    awk '/^```yaml/ { inside = 1; next } /^```/ { inside = 0 } inside' docs/audit.md >"$CLUSTER/role.yaml"
    k apply -f "$CLUSTER/role.yaml" >/dev/null
    k create clusterrolebinding auditor --clusterrole capstan-audit --user capstan-auditor >/dev/null
    wait_for 10 may_audit
    expect 'findings and exit status' "$(agree)" '11 0'
    expect 'writes of the auditor' "$(audit 'select(.writer == "capstan-auditor")' | wc -l)" 0
    expect 'what was healed' "$(NAMESPACE=all replicas_of over)" 4
}

may_audit() {
    "$CAPSTAN" audit --kubeconfig "$CLUSTER/capstan-auditor.kubeconfig"
}

test_2_it_finds_what_another_policy_would() {
    local verdicts
    write_policy other 'stdioCap: {mode: deny, preventSurge: true}
gracePeriod: {seconds: 60, minimum: true}
sessionStorage: {mode: deny}
autoscaler: {mode: deny}
exempt:
- {namespace: all, name: proxy, kind: MCPRemoteProxy}'
    expect 'the exit status before it is in force' "$(found "$CLUSTER/before" --config "$CLUSTER/other.yaml")" 1
    stop_capstan capstan
    start_held --config "$CLUSTER/other.yaml"
    verdicts=$(agree --config "$CLUSTER/other.yaml")
    expect 'the exit status' "${verdicts#* }" 1
    diff "$CLUSTER/before" "$CLUSTER/found"
    expect 'findings about the exempt one' "$(grep -c ' proxy ' "$CLUSTER/found")" 0
    expect 'refused ones' "$(jq -r '.items[] | select(.allowed == false) | "\(.kind) \(.name)"' \
        "$CLUSTER/found.json" | with_plurals | sort -u)" "$(audit 'select((.requestURI | test("dryRun=All")) and
            .code == 403) | "\(.objectRef.resource) \(.objectRef.name)"' | jq -r . | sort -u)"
}

# status_of [OPTION]...: the exit status of audit.
status_of() {
    local status=0
    "$CAPSTAN" audit --kubeconfig "$CLUSTER/capstan-auditor.kubeconfig" "$@" >"$CLUSTER/status.output" 2>&1 || status=$?
    echo "$status"
}

test_3_the_exit_status_says_what_it_found() {
    expect 'of warnings' "$(status_of)" 0
    expect 'of warnings that count' "$(status_of --fail-on warning)" 1
    expect 'of an unknown option' "$(status_of --nonsense)" 2
    expect 'of a policy that is not there' "$(status_of --config "$CLUSTER/nothing.yaml")" 2
    k delete clusterrolebinding auditor >/dev/null
    wait_for 10 prints 2 status_of
    expect_match 'what is missing' "$(cat "$CLUSTER/status.output")" '403|forbidden|right'
}
