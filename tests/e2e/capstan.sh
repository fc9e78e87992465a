# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Capstan beside the cluster, and its registration as a webhook. To be sourced. A process that is started
# again under its name keeps its ports. The caller sets CAPSTAN, the program, and what cluster.sh needs.

make_serving_certificate() {
    [[ -d $CLUSTER/serving ]] ||
        "$CAPSTAN" certs --out "$CLUSTER/serving" --dns localhost --dns 127.0.0.1 >/dev/null
}

# webhook_port NAME, probe_port NAME, metrics_port NAME
webhook_port() {
    port_of "$1" 1
}

probe_port() {
    port_of "$1" 2
}

metrics_port() {
    port_of "$1" 3
}

port_of() {
    [[ -s $CLUSTER/$1.ports ]] || echo "$(free_port) $(free_port) $(free_port)" >"$CLUSTER/$1.ports"
    cut -d ' ' -f "$2" "$CLUSTER/$1.ports"
}

# launch_capstan NAME [OPTION]...: starts it as the user of that name if there is one, else as capstan.
# Does not wait. Its log is $CLUSTER/NAME.log; a second start appends to it.
launch_capstan() {
    local name=$1
    shift
    make_serving_certificate
    launch_self_certified "$name" --webhook-cert-path "$CLUSTER/serving" "$@"
}

# launch_self_certified NAME [OPTION]...: the same, but Capstan makes its certificates itself.
launch_self_certified() {
    local name=$1 user=capstan
    shift
    [[ ! -e $CLUSTER/$name.kubeconfig ]] || user=$name
    run_apart "$name" "$CAPSTAN" serve --kubeconfig "$CLUSTER/$user.kubeconfig" \
        --webhook-bind-address "127.0.0.1:$(webhook_port "$name")" \
        --health-probe-bind-address "127.0.0.1:$(probe_port "$name")" \
        --metrics-bind-address "127.0.0.1:$(metrics_port "$name")" --shutdown-delay 0s "$@"
}

# start_capstan NAME [OPTION]...: and waits until it is ready.
start_capstan() {
    launch_capstan "$@"
    wait_for 30 is_ready "$1"
}

is_ready() {
    if [[ -e $CLUSTER/$1.status ]]; then
        tail -n 20 "$CLUSTER/$1.log"
        return 1
    fi
    [[ $(ready_code "$1") == 200 ]]
}

ready_code() {
    curl -s --noproxy '*' -o /dev/null -w '%{http_code}' -m 5 \
        "http://127.0.0.1:$(probe_port "$1")/readyz"
}

# stop_capstan NAME [SIGNAL]: fails unless it ends with exit status 0, or by the signal.
stop_capstan() {
    end "$1" "${2-TERM}"
    [[ ${2-TERM} == KILL ]] || expect "the exit status of $1" "$(cat "$CLUSTER/$1.status")" 0
}

# log_of NAME EVENT: the lines of its log about such events.
log_of() {
    jq -Rc --arg event "$2" 'fromjson? | select(.event == $event)' "$CLUSTER/$1.log"
}

# metric NAME METRIC: its value, as /metrics has it.
metric() {
    curl -sS --noproxy '*' --fail -m 5 "http://127.0.0.1:$(metrics_port "$1")/metrics" |
        awk -v name="$2" '$1 == name { print $2 }'
}

# milliseconds_spent NAME: the time for all reviews so far, each from its last byte to its answer. Unlike
# a clock outside, it does not count the time that a busy machine needs to start curl or kubectl.
milliseconds_spent() {
    metric "$1" capstan_admission_duration_seconds_sum | awk '{ printf "%d", $1 * 1000 }'
}

# review NAME: posts an AdmissionReview about the creation of the Deployment on stdin, as the API server
# does. Prints the patch, or "warning", or "nothing".
review() {
    jq -c --arg namespace "$NAMESPACE" '{apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview",
        request: {uid: "00000000-0000-0000-0000-000000000000", operation: "CREATE",
            kind: {group: "apps", version: "v1", kind: "Deployment"},
            resource: {group: "apps", version: "v1", resource: "deployments"},
            name: .metadata.name, $namespace, userInfo: {username: "admin"},
            object: ., oldObject: null, dryRun: false}}' |
        curl -sS --noproxy '*' --fail -m 10 --cacert "$CLUSTER/serving/ca.crt" \
            -H 'Content-Type: application/json' --data-binary @- \
            "https://127.0.0.1:$(webhook_port "$1")/mutate?timeout=3s" |
        jq -r '.response | if .allowed != true then "denied" elif .patch then .patch | @base64d
            elif .warnings then "warning" else "nothing" end'
}

# webhook_json NAME [FAILURE_POLICY [REINVOCATION_POLICY]]: the webhook configuration of the manifests,
# but called by its address, and named zz-NAME. The entry for autoscalers never fails closed.
webhook_json() {
    yq -c --arg name "zz-$1" --arg failure "${2-Fail}" --arg reinvocation "${3-IfNeeded}" \
        --arg url "https://127.0.0.1:$(webhook_port "$1")/mutate" \
        --arg bundle "$(base64 -w 0 "$CLUSTER/serving/ca.crt")" '
        select(.kind == "MutatingWebhookConfiguration") | .metadata = {$name} |
        .webhooks[] |= (.clientConfig = {$url, caBundle: $bundle} |
            (select(.name != "autoscalers.capstan.dev") | .failurePolicy) = $failure |
            .reinvocationPolicy = $reinvocation | .timeoutSeconds = 10)' manifests/install.yaml
}

webhooks_path=/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations

# register NAME [FAILURE_POLICY [REINVOCATION_POLICY]]: waits until the API server asks it.
register() {
    local before
    before=$(reviews_answered "$1")
    api admin POST "$webhooks_path" "$(webhook_json "$@")" >/dev/null
    wait_for 30 is_asked "$1" "$before"
}

# is_asked NAME COUNT: sends a request, and tells whether it has answered more than COUNT reviews.
is_asked() {
    api admin POST "$(server_path)?dryRun=All" "$(server_json is-asked '{"replicas": 1}')"
    (($(reviews_answered "$1") > $2))
}

reviews_answered() {
    curl -sS --noproxy '*' --fail "http://127.0.0.1:$(metrics_port "$1")/metrics" |
        awk '/^capstan_admission_requests_total/ { n += $NF } END { print n + 0 }'
}

# unregister NAME: waits until the API server no longer asks it.
unregister() {
    api admin DELETE "$webhooks_path/zz-$1" >/dev/null
    wait_for 30 is_not_asked "$1"
}

is_not_asked() {
    local before
    before=$(reviews_answered "$1")
    api admin POST "$(server_path)?dryRun=All" "$(server_json is-asked '{"replicas": 1}')"
    (($(reviews_answered "$1") == before))
}

# write_policy NAME LINE: a policy with these lines, in $CLUSTER/NAME.yaml.
write_policy() {
    printf '%s\n' 'apiVersion: capstan.dev/v1' 'kind: PolicyConfig' "$2" >"$CLUSTER/$1.yaml"
}

# evaluation_errors: of all matchConditions since the API server began.
evaluation_errors() {
    api admin GET /metrics | awk '/^apiserver_admission_match_condition_evaluation_errors_total/ {
        n += $NF } END { print n + 0 }'
}
