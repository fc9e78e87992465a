# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# A steady load of dry-run writes through the API server. It asks the webhook about each. To be sourced.

# start_load N [capped]: N clients send one request after the other until stop_load. Each has a connection
# of its own. With `capped`, a Deployment with more than one replica in an answer is a failure too.
start_load() {
    local i
    create_server steady '{"replicas": 3}'
    api admin POST "$(deployment_path)" "$(deployment_json steady 1)" >/dev/null
    create_server fresh '{"replicas": 3}'
    write_load
    rm -f "$CLUSTER"/load.*
    load_processes=()
    for ((i = 0; i < $1; i++)); do
        load_for_ever "$CLUSTER/load.$i" "${2-}" &
        load_processes+=($!)
        spawned+=($!)
    done
}

# An object that was created in a dry run can be created again.
write_load() {
    jq -nr --arg server "$APISERVER" --rawfile options "$CLUSTER/admin.curl" \
        --arg servers "$(server_path)" --arg deployments "$(deployment_path)" \
        --argjson new_server "$(server_json load '{"replicas": 3}')" \
        --argjson new_deployment "$(deployment_json fresh 3)" '
        [{what: "server", method: "POST", path: $servers, type: "json", body: $new_server},
        {what: "deployment", method: "POST", path: $deployments, type: "json",
            body: $new_deployment},
        {what: "server", method: "PATCH", path: "\($servers)/steady", type: "merge-patch+json",
            body: {spec: {replicas: 2}}},
        {what: "deployment", method: "PATCH", path: "\($deployments)/steady",
            type: "merge-patch+json", body: {spec: {replicas: 4}}},
        {what: "scale", method: "PATCH", path: "\($deployments)/steady/scale",
            type: "merge-patch+json", body: {spec: {replicas: 5}}}] as $requests |
        range(100) as $i | $requests[$i % 5] |
        "url = \($server + .path + "?dryRun=All" | tojson)", "request = \(.method)",
        "user-agent = e2e", "header = \("Content-Type: application/\(.type)" | tojson)",
        "data = \(.body | tojson | tojson)",
        "write-out = \("\\n@%{http_code} \(.what) %{time_total} %{errormsg}\\n" | tojson)",
        $options, "next"' | sed '$d' >"$CLUSTER/load"
}

load_for_ever() {
    while [[ ! -e $CLUSTER/load.stop ]]; do
        curl -K "$CLUSTER/load" 2>/dev/null | awk -v capped="$2" -v file="$1" '
            !/^@/ { if ($0 != "") body = $0; next }
            { print $3 >>(file ".times") }
            $1 !~ /^@2/ || (capped && $2 != "server" && body !~ /"spec":{"replicas":1[,}]/) {
                print substr(body, 1, 400), $0 >>(file ".failures") }
            { body = "" }'
    done
}

# stop_load: fails if a request failed. Tells how many there were.
stop_load() {
    local n n_failed slowest
    touch "$CLUSTER/load.stop"
    wait "${load_processes[@]}" || true
    n=$(cat "$CLUSTER"/load.*.times | wc -l)
    slowest=$(sort -n "$CLUSTER"/load.*.times | tail -n 1)
    n_failed=$(find "$CLUSTER" -name 'load.*.failures' -exec cat {} + | wc -l)
    echo "figure: $n_failed of $n dry-run writes failed; the slowest took $slowest s"
    find "$CLUSTER" -name 'load.*.failures' -exec head -n 3 {} +
    expect 'writes that failed' "$n_failed" 0
    ((n > 20)) || fail "there were but $n writes"
}
