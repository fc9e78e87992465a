# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The overlay that changes nothing: Capstan says what it would do, and writes nothing but what is its own.

# The API server calls the endpoints of the webhook's Service directly: there is no kube-proxy.
apiserver_options=(--enable-aggregator-routing)

# The namespace and the rights come with the manifests.
prepare_cluster() {
    return 0
}

setup() {
    install_crd upstream
    install audit
    run_installed
    wait_for 30 is_ready installed
    wait_for 10 bundles_are_current
}

# versions: the resourceVersion of each object outside of Capstan's namespace.
versions() {
    { api admin GET "$(server_path)" && api admin GET "$(deployment_path)" &&
        api admin GET /api/v1/namespaces && api admin GET "/apis/events.k8s.io/v1/events"; } |
        jq -r '.items[] | "\(.metadata.name) \(.metadata.resourceVersion)"'
}

is_warned() {
    local output
    output=$(server_json asked '{"replicas": 3}' | k -n "$NAMESPACE" apply --dry-run=server -f - 2>&1)
    echo "$output"
    [[ $output == *'Warning: stdio-cap: '* ]]
}

test_it_writes_only_its_own_objects() {
    local before
    wait_for 10 is_warned
    create_server over '{"replicas": 3}'
    create_server lone '{"transport": "sse", "replicas": 2}'
    api admin POST "$(deployment_path)" "$(deployment_json over 3)" >/dev/null
    expect 'replicas that it would cap' "$(replicas_of over)" 3
    before=$(versions)
    change_server over '{"replicas": 4}'
    change_server over '{"replicas": 3}'
    # A new leader looks at everything again, and would heal, and write conditions.
    end installed
    run_installed
    wait_for 30 is_ready installed
    wait_for 30 has_logged installed leader.elected
    sleep 5
    expect 'objects that changed' "$(diff <(echo "$before") <(versions) | grep -c '^>')" 1
    expect 'replicas' "$(replicas_of over)" 3
    expect 'conditions' "$(api admin GET "$(server_path)" | jq -c '[.items[].status.conditions // empty]')" '[]'
    expect 'what it has written' "$(audit 'select(.writer == "capstan" and .code < 300) |
        [.what, .objectRef.namespace // "", .objectRef.name] | join(" ")' | jq -r . | sort -u)" \
        'leases capstan-system capstan
mutatingwebhookconfigurations  zz-capstan
secrets capstan-system capstan-certs'
    expect 'what it has tried' "$(audit 'select(.writer == "capstan" and .code == 403) | .what' | sort -u)" ''
}
