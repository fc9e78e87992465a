# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The installation as the cluster's own controllers see it: where its pods run, how its Deployment gets
# another selector, and what the end of the namespace takes along. The tests build on one another.

needs='kube-controller-manager kube-scheduler kwok'
# OpenShift has this plugin on: only somebody who may delete an object may change its owners.
apiserver_options=("${no_watch_lists[@]}" --enable-aggregator-routing
    --enable-admission-plugins OwnerReferencesPermissionEnforcement)

# The namespace and the rights come with the manifests.
prepare_cluster() {
    return 0
}

# The pods of kwok answer nobody. So the tests write the endpoints, and no controller does.
setup() {
    install_crd upstream
    start_controllers \
        --controllers='*,-endpoints-controller,-endpointslice-controller,-endpointslice-mirroring-controller'
    start_node
    make_node linux
    make_node windows
    wait_for 60 k wait --for condition=Ready --timeout 1s nodes --all
    start_scheduler
}

# make_node SYSTEM. The node of start_node says no system.
make_node() {
    k apply -f - >/dev/null <<END
apiVersion: v1
kind: Node
metadata: {name: $1, labels: {kubernetes.io/hostname: $1, kubernetes.io/os: $1}}
END
}

# pods [SELECTOR]: name, node and readiness.
pods() {
    k -n capstan-system get pods -l "${1-app.kubernetes.io/name=capstan}" -o json | jq -r '.items[] |
        select(.metadata.deletionTimestamp | not) | "\(.metadata.name) \(.spec.nodeName) " +
        (.status.conditions // [] | map(select(.type == "Ready"))[0].status // "none")'
}

new_pods='app.kubernetes.io/name=capstan,app.kubernetes.io/instance=capstan,app.kubernetes.io/component=webhook'

# are_ready N [SELECTOR]
are_ready() {
    pods "${@:2}"
    [[ $(pods "${@:2}" | grep -c ' True$') == "$1" && $(pods "${@:2}" | wc -l) == "$1" ]]
}

# As before the Deployment had more labels.
former() {
    rendered default | yq -c 'select(.kind == "Deployment") |
        walk(if type == "object" then del(.["app.kubernetes.io/instance"],
            .["app.kubernetes.io/component"], .["app.kubernetes.io/version"]) else . end)'
}

# The Deployment's selector cannot be changed.
test_1_another_selector_without_a_gap() {
    local before selector
    rendered default | yq -c 'select(.kind != "Deployment")' | k apply -f - >/dev/null
    former | k apply -f - >/dev/null
    wait_for 60 are_ready 2
    before=$(pods | sort)
    expect_match 'kubectl apply, at first' "$(refuses k apply -k manifests/overlays/default 2>&1)" \
        'field is immutable'
    # As manifests/README.md says.
    k -n capstan-system delete deployment capstan --cascade=orphan >/dev/null
    k apply -k manifests/overlays/default >/dev/null
    k -n capstan-system rollout status --timeout 60s deployment/capstan >/dev/null
    expect 'the former pods' "$(pods '!app.kubernetes.io/component' | sort)" "$before"
    selector=$(k -n capstan-system get service capstan -o json | jq -r '.spec.selector |
        to_entries | map("\(.key)=\(.value)") | join(",")')
    wait_for 10 are_ready 4 "$selector"
    k -n capstan-system delete replicaset \
        -l 'app.kubernetes.io/name=capstan,!app.kubernetes.io/component' >/dev/null
    wait_for 60 are_ready 2
    expect 'those that are left' "$(pods | sort)" "$(pods "$new_pods" | sort)"
    before=$(pods | sort)
    k apply -k manifests/overlays/default >/dev/null
    sleep 1
    expect 'the pods, when it is applied again' "$(pods | sort)" "$before"
}

# Two nodes would be better, but the others run no Linux.
test_2_its_pods_run_on_linux_alone() {
    expect 'the nodes' "$(pods | cut -d ' ' -f 2 | paste -sd ' ')" 'linux linux'
}

# is_owned: whether the Namespace of today owns the configuration.
is_owned() {
    local uid
    uid=$(k get namespace capstan-system -o jsonpath='{.metadata.uid}')
    registration | jq -e --arg uid "$uid" '.metadata.ownerReferences == [{apiVersion: "v1",
        kind: "Namespace", name: "capstan-system", $uid, blockOwnerDeletion: false}]'
}

test_3_the_namespace_owns_the_webhook_configuration() {
    local before
    write_endpoints
    run_installed
    wait_for 30 is_ready installed
    wait_for 10 is_owned
    wait_for 5 has_logged installed registration.owned '.name == "zz-capstan"'
    wait_for 10 bundles_are_current
    # It writes it once; others leave it alone.
    before=$(registration | jq -c '.metadata | [.resourceVersion, .generation]')
    k apply -k manifests/overlays/default >/dev/null
    is_owned >/dev/null
    sleep 5
    expect 'the configuration' "$(registration | jq -c '.metadata | [.resourceVersion, .generation]')" "$before"
    refuses has_logged installed registration.unowned .
}

writes_go_through() {
    api admin POST "$(server_path)?dryRun=All" "$(server_json anything '{"replicas": 3}')"
}

configuration_is_gone() {
    refuses api admin GET "$webhooks_path/zz-capstan"
}

test_4_the_end_of_the_namespace_locks_nobody_out() {
    api admin PATCH "$webhooks_path/zz-capstan" "$(registration | jq -c '[.webhooks | keys[] |
        {op: "replace", path: "/webhooks/\(.)/failurePolicy", value: "Fail"}]')" json >/dev/null
    wait_for 10 writes_go_through
    end installed
    # This is what would last.
    wait_for 10 refuses writes_go_through
    expect_match 'a write while nobody answers' "$(refuses writes_go_through)" 'failed calling webhook'
    k delete namespace capstan-system --wait=false >/dev/null
    wait_for 90 configuration_is_gone
    wait_for 10 writes_go_through
}

test_5_without_the_right_the_log_says_so() {
    install default
    k get clusterrole capstan-leader -o json | jq '(.rules[] | select(.verbs == ["get", "patch", "delete"])).verbs =
        ["get", "patch"]' | k replace -f - >/dev/null
    run_installed
    wait_for 30 is_ready installed
    wait_for 20 has_logged installed registration.unowned '.problem | test("cannot set an ownerRef|forbidden")'
    expect 'lines about it' "$(log_of installed registration.unowned | wc -l)" 1
    refuses is_owned >/dev/null
}
