# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# An upgrade from the version whose webhook configuration was named `capstan`: one is left, not two, and
# no write goes past Capstan meanwhile. The former version is this program with the former name.

setup() {
    install_crd upstream
    allow_certificates
    k create -f - >/dev/null <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: former}
rules:
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  resourceNames: [capstan]
  verbs: [list, watch, patch]
END
    k create clusterrolebinding former --clusterrole former --user capstan-1 >/dev/null
    k -n capstan-system create secret generic capstan-certs >/dev/null
    k -n capstan-system create service externalname capstan --external-name localhost --tcp 443 >/dev/null
}

# apply_former NAME [FILTER]: the former configuration, which leads to the program NAME.
apply_former() {
    local filter=${2-.}
    api admin POST "$webhooks_path" "$(service_webhook_json "$(webhook_port "$1")" Ignore |
        jq -c ".metadata.name = \"capstan\" | $filter")" >/dev/null
}

former_is_gone() {
    refuses api admin GET "$webhooks_path/capstan"
}

# stays SECONDS WHAT: the former configuration.
stays() {
    sleep "$1"
    api admin GET "$webhooks_path/capstan" >/dev/null || fail "deleted although $2"
}

holder() {
    api admin GET /apis/coordination.k8s.io/v1/namespaces/capstan-system/leases/capstan |
        jq -r .spec.holderIdentity
}

is_capped() {
    api admin PATCH "$(deployment_path probe)?dryRun=All" '{"spec": {"replicas": 3}}' |
        jq -e '.spec.replicas == 1'
}

test_1_no_write_goes_past_capstan_in_an_upgrade() {
    local before
    apply_former capstan-1
    launch_self_certified capstan-1 --leader-elect --webhook-config-name capstan
    wait_for 20 is_ready capstan-1
    create_server probe
    create_deployment probe 1 >/dev/null
    wait_for 10 is_capped
    start_load 2 capped
    # kubectl apply of the new manifests, and a first new replica. The former leader writes nothing for it.
    api admin POST "$webhooks_path" "$(service_webhook_json "$(webhook_port capstan-2)" Ignore)" >/dev/null
    before=$(holder)
    launch_self_certified capstan-2 --leader-elect --ca-trust-delay 2s
    # A rollout goes on only when it is ready, and the former leader ends only then.
    wait_for 40 is_ready capstan-2
    expect 'the leader' "$(holder)" "$before"
    expect 'the caBundle of the present one' "$(bundle_cas)" ''
    stays 4 'the present one trusts nobody'
    # The endpoints of the Service change, and the former replica ends.
    api admin PATCH "$webhooks_path/capstan" "$(api admin GET "$webhooks_path/capstan" | jq -c \
        --argjson port "$(webhook_port capstan-2)" '[.webhooks | keys[] |
        {op: "add", path: "/webhooks/\(.)/clientConfig/service/port", value: $port}]')" json >/dev/null
    sleep 2
    stop_capstan capstan-1
    wait_for 30 former_is_gone
    sleep 2
    stop_load
    wait_for 5 has_logged capstan-2 registration.retired '.name == "capstan" and .successor == "zz-capstan"'
    expect 'deletions, and by whom' "$(audit 'select(.what == "mutatingwebhookconfigurations" and
        .verb == "delete") | "\(.writer) \(.objectRef.name) \(.code)"')" '"capstan-2 capstan 200"'
    is_capped
    stop_capstan capstan-2
}

test_2_what_is_not_ours_alone_stays() {
    local filter
    for filter in '.webhooks[1].clientConfig.service.name = "other"' \
        '.webhooks[1].clientConfig.service.namespace = "other"' \
        '.webhooks[1].clientConfig = {url: "https://127.0.0.1:1/mutate"}'; do
        apply_former capstan-2 "$filter"
        launch_self_certified capstan-2 --ca-trust-delay 0s
        wait_for 10 has_logged capstan-2 registration.leftover '.problem | test("this Service alone")'
        stays 2 "$filter"
        stop_capstan capstan-2
        mv "$CLUSTER/capstan-2.log" "$CLUSTER/capstan-2.before.log"
        api admin DELETE "$webhooks_path/capstan" >/dev/null
    done
    # Of another installation, which had the former name. That is no matter for the log.
    apply_former capstan-2 '.webhooks[].clientConfig.service.namespace = "other"'
    launch_self_certified capstan-2 --ca-trust-delay 0s
    stays 4 'it is of another installation'
    refuses has_logged capstan-2 registration.leftover
    stop_capstan capstan-2
    api admin DELETE "$webhooks_path/capstan" >/dev/null
}

test_3_it_stays_until_the_present_one_is_as_good() {
    apply_former capstan-2 '.webhooks[1].failurePolicy = "Fail" | .webhooks[0].name = "a.capstan.dev"'
    launch_self_certified capstan-2 --ca-trust-delay 1s
    wait_for 20 is_ready capstan-2
    stays 5 'an entry is missing'
    api admin PATCH "$webhooks_path/capstan" \
        '[{"op": "replace", "path": "/webhooks/0/name", "value": "mcpservers.capstan.dev"}]' json >/dev/null
    stays 5 'it is stricter'
    api admin PATCH "$webhooks_path/zz-capstan" \
        '[{"op": "replace", "path": "/webhooks/1/failurePolicy", "value": "Fail"}]' json >/dev/null
    wait_for 40 former_is_gone
    stop_capstan capstan-2
}

# As with cert-manager.
test_4_with_a_certificate_of_others_too() {
    "$CAPSTAN" certs --out "$CLUSTER/others" --dns capstan.capstan-system.svc >/dev/null
    apply_former capstan-2
    # The CA of Capstan's own certificates: not the one that signed this.
    set_bundles "$(secret | jq -r '.data["ca.crt"]')"
    launch_self_certified capstan-2 --ca-trust-delay 1s --webhook-cert-path "$CLUSTER/others"
    wait_for 20 is_ready capstan-2
    stays 4 'the present one trusts another CA'
    set_bundles "$(base64 -w 0 "$CLUSTER/others/ca.crt")"
    wait_for 40 former_is_gone
    stop_capstan capstan-2
}

# deletions: the number of requests to delete the former configuration so far.
deletions() {
    audit 'select(.what == "mutatingwebhookconfigurations" and .verb == "delete" and
        (.writer | startswith("capstan")))' | wc -l
}

test_5_a_finalizer_that_holds_it_is_no_reason_to_hurry() {
    local before
    api admin DELETE "$webhooks_path/capstan" >/dev/null 2>&1 || true
    before=$(deletions)
    apply_former capstan-2 '.metadata.finalizers = ["example.com/mine"]'
    launch_self_certified capstan-2 --ca-trust-delay 0s --webhook-cert-path "$CLUSTER/others"
    wait_for 20 has_logged capstan-2 registration.leftover '.problem | test("still there")'
    stays 5 'it has a finalizer'
    expect_at_most 'deletions' "$(($(deletions) - before))" 4
    api admin PATCH "$webhooks_path/capstan" '{"metadata": {"finalizers": null}}' >/dev/null
    former_is_gone >/dev/null
    wait_for 30 has_logged capstan-2 registration.retired .
    stop_capstan capstan-2
}

test_6_without_the_right_it_stays_and_the_log_says_so() {
    apply_former capstan-2
    k get clusterrole capstan -o json | jq '.rules |= map(select(.verbs != ["get", "delete"]))' |
        k replace -f - >/dev/null
    launch_self_certified capstan-2 --ca-trust-delay 0s --webhook-cert-path "$CLUSTER/others"
    wait_for 10 has_logged capstan-2 registration.leftover '.problem | test("forbidden")'
    stays 3 'it may not'
    expect 'lines about it' "$(log_of capstan-2 registration.leftover | jq -c 'select(.problem |
        test("forbidden"))' | wc -l)" 1
    stop_capstan capstan-2
}

# As a tool that prunes does it.
test_7_also_if_somebody_deletes_it_first() {
    api admin DELETE "$webhooks_path/zz-capstan" >/dev/null
    launch_self_certified capstan-1 --leader-elect --webhook-config-name capstan
    wait_for 30 has_logged capstan-1 leader.elected
    api admin DELETE "$webhooks_path/capstan" >/dev/null
    api admin POST "$webhooks_path" "$(service_webhook_json "$(webhook_port capstan-2)" Ignore)" >/dev/null
    launch_self_certified capstan-2 --leader-elect
    sleep 10
    expect 'readiness at first' "$(ready_code capstan-2)" 503
    wait_for 30 is_ready capstan-2
    stop_capstan capstan-1
    wait_for 20 bundles_are_current
    create_server probe
    create_deployment probe 1 >/dev/null
    wait_for 10 is_capped
    stop_capstan capstan-2
}
