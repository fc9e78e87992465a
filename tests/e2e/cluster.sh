# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# A cluster without nodes: etcd and a kube-apiserver on free ports of 127.0.0.1. It has no controllers,
# so no pods and no garbage collection, unless a group starts them (controllers.sh). To be sourced; the
# caller sets
#
#   TOOLS     the folder of etcd, kube-apiserver and kubectl
#   MINOR     the version of kube-apiserver, 37 for 1.37
#   TOOLHIVE  the source of ToolHive's operator, or nothing
#   CLUSTER   an empty folder of this cluster's own
#   PORTS     a file that is shared by all clusters of a run, so that they do not take each other's
#
# and calls place_cluster, start_cluster, and stop_cluster at the end.

# Each user and its groups. A user's token and file names come from the last part of its name.
cluster_users='admin system:masters
system:serviceaccount:toolhive-system:toolhive-operator toolhive
system:serviceaccount:kube-system:horizontal-pod-autoscaler autoscalers
system:kube-controller-manager controllers
system:kube-scheduler controllers
system:serviceaccount:capstan-system:capstan capstan
capstan-1 capstan
capstan-2 capstan
capstan-3 capstan
capstan-limited nobodies
capstan-viewer viewers
capstan-doctor doctors
capstan-auditor auditors'

# free_port: prints a port that nobody listens on and that was not printed before. It is below the
# range from which the system takes ports by itself.
free_port() {
    local port
    (
        flock 8
        port=$(cat "$PORTS" 2>/dev/null)
        while port=$((port >= 20000 && port < 32000 ? port + 1 : 20000 + RANDOM % 11000)); do
            (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
        done
        echo "$port" >"$PORTS"
        echo "$port"
    ) 8>"$PORTS.lock"
}

# run_apart NAME COMMAND...: runs it in the background. Its output goes to $CLUSTER/NAME.log, its process
# number to NAME.pid, and its exit status, once it has ended, to NAME.status.
run_apart() {
    local name=$CLUSTER/$1
    shift
    rm -f "$name.pid" "$name.status"
    (
        trap '' INT
        "$@" >>"$name.log" 2>&1 </dev/null 8>&- 9>&- &
        echo $! >"$name.pid"
        status=0
        wait $! || status=$?
        echo "$status" >"$name.status"
    ) >/dev/null 2>&1 &
    until [[ -s $name.pid ]]; do
        sleep 0.01
    done
}

# send NAME SIGNAL: to a process that run_apart has started. Does nothing if it has ended.
send() {
    [[ -e $CLUSTER/$1.status || ! -s $CLUSTER/$1.pid ]] || kill -s "$2" "$(cat "$CLUSTER/$1.pid")"
}

# end NAME [SIGNAL]: and waits until it has ended.
end() {
    local i
    [[ -s $CLUSTER/$1.pid ]] || return 0
    # It may end by itself just now.
    send "$1" "${2-TERM}" 2>/dev/null || true
    for ((i = 0; i < 600; i++)); do
        [[ ! -e $CLUSTER/$1.status ]] || return 0
        sleep 0.05
    done
    send "$1" CONT
    send "$1" KILL
    echo "$1 did not end within 30 s of SIG${2-TERM}" >&2
    return 1
}

# A command that has another idea of the time, for the certificates of the API server.
dated=()

make_certificates() {
    local folder=$CLUSTER/certificates
    mkdir "$folder"
    "${dated[@]}" openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 3650 -subj /CN=e2e \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$folder/ca.key" -out "$folder/ca.crt"
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=kube-apiserver \
        -keyout "$folder/server.key" -out "$folder/server.csr"
    "${dated[@]}" openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.crt" \
        -CAkey "$folder/ca.key" -CAcreateserial -days 3650 -out "$folder/server.crt" \
        -extfile - <<END
subjectAltName = DNS:localhost, DNS:kubernetes.default.svc, IP:127.0.0.1, IP:10.0.0.1
extendedKeyUsage = serverAuth
END
    openssl genrsa -out "$folder/accounts.key" 2048
}

token_of() {
    echo "token-of-${1##*:}"
}

# The audit log has all writes that matter to tests, and the body of writes of a Lease.
write_audit_policy() {
    cat >"$CLUSTER/audit.yaml" <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Request
  verbs: [create, update, patch, delete]
  resources:
  - {group: coordination.k8s.io, resources: [leases]}
- level: Metadata
  verbs: [create, update, patch, delete]
  resources:
  - {group: toolhive.stacklok.dev}
  - {group: apps, resources: [deployments, deployments/scale]}
  - {group: events.k8s.io}
  - {group: admissionregistration.k8s.io}
  - {group: autoscaling}
  - {group: keda.sh}
  - {group: ""}
- level: None
END
}

write_users() {
    local user group name
    while read -r user group; do
        name=${user##*:}
        echo "$(token_of "$user"),$user,$name,$group" >>"$CLUSTER/tokens.csv"
        cat >"$CLUSTER/$name.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: e2e
contexts:
- {name: e2e, context: {cluster: e2e, user: $name, namespace: default}}
clusters:
- {name: e2e, cluster: {server: "$APISERVER", certificate-authority: "$CLUSTER/certificates/ca.crt"}}
users:
- {name: $name, user: {token: $(token_of "$user")}}
END
        [[ $name != *capstan* ]] ||
            sed -i 's/namespace: default/namespace: capstan-system/' "$CLUSTER/$name.kubeconfig"
        printf 'silent\nshow-error\nnoproxy = "*"\nmax-time = 30\ncacert = "%s"\nheader = "%s"\n' \
            "$CLUSTER/certificates/ca.crt" "Authorization: Bearer $(token_of "$user")" \
            >"$CLUSTER/$name.curl"
    done <<<"$cluster_users"
}

start_etcd() {
    local options=() peer=http://127.0.0.1:$ETCD_PEER_PORT
    # A cluster that is thrown away need not survive the loss of power.
    ! "$TOOLS/etcd" --help 2>&1 | grep -- --unsafe-no-fsync >/dev/null || options+=(--unsafe-no-fsync)
    run_apart etcd "$TOOLS/etcd" --data-dir "$ETCD_DATA" --listen-client-urls "$ETCD" \
        --advertise-client-urls "$ETCD" --listen-peer-urls "$peer" \
        --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer" \
        --log-level error "${options[@]}"
}

# Further options, of one group.
apiserver_options=()

# start_apiserver: may be called again after it was stopped; the port stays. Waits until it is ready.
start_apiserver() {
    local certificates=$CLUSTER/certificates
    run_apart apiserver "$TOOLS/kube-apiserver" --etcd-servers "$ETCD" --bind-address 127.0.0.1 \
        --secure-port "${APISERVER##*:}" --tls-cert-file "$certificates/server.crt" \
        --tls-private-key-file "$certificates/server.key" \
        --client-ca-file "$certificates/ca.crt" --token-auth-file "$CLUSTER/tokens.csv" \
        --authorization-mode RBAC --service-cluster-ip-range 10.0.0.0/24 \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-key-file "$certificates/accounts.key" \
        --service-account-signing-key-file "$certificates/accounts.key" \
        --etcd-compaction-interval 0 --audit-policy-file "$CLUSTER/audit.yaml" \
        --audit-log-path "$CLUSTER/audit.log" --cert-dir "$certificates" --v 1 \
        "${apiserver_options[@]}"
    # An idle machine takes 5 s. Nothing is claimed about it, so a busy one has time.
    wait_for 180 apiserver_is_ready
}

apiserver_is_ready() {
    local answer
    if [[ ! -e $CLUSTER/apiserver.status ]]; then
        answer=$(curl -K "$CLUSTER/admin.curl" "$APISERVER/readyz" 2>&1) || true
        [[ $answer != ok ]] || return 0
        echo "$answer"
    fi
    tail -n 20 "$CLUSTER/apiserver.log"
    return 1
}

# place_cluster: sets ETCD and APISERVER, and puts the data in memory if there is room.
place_cluster() {
    ETCD_DATA=$CLUSTER/etcd
    if [[ -d /dev/shm && -w /dev/shm ]] &&
        (($(df --output=avail -k /dev/shm | tail -n 1) > 1024 * 1024)); then
        ETCD_DATA=$(mktemp -d /dev/shm/capstan-etcd.XXXXXX) || return
    fi
    echo "$ETCD_DATA" >"$CLUSTER/etcd-data"
    ETCD=http://127.0.0.1:$(free_port)
    ETCD_PEER_PORT=$(free_port)
    APISERVER=https://127.0.0.1:$(free_port)
}

# start_cluster: starts everything; CRDs are for the group to install.
start_cluster() {
    make_certificates >"$CLUSTER/certificates.log" 2>&1
    write_audit_policy
    write_users
    start_etcd
    start_apiserver
    prepare_cluster
}

# A group may have another one.
prepare_cluster() {
    k create namespace capstan-system >/dev/null
    k apply -f tests/e2e/rbac.yaml >/dev/null
}

stop_cluster() {
    end apiserver KILL
    end etcd KILL
    [[ $ETCD_DATA != /dev/shm/* ]] || rm -rf "$ETCD_DATA"
}

# as USER ARGUMENT...: kubectl as that user (the last part of its name).
as() {
    local user=$1
    shift
    HOME=$CLUSTER "$TOOLS/kubectl" --kubeconfig "$CLUSTER/$user.kubeconfig" "$@"
}

k() {
    as admin "$@"
}

# api USER METHOD PATH [BODY [TYPE]]: a request without kubectl; prints the answer. Fails if the status
# is not 2xx, and prints the answer to stderr. The body is JSON. With PATCH it is a merge patch, or what
# TYPE says (apply, json).
api() {
    local user=$1 method=$2 path=$3 body=() type=application/json answer status=0
    if (($# >= 4)); then
        body=(--data-binary "$4")
    fi
    [[ $method != PATCH ]] || type=application/merge-patch+json
    case ${5-} in
    apply) type=application/apply-patch+yaml ;;
    json) type=application/json-patch+json ;;
    esac
    answer=$(curl -K "$CLUSTER/$user.curl" --fail-with-body -X "$method" \
        -H "Content-Type: $type" "${body[@]}" "$APISERVER$path") || status=$?
    if ((status != 0)); then
        echo "$answer" >&2
    else
        echo "$answer"
    fi
    return "$status"
}

# compact: makes etcd forget all revisions but the present one.
compact() {
    local revision
    revision=$(etcd_revision)
    curl -sS --noproxy '*' --fail -X POST "$ETCD/v3/kv/compaction" \
        -d "{\"revision\": \"$revision\", \"physical\": true}"
}

etcd_revision() {
    curl -sS --noproxy '*' --fail -X POST "$ETCD/v3/kv/range" -d '{"key": "AA=="}' |
        jq -r .header.revision
}

# audit [FILTER OF JQ]: prints the writes, one JSON event a line; `writer` is the last part of the user's
# name.
audit() {
    jq -c '. + {writer: (.user.username | sub("^.*:"; "")),
        what: ([.objectRef.resource, .objectRef.subresource // empty] | join("/")),
        code: .responseStatus.code} | '"${1-.}" "$CLUSTER/audit.log"
}

# upstream_crd KIND: the file of the newest operator. Old API servers do not take it.
upstream_crd() {
    if ((MINOR >= 30)) && [[ -n $TOOLHIVE ]]; then
        echo "$TOOLHIVE/deploy/charts/operator-crds/files/crds/toolhive.stacklok.dev_$1.yaml"
    else
        echo tests/e2e/crds/both.yaml
    fi
}

# install_crd upstream|NAME [KIND]: of the newest operator, or of tests/e2e/crds. KIND is mcpservers, or
# another of the family.
install_crd() {
    local kind=${2-mcpservers} file=tests/e2e/crds/$1.yaml
    [[ $1 != upstream ]] || file=$(upstream_crd "$kind")
    apply_crd "$kind" "$file"
}

# install_family: upstream's CRDs of all kinds that Capstan watches, and of the groups.
install_family() {
    local kind
    for kind in "${family[@]}" mcpgroups; do
        install_crd upstream "$kind"
    done
}

# apply_crd KIND FILE: waits until it is served.
apply_crd() {
    # Upstream's is too long for an annotation, so it has to be applied by the API server.
    k apply --server-side --force-conflicts -f "$2" >/dev/null
    # kubectl 1.30 fails at once about a CRD that has no status yet.
    wait_for 30 k wait --for condition=established --timeout 30s "crd/$1.toolhive.stacklok.dev"
    wait_for 30 crd_is_served "$1"
}

crd_is_served() {
    local version kind=${1-mcpservers}
    version=$(k get crd "$kind.toolhive.stacklok.dev" -o jsonpath='{.spec.versions[-1].name}') &&
        api admin GET "/apis/toolhive.stacklok.dev/$version/$kind"
}
