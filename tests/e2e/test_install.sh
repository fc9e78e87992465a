# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# From nothing to a webhook that works, with the manifests as they are: kubectl applies them. The program
# runs with the arguments of their Deployment and the token of their ServiceAccount, in place of pods:
# this cluster has no nodes. And `capstan doctor`, about that installation. The tests build on one
# another.

older='1.30'

# The namespace and the rights come with the manifests.
prepare_cluster() {
    return 0
}

setup() {
    limit_critical_pods
    install_crd upstream
}

# As on GKE, pods of a critical class need a ResourceQuota that names it. And the API server calls the
# endpoints of a webhook's Service directly: there is no kube-proxy, so the Service's own address leads
# nowhere.
limit_critical_pods() {
    cat >"$CLUSTER/admission.yaml" <<'END'
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: ResourceQuota
  configuration:
    apiVersion: apiserver.config.k8s.io/v1
    kind: ResourceQuotaConfiguration
    limitedResources:
    - resource: pods
      matchScopes:
      - {scopeName: PriorityClass, operator: In, values: [system-node-critical, system-cluster-critical]}
END
    end apiserver
    apiserver_options=(--admission-control-config-file "$CLUSTER/admission.yaml")
    ! takes_the_manifests || apiserver_options+=(--enable-aggregator-routing)
    start_apiserver
}

writes_go_through() {
    api admin POST "$(server_path)?dryRun=All" "$(server_json anything '{"replicas": 3}')" >/dev/null
}

test_1_one_apply_and_it_serves_with_its_own_certificate() {
    writes_go_through
    install default
    writes_go_through
    run_installed
    wait_for 30 is_ready installed
    wait_for 10 bundles_are_current
    wait_for 5 is_warned
    writes_go_through
}

# The API server learns of a new caBundle a moment after it is written.
is_warned() {
    local output
    output=$(server_json asked '{"replicas": 3}' | k -n "$NAMESPACE" apply --dry-run=server -f - 2>&1)
    echo "$output"
    [[ $output == *'Warning: stdio-cap: '* ]]
}

# examine NAME: the exit status of doctor as this user, and its verdict. The report goes to a file.
examine() {
    local status=0
    "$CAPSTAN" doctor --kubeconfig "$CLUSTER/$1.kubeconfig" -o json >"$CLUSTER/$1.report" || status=$?
    echo "$status $(jq .healthy "$CLUSTER/$1.report")"
}

# levels NAME LEVEL: the checks of the last report that have this level.
levels() {
    jq -r --arg level "$2" '[.checks[] | select(.level == $level) | .name] | join(" ")' \
        "$CLUSTER/$1.report"
}

# A viewer has the rights of the ClusterRole `view`. Without controllers nobody aggregates that one.
prepare_askers() {
    k create clusterrolebinding a-viewer --clusterrole system:aggregate-to-view \
        --user capstan-viewer >/dev/null
    sed 's/token: [^}]*//' "$CLUSTER/admin.kubeconfig" >"$CLUSTER/anonymous.kubeconfig"
}

# EndpointSlices are served since 1.21, and SelfSubjectReviews since 1.28.
test_2_the_doctor_finds_nothing_wrong() {
    local output healthy='0 true' level=ok
    if ! takes_the_manifests; then
        healthy='2 null' level=unknown
    fi
    # The Deployment controller would have written this.
    api admin PATCH /apis/apps/v1/namespaces/capstan-system/deployments/capstan/status \
        '{"status": {"replicas": 2, "readyReplicas": 2}}' >/dev/null
    expect 'the exit status and the verdict' "$(examine admin)" "$healthy"
    expect 'problems' "$(levels admin problem)" ''
    expect 'kind and checks' "$(jq -c '[.kind, (.checks | length)]' "$CLUSTER/admin.report")" \
        '["DoctorReport",18]'
    output=$("$CAPSTAN" doctor --kubeconfig "$CLUSTER/admin.kubeconfig") || true
    expect_match 'the report' "$output" ', 0 problems$'
    # As the ServiceAccount, from within, doctor says what it may not look at.
    output=$(in_pod "$(realpath "$CAPSTAN")" doctor -o json) || true
    expect 'the verdict from within' "$(jq .healthy <<<"$output")" null
    expect 'its rights' "$(jq -r '.checks[] | select(.name == "rbac") | .level' <<<"$output")" "$level"
    expect 'problems from within' "$(jq -c '[.checks[] | select(.level == "problem")]' <<<"$output")" '[]'
    ! takes_the_manifests || expect 'what it knows from within' "$(jq -r '[.checks[] |
        select(.level == ("ok", "note")) | .name] | join(" ")' <<<"$output")" \
        'api-server crd webhook-configuration owner rbac leader operator'
}

# A healthy installation is not well, and not ill, to somebody who may not look at it.
test_2b_the_doctor_says_what_an_asker_cannot_know() {
    prepare_askers
    expect 'to a viewer' "$(examine capstan-viewer)" '2 null'
    expect 'what a viewer cannot know' "$(levels capstan-viewer unknown)" \
        'crd webhook-configuration leftover last-word scope ca-bundle certificate owner rbac leader'
    expect 'what is wrong to a viewer' "$(levels capstan-viewer problem)" ''
    expect 'to nobody' "$(examine anonymous)" '2 null'
    expect 'what nobody knows' "$(levels anonymous ok)" api-server
    expect 'what is wrong to nobody' "$(levels anonymous problem)" ''
}

# The role in docs/doctor.md is enough, and no right in it is superfluous.
test_2c_the_doctor_needs_the_role_of_its_page_and_no_more() {
    local rules i healthy='0 true'
    takes_the_manifests || healthy='2 null'
    awk '/^```yaml/ { inside = 1; next } /^```/ { inside = 0 } inside' docs/doctor.md >"$CLUSTER/role.yaml"
    k apply -f "$CLUSTER/role.yaml" >/dev/null
    k create clusterrolebinding capstan-doctor --clusterrole capstan-doctor --user capstan-doctor >/dev/null
    k -n capstan-system create rolebinding capstan-doctor --role capstan-doctor --user capstan-doctor >/dev/null
    wait_for 10 prints "$healthy" examine capstan-doctor
    for rules in clusterrole role; do
        for ((i = 0; i < $(k -n capstan-system get "$rules" capstan-doctor -o json | jq '.rules | length'); i++)); do
            k -n capstan-system patch "$rules" capstan-doctor --type json \
                -p "[{\"op\": \"remove\", \"path\": \"/rules/$i\"}]" >/dev/null
            wait_for 10 prints '2 null' examine capstan-doctor
            k apply -f "$CLUSTER/role.yaml" >/dev/null
            wait_for 10 prints "$healthy" examine capstan-doctor
        done
    done
    k delete clusterrolebinding/capstan-doctor >/dev/null
    k delete -f "$CLUSTER/role.yaml" >/dev/null
}

# admits_a_pod NAMESPACE [FILTER]: a pod as the Deployment makes it, without the ServiceAccount's token.
admits_a_pod() {
    k -n capstan-system get deployment capstan -o json | jq '.spec.template |
        {apiVersion: "v1", kind: "Pod", metadata: (.metadata + {name: "quota"}),
        spec: (.spec | del(.serviceAccountName, .serviceAccount) +
            {automountServiceAccountToken: false})} | '"${2-.}" |
        api admin POST "/api/v1/namespaces/$1/pods?dryRun=All" @-
}

# The Namespace enforces `restricted`, which the pods of the Deployment are.
no_lax_pod_is_admitted() {
    local filter
    for filter in '.spec.securityContext.runAsNonRoot = false' 'del(.spec.securityContext.seccompProfile)' \
        'del(.spec.containers[0].securityContext.capabilities)' '.spec.hostNetwork = true'; do
        expect_match "a pod with $filter" "$(refuses admits_a_pod capstan-system "$filter")" \
            'violates PodSecurity \\"restricted:latest'
    done
    expect 'warnings about the Deployment' "$(k -n capstan-system get deployment capstan -o json |
        jq '.metadata = {name: "again"}' | k -n capstan-system create --dry-run=server -f - 2>&1)" \
        'deployment.apps/again created (server dry run)'
}

test_3_its_pods_are_admitted_where_critical_ones_need_a_quota() {
    local namespace
    for namespace in "$NAMESPACE" capstan-system; do
        k -n "$namespace" create serviceaccount default >/dev/null
    done
    expect_match 'a pod elsewhere' "$(refuses admits_a_pod "$NAMESPACE")" 'insufficient quota'
    # The quota controller would have counted this.
    api admin PATCH \
        /api/v1/namespaces/capstan-system/resourcequotas/capstan-critical-pods/status "$(k \
        -n capstan-system get resourcequota capstan-critical-pods -o json |
        jq -c '{status: {hard: .spec.hard, used: {pods: "0"}}}')" >/dev/null
    wait_for 10 admits_a_pod capstan-system
    ! takes_the_manifests || no_lax_pod_is_admitted
}

test_4_applying_it_again_changes_nothing() {
    local before
    before=$(secret | jq -c .data)$(bundle_cas)
    if takes_the_manifests; then
        # The same objects in one file.
        expect_match 'kubectl apply' "$(k apply -f manifests/install.yaml)" 'capstan unchanged'
    else
        install default
    fi
    wait_for 5 bundles_are_current
    expect 'Secret and caBundle' "$(secret | jq -c .data)$(bundle_cas)" "$before"
    writes_go_through
}

test_5_each_overlay_is_accepted() {
    local overlay
    k create namespace toolhive-system >/dev/null # the overlay namespaced wants it there
    for overlay in default audit fail-closed cert-manager namespaced; do
        rendered "$overlay" | awk 'BEGIN { RS = "---\n"; ORS = "---\n" } /kind: / && !/cert-manager.io\/v1\n/' |
            k apply --dry-run=server -f - >/dev/null
    done
}

# policies [NAME]: the failure policies of all webhooks except that about autoscalers, or of this one.
policies() {
    registration | jq -r --arg name "${1-}" '[.webhooks[] | select(.name == $name or $name == "" and
        .name != "autoscalers.capstan.dev") | .failurePolicy] | unique | join(" ")'
}

test_6_fail_closed_says_fail_once_it_is_ready() {
    install fail-closed
    end installed
    run_installed
    expect 'failurePolicy, at first' "$(policies)" Ignore
    wait_for 30 is_ready installed
    wait_for 60 prints Fail policies
    # Somebody applies the manifests again; they say Ignore.
    api admin PATCH "$webhooks_path/zz-capstan" \
        '[{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]' json >/dev/null
    wait_for 10 prints Fail policies
    writes_go_through
    expect 'failurePolicy about autoscalers' "$(policies autoscalers.capstan.dev)" Ignore
}

# Nobody scales a cluster by hand because Capstan is away.
test_6b_an_autoscaler_can_be_made_while_nobody_answers() {
    end installed
    refuses writes_go_through >/dev/null
    make_autoscaler any >/dev/null
    run_installed
    wait_for 30 is_ready installed
    wait_for 10 writes_go_through
}

# red CHECK [PATTERN]: doctor reports this problem and a remedy.
red() {
    local output
    output=$(refuses "$CAPSTAN" doctor --kubeconfig "$CLUSTER/admin.kubeconfig" -o json)
    jq -e --arg check "$1" --arg pattern "${2-.}" '.healthy == false and
        any(.checks[]; .name == $check and .level == "problem" and (.remedy | length) > 10 and
            (.message | test($pattern)))' <<<"$output" >/dev/null ||
        fail "nothing about $1 (${2-}) in: $output"
}

patch_registration() {
    api admin PATCH "$webhooks_path/zz-capstan" "[$1]" json >/dev/null
}

restore_registration() {
    api admin PUT "$webhooks_path/zz-capstan" "$(registration | jq -c --slurpfile saved \
        "$CLUSTER/registration.json" '.webhooks = $saved[0].webhooks')" >/dev/null
}

# says CHECK MEMBER: the member `level`, `message` or `remedy` of this check.
says() {
    { "$CAPSTAN" doctor --kubeconfig "$CLUSTER/admin.kubeconfig" -o json || true; } |
        jq -r --arg check "$1" --arg member "$2" '.checks[] | select(.name == $check) | .[$member]'
}

# configure NAME FILTER: adds a copy of the webhook configuration, changed by jq.
configure() {
    registration | jq -c --arg name "$1" "(.metadata = {\$name}) | $2" >"$CLUSTER/copy.json"
    api admin POST "$webhooks_path" "@$CLUSTER/copy.json" >/dev/null
}

# neighbour NAME POLICY: a webhook of somebody else that sees all Deployments. Nobody answers there.
neighbour() {
    configure "$1" '.webhooks = [.webhooks[1] | del(.matchConditions) | .name = "x.example.com" |
        .clientConfig = {url: "https://127.0.0.1:1/"} | .rules[0].resources = ["*/*"] |
        .failurePolicy = "Ignore" | .reinvocationPolicy = "'"$2"'"]'
}

certificate_that_is_over() {
    faketime -f -100d openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
        -subj /CN=x -addext subjectAltName=DNS:capstan.capstan-system.svc \
        -keyout "$CLUSTER/over.key" -out "$CLUSTER/over.crt" 2>/dev/null
    base64 -w 0 "$CLUSTER/over.crt"
}

# Capstan does not run meanwhile; it would repair most of this.
test_7_the_doctor_finds_what_is_wrong() {
    local saved
    end installed
    registration >"$CLUSTER/registration.json"
    secret | jq -c 'del(.metadata.resourceVersion)' >"$CLUSTER/secret.json"

    patch_registration '{"op": "replace", "path": "/webhooks/0/clientConfig/service/path", "value": "/x"}'
    red webhook-configuration path
    restore_registration
    patch_registration '{"op": "replace", "path": "/webhooks/1/timeoutSeconds", "value": 30}'
    red webhook-configuration timeoutSeconds
    restore_registration
    patch_registration '{"op": "remove", "path": "/webhooks/2"}'
    red webhook-configuration scale.capstan.dev
    restore_registration
    patch_registration '{"op": "replace", "path": "/webhooks/0/rules/0/resources", "value": ["*"]}'
    red scope 'everything'
    restore_registration
    patch_registration '{"op": "remove", "path": "/webhooks/1/namespaceSelector"}'
    red scope kube-system
    restore_registration
    patch_registration '{"op": "replace", "path": "/webhooks/1/namespaceSelector", "value":
        {"matchLabels": {"capstan.dev/nobody": "has-this"}}}'
    red scope 'never asked'
    restore_registration
    patch_registration '{"op": "add", "path": "/webhooks/1/objectSelector", "value":
        {"matchLabels": {"app.kubernetes.io/name": "mcpserver"}}}'
    red webhook-configuration 'objectSelector of deployments'
    restore_registration
    patch_registration '{"op": "add", "path": "/webhooks/1/matchConditions", "value":
        [{"name": "never", "expression": "false"}]}'
    # API servers before 1.28 drop the field.
    ! registration | jq -e '.webhooks[1].matchConditions' >/dev/null ||
        red webhook-configuration matchConditions
    restore_registration
    set_bundles ''
    red ca-bundle 'no caBundle'
    set_bundles "$(base64 -w 0 "$CLUSTER/certificates/ca.crt")"
    red ca-bundle 'not signed by a CA'
    restore_registration
    api admin PATCH "$secret_path" "{\"data\": {\"tls.crt\": \"$(certificate_that_is_over)\"}}" >/dev/null
    red certificate expired
    api admin DELETE "$secret_path" >/dev/null
    red certificate 'not there'
    api admin POST "$secrets_path" "@$CLUSTER/secret.json" >/dev/null
    api admin DELETE "$webhooks_path/zz-capstan" >/dev/null
    red webhook-configuration 'not there'
    jq -c 'del(.metadata.resourceVersion, .metadata.uid)' "$CLUSTER/registration.json" \
        >"$CLUSTER/new.json"
    api admin POST "$webhooks_path" "@$CLUSTER/new.json" >/dev/null
    api admin PATCH /apis/apps/v1/namespaces/capstan-system/deployments/capstan \
        '{"spec": {"replicas": 1}}' >/dev/null
    red deployment Fail
    api admin PATCH /apis/apps/v1/namespaces/capstan-system/deployments/capstan \
        '{"spec": {"replicas": 2}}' >/dev/null
    saved=$(k get clusterrole capstan-leader -o json)
    k delete clusterrole capstan-leader >/dev/null
    wait_for 10 red rbac mcpservers/status
    jq -c 'del(.metadata.resourceVersion, .metadata.uid)' <<<"$saved" | k apply -f - >/dev/null 2>&1
    saved=$(k -n capstan-system get service capstan -o json)
    k -n capstan-system delete service,endpoints capstan --ignore-not-found >/dev/null 2>&1
    red service 'not there'
    k -n capstan-system create service clusterip capstan --tcp "$(webhook_port installed)" >/dev/null
    if takes_the_manifests; then
        red service 'none of them has the port'
        api admin PATCH "$slices_path/capstan" \
            '{"endpoints": [{"addresses": ["10.9.9.9"], "conditions": {"ready": false}}]}' >/dev/null
        red service 'nobody is behind'
        api admin DELETE "$slices_path/capstan" >/dev/null
        red service 'nobody is behind'
    fi
    patch_registration '{"op": "replace", "path": "/webhooks/0/clientConfig/service/port", "value": 8443}'
    red webhook-configuration 'mcpservers.capstan.dev calls port 8443'
    restore_registration
    k -n capstan-system delete service,endpoints capstan --ignore-not-found >/dev/null 2>&1
    jq -c 'del(.metadata.resourceVersion, .metadata.uid, .spec.clusterIP, .spec.clusterIPs)' <<<"$saved" |
        k apply -f - >/dev/null 2>&1
    ! takes_the_manifests || write_endpoints >/dev/null
    wait_for 10 is_well_but_for_the_leader
}

slices_path=/apis/discovery.k8s.io/v1/namespaces/capstan-system/endpointslices

# Nobody leads while Capstan does not run.
is_well_but_for_the_leader() {
    examine admin >/dev/null
    [[ $(levels admin problem) =~ ^(leader)?$ ]]
}

# change_deployment FILTER: as an editor would.
change_deployment() {
    k -n capstan-system get deployment capstan -o json | jq -c "$1" | k replace -f - >/dev/null
}

operator_json() {
    jq -nc '{apiVersion: "apps/v1", kind: "Deployment", metadata: {name: "toolhive-operator",
        namespace: "capstan-system", labels: {"app.kubernetes.io/name": "toolhive-operator"}},
        spec: {selector: {matchLabels: {a: "b"}}, template: {metadata: {labels: {a: "b"}},
            spec: {serviceAccountName: "other", containers: [{name: "x", image: "x"}]}}}}'
}

test_7a_the_doctor_knows_flags_and_names() {
    local saved
    saved=$(k -n capstan-system get deployment capstan -o json | jq -c '.spec')
    change_deployment '.spec.template.spec.containers[0].args -= ["--leader-elect"]'
    red leader '2 replicas without --leader-elect'
    change_deployment '.spec.template.spec.containers[0].args += ["--leader-elect", "--service-name=other"]'
    red flags '--service-name is other'
    change_deployment '.spec.template.spec.containers[0].args -= ["--service-name=other"] |
        .spec.template.spec.containers[0].image = "capstan:9.9.9"'
    expect_match 'another version' "$(says version level) $(says version message)" '^note the image is capstan:9.9.9'
    change_deployment ".spec = $saved"
    operator_json | k apply -f - >/dev/null
    red operator-users 'runs as system:serviceaccount:capstan-system:other'
    k -n capstan-system delete deployment toolhive-operator >/dev/null
    patch_registration '{"op": "remove", "path": "/metadata/ownerReferences"}'
    expect_match 'without an owner' "$(says owner level) $(says owner message)" '^note the Namespace does not own'
    wait_for 10 is_well_but_for_the_leader
}

test_7b_the_doctor_knows_the_others() {
    local remedy
    expect 'alone' "$(says leftover level) $(says last-word level)" 'ok ok'
    # As an older version left it.
    configure capstan .
    red leftover ': capstan$'
    remedy=$(says leftover remedy)
    expect 'the remedy' "$remedy" 'kubectl delete mutatingwebhookconfiguration capstan'
    # shellcheck disable=SC2086 # words
    k ${remedy#kubectl } >/dev/null
    expect 'afterwards' "$(says leftover level)" ok
    neighbour a-neighbour IfNeeded
    neighbour zzz-untired Never
    expect 'those that lose' "$(says last-word level)" ok
    neighbour zzz-neighbour IfNeeded
    expect 'one that wins' "$(says last-word level)" note
    expect_match 'its name' "$(says last-word message)" ': zzz-neighbour \(x.example.com\)$'
    k delete mutatingwebhookconfiguration a-neighbour zzz-untired zzz-neighbour >/dev/null
}

# A policy that sees all Deployments of a namespace that is not there.
policy_json() {
    jq -nc '{apiVersion: "v1", kind: "List", items: [
        {apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingAdmissionPolicy",
        metadata: {name: "a-policy"}, spec: {failurePolicy: "Ignore", reinvocationPolicy: "IfNeeded",
            matchConstraints: {namespaceSelector: {matchLabels: {"capstan.dev/nobody": "has-this"}},
                resourceRules: [{apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"],
                    resources: ["deployments"]}]},
            mutations: [{patchType: "ApplyConfiguration", applyConfiguration: {expression:
                "Object{spec: Object.spec{replicas: 3}}"}}]}},
        {apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingAdmissionPolicyBinding",
        metadata: {name: "a-binding"}, spec: {policyName: "a-policy"}}]}'
}

test_7c_the_doctor_knows_policies() {
    if [[ $(k api-resources -o name) != *mutatingadmissionpolicies.* ]]; then
        expect 'where there are no policies' "$(says last-word level)" ok
        return
    fi
    policy_json | k apply -f - >/dev/null
    expect_match 'a policy that loses' "$(says last-word level) $(says last-word message)" '^ok .* 1 of them'
    patch_registration '{"op": "replace", "path": "/webhooks/1/reinvocationPolicy", "value": "Never"}'
    red webhook-configuration 'reinvocationPolicy of deployments'
    expect_match 'a policy that wins' "$(says last-word level) $(says last-word message)" \
        '^note .*: MutatingAdmissionPolicy a-policy$'
    restore_registration
    policy_json | k delete -f - >/dev/null
}

test_8_the_doctor_says_when_it_cannot_look() {
    local status=0 output
    "$CAPSTAN" doctor --kubeconfig "$CLUSTER/none" >/dev/null 2>&1 || status=$?
    expect 'the exit status without a kubeconfig' "$status" 2
    status=0
    "$CAPSTAN" doctor --kubeconfig "$CLUSTER/admin.kubeconfig" -o xml >/dev/null 2>&1 || status=$?
    expect 'the exit status of a wrong call' "$status" 2
    # For a user without rights doctor says no false ok, and accuses nobody.
    expect 'to a user without rights' "$(examine capstan-limited)" '2 null'
    expect 'what it may not look at and calls ok' "$(levels capstan-limited ok)" 'api-server'
    output=$(jq -r '.checks[] | select(.name == "service") | .message + " -> " + .remedy' \
        "$CLUSTER/capstan-limited.report")
    expect_match 'the right that is missing' "$output" 'the right to get services .* -> .*docs/doctor.md'
    status=0
    sed 's#server: "[^"]*"#server: "https://127.0.0.1:1"#' "$CLUSTER/admin.kubeconfig" \
        >"$CLUSTER/nowhere.kubeconfig"
    output=$("$CAPSTAN" doctor --kubeconfig "$CLUSTER/nowhere.kubeconfig") || status=$?
    expect 'the exit status without an API server' "$status" 2
    expect_match 'the report without an API server' "$output" 'unknown *api-server'
}

test_9_uninstalling_leaves_nothing_behind() {
    local left
    run_installed
    wait_for 30 is_ready installed
    # The README says to delete the webhook configuration first.
    k delete mutatingwebhookconfiguration zz-capstan >/dev/null
    writes_go_through
    rendered default >"$CLUSTER/install.yaml"
    k delete --ignore-not-found --wait=false -f "$CLUSTER/install.yaml" >"$CLUSTER/deleted"
    expect 'what was deleted' "$(wc -l <"$CLUSTER/deleted")" \
        "$(($(grep -c '^kind: ' "$CLUSTER/install.yaml") - 1))"
    writes_go_through
    end installed
    left=$(k get clusterroles,clusterrolebindings,mutatingwebhookconfigurations -o name | grep capstan) ||
        true
    expect 'what is left outside of the namespace' "$left" ''
    # Capstan's own objects are in the namespace. A namespace controller would delete them.
    expect 'the end of the namespace' \
        "$(k get namespace capstan-system -o jsonpath='{.status.phase}')" Terminating
}
