# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# If there is nothing to do, Capstan writes nothing, also beside another writer of the same bytes.

setup() {
    install_crd upstream
    start_capstan capstan --leader-elect
}

specs=('{}' '{"replicas": 3}' '{"transport": "sse", "replicas": 3}' '{"transport": "sse"}'
    '{"transport": "streamable-http", "replicas": 2,
        "sessionStorage": {"provider": "redis", "address": "redis:6379"}}')

test_no_write_in_a_minute_beside_an_operator_that_puts_the_same_bytes() {
    local i name names=() before writes events
    for i in {0..19}; do
        name=server-$i
        names+=("$name")
        create_server "$name" "${specs[i % 5]}"
        create_deployment "$name" 1 >/dev/null
    done
    for name in "${names[@]}"; do
        wait_for 20 conditions_are_right "$name"
        put_status "$name" '.phase = "Ready" | .observedGeneration = 1'
    done
    # Once this one is done, all earlier writes are done.
    create_server last
    wait_for 10 conditions_are_right last
    before=$(resource_versions)
    writes=$(all_writes)
    spawn put_for_ever "${names[@]}"
    sleep 60
    expect 'writes of capstan' "$(all_writes)" "$writes"
    expect 'the resourceVersions' "$(resource_versions)" "$before"
    events=$(audit 'select(.writer == "toolhive-operator" and .what == "mcpservers/status")' | wc -l)
    ((events > 40)) || fail "the operator wrote only $events times"
}

# Renewals of the Lease do not count.
all_writes() {
    audit 'select((.writer | startswith("capstan")) and .what != "leases")' | wc -l
}

resource_versions() {
    api admin GET "$(server_path)" |
        jq -r '.items[] | "\(.metadata.name) \(.metadata.resourceVersion)"'
}

put_for_ever() {
    local name
    while :; do
        for name in "$@"; do
            put_status "$name" .
        done
    done
}
