# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The ways in which a kubeconfig says who asks. The audit log has the user whom the API server saw.

setup() {
    install_crd upstream
}

# write_kubeconfig NAME CLUSTER USER: the two as flow mappings of YAML.
write_kubeconfig() {
    cat >"$CLUSTER/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: chosen
contexts:
- {name: other, context: {cluster: nowhere, user: nobody}}
- {name: chosen, context: {cluster: here, user: me, namespace: capstan-system}}
clusters:
- {name: nowhere, cluster: {server: "https://127.0.0.1:1"}}
- {name: here, cluster: {server: "$APISERVER", $2}}
users:
- {name: nobody, user: {}}
- {name: me, user: {$3}}
END
}

ca_file() {
    echo "certificate-authority: certificates/ca.crt"
}

# writes_as USER [NAME]: whether this user wrote the status of one more MCPServer.
writes_as() {
    local name=${2-one}
    create_server "$name" '{"replicas": 3}'
    wait_for 20 conditions_are_right "$name"
    expect 'who wrote the status' "$(audit "select(.what == \"mcpservers/status\" and
        .objectRef.name == \"$name\" and .objectRef.namespace == \"$NAMESPACE\") | .writer" |
        sort -u)" "\"$1\""
}

test_a_client_certificate_will_do() {
    local folder=$CLUSTER/certificates
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=capstan/CN=capstan-pair \
        -keyout "$folder/client.key" -out "$folder/client.csr"
    openssl x509 -req -in "$folder/client.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" \
        -CAcreateserial -days 7 -out "$folder/client.crt" -extfile - <<<'extendedKeyUsage = clientAuth'
    write_kubeconfig capstan-pair "certificate-authority-data: $(base64 -w 0 "$folder/ca.crt")" \
        "client-certificate-data: $(base64 -w 0 "$folder/client.crt"), client-key: certificates/client.key"
    start_capstan capstan-pair
    writes_as capstan-pair
    stop_capstan capstan-pair
}

test_a_plugin_will_do() {
    cat >"$CLUSTER/plugin" <<'END'
#!/bin/sh
printf '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential",
    "status": {"token": "token-of-%s"}}\n' "$WHO"
END
    chmod +x "$CLUSTER/plugin"
    write_kubeconfig capstan-plugin "$(ca_file)" "exec: {command: ./plugin, \
        apiVersion: client.authentication.k8s.io/v1beta1, env: [{name: WHO, value: capstan-3}]}"
    start_capstan capstan-plugin
    writes_as capstan-3
    stop_capstan capstan-plugin
}

test_a_token_file_may_change() {
    token_of capstan-1 >"$CLUSTER/token"
    write_kubeconfig capstan-file "$(ca_file)" "tokenFile: token"
    start_capstan capstan-file
    writes_as capstan-1
    token_of capstan-2 >"$CLUSTER/token.new"
    mv "$CLUSTER/token.new" "$CLUSTER/token"
    # Capstan keeps a token for 50 s.
    sleep 51
    writes_as capstan-2 two
    stop_capstan capstan-file
}

test_a_token_that_is_not_valid_yet_may_become_so() {
    echo nonsense >"$CLUSTER/token"
    write_kubeconfig capstan-file "$(ca_file)" "tokenFile: token"
    launch_capstan capstan-file
    wait_for 10 grep -i unauthorized "$CLUSTER/capstan-file.log"
    expect readiness "$(ready_code capstan-file)" 503
    token_of capstan-1 >"$CLUSTER/token"
    wait_for 40 is_ready capstan-file
    writes_as capstan-1
    stop_capstan capstan-file
}

test_an_unverified_server_is_warned_about() {
    write_kubeconfig capstan-blind 'insecure-skip-tls-verify: true' "token: $(token_of capstan-1)"
    start_capstan capstan-blind
    writes_as capstan-1
    grep -iE 'insecure|verif' "$CLUSTER/capstan-blind.log"
    stop_capstan capstan-blind
}

test_a_foreign_server_is_not_trusted() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 7 -subj /CN=foreign \
        -keyout "$CLUSTER/foreign.key" -out "$CLUSTER/foreign.crt"
    write_kubeconfig capstan-foreign 'certificate-authority: foreign.crt' \
        "token: $(token_of capstan-1)"
    launch_capstan capstan-foreign
    wait_for 10 grep -i certificate "$CLUSTER/capstan-foreign.log"
    expect readiness "$(ready_code capstan-foreign)" 503
    stop_capstan capstan-foreign
}
