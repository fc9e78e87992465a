# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# MCPServers and the other kinds of the family, and their Deployments the way the ToolHive operator makes
# them. To be sourced. Everything is in the namespace $NAMESPACE. A kind is given as its plural.

NAMESPACE=default
VERSION=v1beta1 # of the family

family=(mcpservers mcpremoteproxies virtualmcpservers)
declare -A kind_of=([mcpservers]=MCPServer [mcpremoteproxies]=MCPRemoteProxy
    [virtualmcpservers]=VirtualMCPServer)
# The fields that upstream's CRDs ask for in each spec, as JSON.
declare -A least_spec=([mcpservers]='{"image": "ghcr.io/example/mcp:v1"}'
    [mcpremoteproxies]='{"remoteUrl": "https://mcp.example.com"}'
    [virtualmcpservers]='{"groupRef": {"name": "group"}, "incomingAuth": {"type": "anonymous"}}')

# member_path KIND [NAME], server_path [NAME], deployment_path [NAME]: the path of an object or of all,
# for `api`.
member_path() {
    echo "/apis/toolhive.stacklok.dev/$VERSION/namespaces/$NAMESPACE/$1${2:+/$2}"
}

server_path() {
    member_path mcpservers "$@"
}

deployment_path() {
    echo "/apis/apps/v1/namespaces/$NAMESPACE/deployments${1:+/$1}"
}

# member_json KIND NAME [SPEC]: SPEC is JSON; its members are added to what the kind needs.
member_json() {
    jq -nc --arg version "$VERSION" --arg kind "${kind_of[$1]}" --arg name "$2" \
        --argjson least "${least_spec[$1]}" --argjson spec "${3-"{}"}" '{
        apiVersion: "toolhive.stacklok.dev/\($version)", $kind, metadata: {$name}, spec: ($least + $spec)}'
}

# create_member KIND NAME [SPEC]
create_member() {
    api admin POST "$(member_path "$1")" "$(member_json "$@")" >/dev/null
}

# change_member KIND NAME SPEC: SPEC is a merge patch.
change_member() {
    api admin PATCH "$(member_path "$1" "$2")" "{\"spec\": $3}" >/dev/null
}

member() {
    api admin GET "$(member_path "$1" "$2")"
}

# create_group: the MCPGroup that VirtualMCPServers need.
create_group() {
    api admin POST "$(member_path mcpgroups)" "{\"apiVersion\": \"toolhive.stacklok.dev/$VERSION\",
        \"kind\": \"MCPGroup\", \"metadata\": {\"name\": \"group\"}, \"spec\": {}}" >/dev/null
}

# server_json NAME [SPEC], and so on: of an MCPServer.
server_json() {
    member_json mcpservers "$@"
}

create_server() {
    create_member mcpservers "$@"
}

change_server() {
    change_member mcpservers "$@"
}

delete_server() {
    api admin DELETE "$(server_path "$1")" >/dev/null
}

server() {
    member mcpservers "$1"
}

# server_field NAME FILTER, deployment_field NAME FILTER: of jq.
server_field() {
    server "$1" | jq -r "$2"
}

deployment_field() {
    api admin GET "$(deployment_path "$1")" | jq -r "$2"
}

replicas_of() {
    deployment_field "$1" .spec.replicas
}

# deployment_of KIND NAME [REPLICAS]: the Deployment of the object of that name. Without REPLICAS the field
# is left out; the operator does so if spec.replicas is not set.
deployment_of() {
    member "$1" "$2" | jq -c --arg replicas "${3-}" '.metadata.name as $name |
        (.kind | ascii_downcase) as $of | {
        app: $of, "app.kubernetes.io/name": $of,
        "app.kubernetes.io/instance": $name, toolhive: "true", "toolhive-name": $name} as $labels |
        {apiVersion: "apps/v1", kind: "Deployment",
        metadata: {$name, $labels, ownerReferences: [{apiVersion, kind, $name, uid: .metadata.uid,
            controller: true, blockOwnerDeletion: true}]},
        spec: {selector: {matchLabels: $labels}, template: {
            metadata: {$labels, annotations: ({"toolhive.stacklok.dev/runconfig-checksum": "0"} +
                if .kind != "MCPServer" then {} else
                    {"toolhive.stacklok.dev/mcpserver-generation": "\(.metadata.generation)"} end)},
            spec: {terminationGracePeriodSeconds: 30, serviceAccountName: "\($name)-proxy-runner",
                containers: [{name: "toolhive", image: "ghcr.io/stacklok/toolhive/proxyrunner:v1",
                    args: ["run", .spec.image // "proxy"],
                    ports: [{name: "http", containerPort: 8080}]}]}}}} |
        if $replicas == "" then . else .spec.replicas = ($replicas | tonumber) end'
}

# deployment_json NAME [REPLICAS]: of an MCPServer.
deployment_json() {
    deployment_of mcpservers "$@"
}

# create_deployment NAME [REPLICAS]: as the operator. Prints the answer.
create_deployment() {
    api toolhive-operator POST "$(deployment_path)" "$(deployment_json "$@")"
}

# update_deployment NAME FILTER [USER]: GET, change by jq, PUT, as the operator or USER.
update_deployment() {
    local changed
    changed=$(api admin GET "$(deployment_path "$1")" | jq -c "$2")
    api "${3-toolhive-operator}" PUT "$(deployment_path "$1")" "$changed"
}

# put_scale NAME REPLICAS [USER]: GET and PUT, as an HPA does. Prints the resulting count.
put_scale() {
    local user=${3-horizontal-pod-autoscaler} path scale
    path=$(deployment_path "$1")/scale
    scale=$(api "$user" GET "$path" | jq -c ".spec.replicas = $2")
    api "$user" PUT "$path" "$scale" | jq '.spec.replicas // 0'
}

# put_status NAME FILTER: GET, change .status by jq, PUT of the whole status, as the operator.
put_status() {
    local changed
    changed=$(api toolhive-operator GET "$(server_path "$1")" | jq -c ".status |= (. // {} | $2)")
    api toolhive-operator PUT "$(server_path "$1")/status" "$changed" >/dev/null
}

# merge_status NAME PATCH: as the operator, without a resourceVersion.
merge_status() {
    api toolhive-operator PATCH "$(server_path "$1")/status" "{\"status\": $2}" >/dev/null
}

condition() {
    server_field "$1" "(.status.conditions // [])[] | select(.type == \"$2\") | .${3-status}"
}

# The conditions that follow from a spec by the operator's table: a filter of jq, from an MCPServer to both
# conditions, each as type, status, reason, message and observedGeneration.
conditions_by_table='(.spec.replicas // 0) as $replicas | .metadata.generation as $generation |
    (if $replicas > 1 and .spec.transport == "stdio" then ["True", "StdioTransportCapAt1",
        "stdio transport requires exactly 1 replica; deployment will use 1 regardless of spec.replicas"]
    else ["False", "StdioReplicaCapNotActive", "stdio replica cap is not active"] end) as $cap |
    (if $replicas <= 1 then ["False", "SessionStorageWarningNotApplicable",
        "session storage warning is not active"]
    elif .spec.sessionStorage.provider == "redis" then ["False", "SessionStorageConfigured",
        "Redis session storage is configured"]
    else ["True", "SessionStorageMissingForReplicas",
        "replicas > 1 but sessionStorage.provider is not redis; sessions are not shared across replicas"]
    end) as $storage |
    [["SessionStorageWarning"] + $storage + [$generation],
        ["StdioReplicaCapped"] + $cap + [$generation]]'

conditions_as_they_are='[.status.conditions // [] | .[] |
    select(.type == "StdioReplicaCapped" or .type == "SessionStorageWarning") |
    [.type, .status, .reason, .message, .observedGeneration]] | sort'

# conditions_are_right NAME: whether both are there, byte for byte as in the table.
conditions_are_right() {
    local conditions
    conditions=$(server "$1" | jq -c "[($conditions_by_table), ($conditions_as_they_are)]")
    echo "$conditions"
    [[ $(jq '.[0] == .[1]' <<<"$conditions") == true ]]
}

# count_writes [FILTER]: the number of capstan's writes in $NAMESPACE, by the audit log.
count_writes() {
    audit "select(.writer | startswith(\"capstan\")) |
        select(.objectRef.namespace == \"$NAMESPACE\") | select(${1-true})" | wc -l
}

# status_writes NAME: the number of capstan's writes of its status, failed ones too.
status_writes() {
    count_writes ".what == \"mcpservers/status\" and .objectRef.name == \"$1\""
}

# events_about NAME: the reasons of the Events about an MCPServer, one a line.
events_about() {
    k get events.events.k8s.io --namespace "$NAMESPACE" -o json | jq -r --arg name "$1" '
        .items[] | select(.regarding.kind == "MCPServer" and .regarding.name == $name) | .reason'
}

has_event() {
    events_about "$1" | grep -xF "$2"
}

# warnings COMMAND...: runs kubectl in some way, and prints the warnings that it shows, one a line. Fails if
# it fails.
warnings() {
    local output
    if ! output=$("$@" 2>&1); then
        echo "$output" >&2
        return 1
    fi
    sed -n 's/^Warning: //p' <<<"$output"
}

# created KIND NAME [SPEC]: creates it with kubectl, and prints the warnings.
created() {
    member_json "$@" >"$CLUSTER/created.json"
    warnings k -n "$NAMESPACE" create -f "$CLUSTER/created.json"
}

# n_lines TEXT: 0 of no text at all.
n_lines() {
    grep -c . <<<"$1" || true
}

# delete_namespace: and waits until it is gone, with everything in it.
delete_namespace() {
    k delete namespace "$NAMESPACE" --wait=false >/dev/null
    wait_for 300 namespace_is_gone
}

namespace_is_gone() {
    ! k get namespace "$NAMESPACE" -o json 2>/dev/null | jq -c .status
}
