# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# CRDs of an operator to come: they serve v1beta2 alone, and have fields that Capstan has never heard of.
# Upstream's are edited for it, and Kubernetes 1.20 does not take them.

needs='etcd'
older='1.30'

# newer_crd KIND: upstream's, with its last version under another name, and open for more fields.
newer_crd() {
    yq -c '.spec.versions |= [.[] | select(.name == "v1beta1") | .name = "v1beta2" |
        .schema.openAPIV3Schema.properties |= (
            .spec["x-kubernetes-preserve-unknown-fields"] = true |
            .status["x-kubernetes-preserve-unknown-fields"] = true)]' "$(upstream_crd "$1")"
}

setup() {
    local kind
    for kind in "${family[@]}"; do
        newer_crd "$kind" >"$CLUSTER/$kind.json"
        apply_crd "$kind" "$CLUSTER/$kind.json"
    done
    write_policy rewrite 'stdioCap: {rewriteSpec: true}'
    start_capstan capstan --config "$CLUSTER/rewrite.yaml"
    register capstan
}

VERSION=v1beta2

# The API server sorts the members, and writes no space: this is how it stores them.
future='"future":{"big":9007199254740993,"deep":[{"a":null},[],{},[1,2.5,"\u003c"]],"text":"ü \" \\ /"}'

# with_future MEMBER: adds it to `spec` or `status` of the object on stdin, which has that member. Neither jq
# nor a merge patch would keep it as it is.
with_future() {
    sed "s/\"$1\":{/&$(sed 's/[\\&/]/\\&/g' <<<"$future"),/" >"$CLUSTER/future.json"
}

# as_stored NAME: the MCPServer, without white space.
as_stored() {
    api admin GET "$(server_path "$1")?pretty=false"
}

# create_future NAME SPEC: with the unknown field in spec and, once there are conditions, in status.
create_future() {
    server_json "$1" "$2" | with_future spec
    api admin POST "$(server_path)" "@$CLUSTER/future.json" >/dev/null
    wait_for 10 conditions_are_right "$1"
    as_stored "$1" | with_future status
    api admin PUT "$(server_path "$1")/status" "@$CLUSTER/future.json" >/dev/null
    keeps "$1"
}

# keeps NAME: whether spec and status have the unknown field, byte for byte.
keeps() {
    local text member
    text=$(as_stored "$1")
    for member in spec status; do
        [[ $text == *"\"$member\":{"*"$future"* ]] || fail "$member of $1 has lost what it had: $text"
    done
}

test_a_condition_write_and_a_patch_keep_what_they_do_not_know() {
    create_future one '{"replicas": 3}'
    expect 'replicas, rewritten' "$(server_field one .spec.replicas)" 1
    change_server one '{"replicas": 2}'
    expect 'replicas, rewritten again' "$(server_field one .spec.replicas)" 1
    change_server one '{"transport": "sse", "replicas": 2}'
    wait_for 10 conditions_are_right one
    keeps one
    expect 'status writes' "$(status_writes one)" 2
}

test_a_heal_keeps_what_it_does_not_know() {
    create_future one '{}'
    create_deployment one 1 >/dev/null
    k label namespace "$NAMESPACE" capstan.dev/ignore=yes >/dev/null
    wait_for 10 is_scaled_past one
    wait_for 10 has_event one StdioTransportCapAt1
    wait_for 10 prints 1 replicas_of one
    keeps one
}

# The API server learns of the label a moment later.
is_scaled_past() {
    (($(put_scale "$1" 3) == 3))
}

test_each_kind_is_decided_about() {
    local kind spec
    for kind in "${family[@]}"; do
        spec='{"replicas": 2}'
        [[ $kind != mcpservers ]] || spec='{"replicas": 2, "transport": "sse"}'
        expect_match "a new one of $kind" "$(created "$kind" "$kind" "$spec")" '^session-storage: '
        expect "replicas of $kind" "$(api toolhive-operator POST "$(deployment_path)" \
            "$(deployment_of "$kind" "$kind" 5)" | jq .spec.replicas)" 2
    done
}

test_the_cap_holds() {
    create_server one '{}'
    expect replicas "$(create_deployment one 3 | jq .spec.replicas)" 1
    expect 'the scale' "$(put_scale one 4)" 1
}
