# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# No step of Capstan's life makes a write fail. Two replicas are restarted in turn, and certificates are
# renewed, under a steady load of writes through the API server. These fail if the webhook does not
# answer. haproxy stands in for kube-proxy: a new connection goes to a ready replica, and an existing
# one stays.

two=(capstan-1 capstan-2)

setup() {
    install_crd upstream
    allow_certificates
    api admin POST "$secrets_path" '{"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "capstan-certs"}}' >/dev/null
    FRONT=$(port_of front 1)
    start_haproxy
    register_service "$FRONT" Fail
    start_replica capstan-1
    start_replica capstan-2
}

start_haproxy() {
    local name
    {
        printf 'global\n    stats socket %s\n' "$CLUSTER/haproxy.socket"
        printf 'defaults\n    mode tcp\n    timeout connect 2s\n    timeout client 1h\n    timeout server 1h\n'
        # On a busy machine a probe may be answered late although the replica is ready.
        printf '    timeout check 5s\n'
        printf 'listen webhook\n    bind 127.0.0.1:%s\n    balance roundrobin\n    option httpchk GET /readyz\n' \
            "$FRONT"
        for name in "${two[@]}"; do
            printf '    server %s 127.0.0.1:%s check port %s inter 200ms fall 1 rise 1\n' "$name" \
                "$(webhook_port "$name")" "$(probe_port "$name")"
        done
    } >"$CLUSTER/haproxy.cfg"
    run_apart other-haproxy haproxy -db -f "$CLUSTER/haproxy.cfg"
}

# start_replica NAME: and waits until it is ready.
start_replica() {
    launch_self_certified "$1" --leader-elect --ca-trust-delay 1s --ca-retire-delay 2s --shutdown-delay 2s
    wait_for 30 is_ready "$1"
}

# is_in_front NAME: whether haproxy sends connections to it.
is_in_front() {
    curl -s --noproxy '*' -m 5 --unix-socket "$CLUSTER/haproxy.socket" telnet://localhost \
        <<<'show stat' | tr -d '\r' | grep -E "^webhook,$1,.*,UP,"
}

restart_both_in_turn() {
    local i
    for ((i = 0; i < $1; i++)); do
        stop_capstan "${two[i % 2]}"
        start_replica "${two[i % 2]}"
        wait_for 10 is_in_front "${two[i % 2]}"
    done
}

test_no_write_fails_while_replicas_restart_and_certificates_change() {
    local i
    # A write that reaches the webhook through haproxy, and is trusted.
    wait_for 30 api admin POST "$(server_path)?dryRun=All" "$(server_json asked)"
    start_load 2 capped
    restart_both_in_turn 50 &
    spawned+=($!)
    restarts=$!
    for ((i = 1; i <= 25; i++)); do
        wait_for 60 is_rotated
        if ((i % 5 == 0)); then
            rotate ca
        else
            rotate leaf
        fi
        sleep 2
    done
    wait_for 60 is_rotated
    wait "$restarts" || fail 'a replica did not restart as it should'
    stop_load
    expect 'leaves and CAs' "$(secret_cas | wc -l | awk '{ print ($1 >= 1 && $1 <= 8) }')" 1
}
