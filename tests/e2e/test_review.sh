# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# `capstan review` predicts what the API server does with Capstan as its webhook: the tests give the same
# objects to `kubectl --dry-run=server` and to `capstan review --kubeconfig`.

setup() {
    install_crd upstream
    start_capstan capstan
    register capstan
}

# The fields of one object that are compared: those that a rule reads or sets.
compared='{kind, name: .metadata.name, replicas: .spec.replicas} + if .kind == "MCPServer"
    then {transport: .spec.transport}
    else {strategy: .spec.strategy, grace: .spec.template.spec.terminationGracePeriodSeconds} end'

specs=('{}' '{"replicas": 3}' '{"transport": "sse"}' '{"transport": "sse", "replicas": 1}'
    '{"transport": "sse", "replicas": 3}'
    '{"transport": "streamable-http", "replicas": 2,
        "sessionStorage": {"provider": "redis", "address": "redis:6379"}}')
counts=('' 0 1 4)
# Filters on a Deployment: fields that a manifest may leave out or set.
variants=('del(.spec.template.spec.terminationGracePeriodSeconds)'
    '.spec.template.spec.terminationGracePeriodSeconds = 10 | .spec.strategy = {type: "Recreate"}'
    '.spec.strategy = {rollingUpdate: {maxSurge: 1}}'
    '.spec.strategy = {type: "RollingUpdate", rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}'
    '.spec.template.spec.terminationGracePeriodSeconds = 90')

# list_of FILE: writes the objects on stdin to FILE, as a List in $NAMESPACE.
list_of() {
    jq -s --arg namespace "$NAMESPACE" '{apiVersion: "v1", kind: "List",
        items: map(.metadata.namespace = $namespace)}' >"$1"
}

# Each spec with each count, and the variants in turn. The MCPServer is there; the Deployment is new.
make_deployments() {
    local spec count n=0
    for spec in "${specs[@]}"; do
        for count in "${counts[@]}"; do
            create_server "server-$n" "$spec"
            deployment_json "server-$n" "$count" | jq -c "${variants[n % 5]}"
            n=$((n + 1))
        done
    done | list_of "$1"
}

# ask_server FILE VERB: writes FILE.server and FILE.server-warnings.
ask_server() {
    k -n "$NAMESPACE" "$2" --dry-run=server -o json -f "$1" 2>"$1.stderr" >"$1.answer" ||
        fail "$(cat "$1.stderr")"
    jq -c "if .kind == \"List\" then .items[] else . end | $compared" "$1.answer" >"$1.server"
    # kubectl prints the same warning only once.
    sed -n 's/^Warning: //p' "$1.stderr" | grep -E '^(stdio-cap|session-storage|replica|grace)' |
        sort -u >"$1.server-warnings" || true
}

# ask_review FILE OPTION...: writes FILE.review, FILE.review-warnings and FILE.patch.
ask_review() {
    local file=$1
    shift
    set -- -f "$file" --kubeconfig "$CLUSTER/admin.kubeconfig" "$@"
    "$CAPSTAN" review "$@" -o yaml >"$file.yaml"
    # kubectl turns it into JSON, and changes nothing.
    k create --dry-run=client --validate=false -o json -f "$file.yaml" |
        jq -c "if .kind == \"List\" then .items[] else . end | $compared" >"$file.review"
    "$CAPSTAN" review "$@" -o json | jq -r '.items[].warnings[]' | sort -u >"$file.review-warnings"
    "$CAPSTAN" review "$@" -o patch >"$file.patch"
}

# expect_alike FILE: both agree, and each patch leads to the API server's object.
expect_alike() {
    local kind name path value
    diff "$1.server" "$1.review" || fail 'the objects differ: < by kubectl, > by review'
    diff "$1.server-warnings" "$1.review-warnings" || fail 'the warnings differ'
    while read -r kind name path value; do
        expect "$path of $name" "$(jq -c --arg kind "$kind" --arg name "$name" --arg path "$path" '
            if .kind == "List" then .items[] else . end |
            select(.kind == $kind and .metadata.name == $name) |
            getpath($path | split("/")[1:])' "$1.answer")" "$value"
    done < <(jq -r '"\(.kind) \(.name) " + (.patch[] | "\(.path) \(.value | tojson)")' "$1.patch")
}

# expect_count WHAT FILE COUNT: FILE has so many lines. Empty files would agree too.
expect_count() {
    expect "$1" "$(wc -l <"$2")" "$3"
}

test_new_deployments_of_live_servers_are_reviewed_as_admitted() {
    local file=$CLUSTER/deployments
    make_deployments "$file"
    ask_server "$file" apply
    ask_review "$file"
    expect_alike "$file"
    expect_count 'Deployments' "$file.review" 24
    expect_count 'changed Deployments' "$file.patch" 9
    expect_count 'warnings' "$file.review-warnings" 2
}

test_new_servers_are_reviewed_as_admitted() {
    local file=$CLUSTER/servers i
    for i in "${!specs[@]}"; do
        server_json "server-$i" "${specs[i]}"
    done | list_of "$file"
    ask_server "$file" apply
    ask_review "$file"
    expect_alike "$file"
    expect_count 'MCPServers' "$file.review" 6
    expect_count 'warnings' "$file.review-warnings" 2
}

test_updates_are_reviewed_as_admitted() {
    local file=$CLUSTER/updates n=0 spec
    for spec in "${specs[@]}"; do
        create_server "server-$n" "$spec"
        create_deployment "server-$n" 1 >/dev/null
        n=$((n + 1))
    done
    k -n "$NAMESPACE" get deployments,mcpservers -o json >"$file.old"
    jq '.items |= map(.spec.replicas = 5)' "$file.old" >"$file"
    ask_server "$file" replace
    ask_review "$file" --old "$file.old"
    expect_alike "$file"
    expect_count 'objects' "$file.review" 12
    expect 'operations' "$("$CAPSTAN" review -f "$file" --old "$file.old" -o json |
        jq -r '.items[].operation' | sort -u)" UPDATE
}

other_policy='apiVersion: capstan.dev/v1
kind: PolicyConfig
stdioCap: {mode: deny, preventSurge: true}
gracePeriod: {seconds: 60, minimum: true}
'

# Takes the place of the first.
test_1_another_policy_is_reviewed_as_it_is_admitted_by() {
    local file=$CLUSTER/other config=$CLUSTER/other-policy.yaml
    make_deployments "$file"
    echo "$other_policy" >"$config"
    stop_capstan capstan
    start_capstan capstan --config "$config"
    ask_server "$file" apply
    ask_review "$file" --config "$config"
    expect_alike "$file"
    expect_count 'Deployments' "$file.review" 24
    expect 'the longest period' "$(jq -s 'map(.grace) | [min, max] | tojson' "$file.review")" \
        '"[60,90]"'
}

test_2_what_is_refused_is_refused_with_the_same_words() {
    local file=$CLUSTER/refused output message
    server_json over '{"replicas": 3}' | list_of "$file"
    output=$(refuses k -n "$NAMESPACE" apply --dry-run=server -f "$file")
    "$CAPSTAN" review -f "$file" --config "$CLUSTER/other-policy.yaml" -o json >"$file.json" &&
        fail 'review ends with status 0'
    message=$(jq -r '.items[].message' "$file.json")
    expect_match 'the reason' "$message" '^stdio-cap: stdio transport allows 1 replica'
    [[ $output == *"$message"* ]] || fail "'$output' has not '$message'"
}
