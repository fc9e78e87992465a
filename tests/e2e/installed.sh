# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Capstan as the manifests install it. To be sourced. kubectl applies them, and the program runs with the
# arguments of their Deployment and the token of their ServiceAccount.

# takes_the_manifests: whether this API server knows everything in them.
takes_the_manifests() {
    ((MINOR >= 30))
}

# address: prints an address of this machine. Endpoints may not have 127.0.0.1.
address() {
    if takes_the_manifests; then
        hostname -I | tr ' ' '\n' | grep -m 1 '^[0-9.]*$' || fail 'this machine has no address but 127.0.0.1'
    else
        echo 127.0.0.1
    fi
}

# rendered OVERLAY: prints it, for 1.20 as the variant.
rendered() {
    if takes_the_manifests; then
        k kustomize "manifests/overlays/$1"
    else
        KUBECTL=$TOOLS/kubectl tests/support/render "manifests/overlays/$1" |
            tests/e2e/variant-1.20 "$(webhook_port installed)"
    fi
}

# install OVERLAY
install() {
    if takes_the_manifests; then
        k apply -k "manifests/overlays/$1"
        write_endpoints
    else
        rendered "$1" | k apply -f -
    fi >/dev/null
}

# Writes the endpoints that the controllers would write if pods ran.
write_endpoints() {
    k apply -f - 2>/dev/null <<END
apiVersion: v1
kind: Endpoints
metadata: {name: capstan, namespace: capstan-system}
subsets:
- addresses: [{ip: "$(address)"}]
  ports: [{name: webhook, port: $(webhook_port installed)}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: capstan
  namespace: capstan-system
  labels: {kubernetes.io/service-name: capstan}
addressType: IPv4
endpoints:
- {addresses: ["$(address)"], conditions: {ready: true}}
ports:
- {name: webhook, port: $(webhook_port installed)}
END
}

arguments_of_the_deployment() {
    k -n capstan-system get deployment capstan -o json |
        jq -r '.spec.template.spec.containers[0].args[]'
}

write_pod() {
    local folder=$CLUSTER/pod token
    mkdir -p "$folder/account" "$folder/policy"
    token=$(api admin POST \
        /api/v1/namespaces/capstan-system/serviceaccounts/capstan/token \
        '{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}' |
        jq -r .status.token)
    printf %s "$token" >"$folder/account/token"
    printf capstan-system >"$folder/account/namespace"
    cp "$CLUSTER/certificates/ca.crt" "$folder/account/ca.crt"
    k -n capstan-system get configmap capstan-policy -o json | jq -r '.data["policy.yaml"]' \
        >"$folder/policy/policy.yaml"
    # The folders of a pod, in a mount namespace, so that they do not appear on the machine.
    cat >"$CLUSTER/in_pod" <<END
#!/bin/sh
mount -t tmpfs tmpfs /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount &&
    mount --bind "$folder/account" /run/secrets/kubernetes.io/serviceaccount &&
    mount -t tmpfs tmpfs /media && mkdir /media/capstan &&
    mount --bind "$folder/policy" /media/capstan || exit 1
exec "\$@"
END
    chmod +x "$CLUSTER/in_pod"
}

in_pod() {
    env KUBERNETES_SERVICE_HOST=127.0.0.1 "KUBERNETES_SERVICE_PORT=${APISERVER##*:}" \
        unshare --mount --map-root-user "$CLUSTER/in_pod" "$@"
}

# run_installed: runs the program with the Deployment's arguments. Only the addresses and the folder of
# the policy differ.
run_installed() {
    local arguments
    mapfile -t arguments < <(arguments_of_the_deployment | sed 's:=/etc/capstan/:=/media/capstan/:')
    write_pod
    run_apart installed env KUBERNETES_SERVICE_HOST=127.0.0.1 \
        "KUBERNETES_SERVICE_PORT=${APISERVER##*:}" \
        unshare --mount --map-root-user "$CLUSTER/in_pod" "$(realpath "$CAPSTAN")" "${arguments[@]}" \
        --webhook-bind-address "$(address):$(webhook_port installed)" \
        --health-probe-bind-address "127.0.0.1:$(probe_port installed)" \
        --metrics-bind-address "127.0.0.1:$(metrics_port installed)" --shutdown-delay 0s "$@"
}
