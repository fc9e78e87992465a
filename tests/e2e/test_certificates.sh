# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The certificates that Capstan makes itself: who makes them, who trusts them, how they are renewed,
# and what others do to them. The webhook is called as a Service and fails closed. So if a write goes
# through, the API server trusts the certificate that is served.

older='1.30'

# Some tests set the clock back by a year. The API server's certificate has to be valid then too.
dated=(faketime -f -2y)

setup() {
    install_crd upstream
    allow_certificates
    api admin POST "$secrets_path" '{"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "capstan-certs"}}' >/dev/null
    register_service "$(webhook_port capstan)"
}

quick=(--ca-trust-delay 1s --ca-retire-delay 2s)

kill_all() {
    local name names=()
    for name in capstan capstan-1 capstan-2 capstan-3 capstan-4 capstan-5 capstan-limited; do
        if [[ -s $CLUSTER/$name.pid ]]; then
            send "$name" KILL
            names+=("$name")
        fi
    done
    for name in "${names[@]}"; do
        until [[ -e $CLUSTER/$name.status ]]; do
            sleep 0.01
        done
    done
}

# end_all NAME...: at the same time. Each finishes the write that is under way; a write of a killed
# one may reach the API server after whatever comes next here.
end_all() {
    local name
    for name in "$@"; do
        send "$name" TERM
    done
    for name in "$@"; do
        wait_for 30 test -e "$CLUSTER/$name.status"
    done
}

# Makes the Secret as kubectl apply leaves it on a new cluster.
empty_secret() {
    api admin PATCH "$secret_path" '{"data": null, "metadata": {"annotations": null}}' >/dev/null
}

delete_secret() {
    api admin DELETE "$secret_path" >/dev/null
}

delete_lease() {
    api admin DELETE /apis/coordination.k8s.io/v1/namespaces/capstan-system/leases/capstan \
        >/dev/null 2>&1 || true
}

# start_anew [NAME]... [-- OPTION...]: starts these and no others, with an empty Secret. The API server
# learns of a caBundle a moment after it was written, and asks the first one.
start_anew() {
    local name names=()
    while (($# > 0)) && [[ $1 != -- ]]; do
        names+=("$1")
        shift
    done
    [[ ${1-} != -- ]] || shift
    ((${#names[@]} > 0)) || names=(capstan)
    kill_all
    delete_lease
    secret >/dev/null 2>&1 || k -n capstan-system create secret generic capstan-certs >/dev/null
    empty_secret
    api admin DELETE "$webhooks_path/zz-capstan" >/dev/null 2>&1 || true
    register_service "$(webhook_port "${names[0]}")"
    for name in "${names[@]}"; do
        launch_self_certified "$name" "$@"
    done
    for name in "${names[@]}"; do
        wait_for 20 is_ready "$name"
    done
    wait_for 10 is_certified "${names[@]}"
    wait_for 5 is_asked "${names[0]}" "$(reviews_answered "${names[0]}")"
}

# secret_writes, registration_writes: the number of capstan's writes that succeeded.
secret_writes() {
    audit 'select(.what == "secrets" and (.writer | startswith("capstan")) and .code < 300)' | wc -l
}

registration_writes() {
    audit 'select(.what == "mutatingwebhookconfigurations" and .code < 300 and
        (.writer | startswith("capstan")))' | wc -l
}

milliseconds_since() {
    echo $(((${EPOCHREALTIME/./} - $1) / 1000))
}

# A dry run of a write. The API server asks the webhook about it.
may_write() {
    api admin POST "$(server_path)?dryRun=All" "$(server_json probe '{"replicas": 3}')" >/dev/null
}

has_one_ca() {
    prints 1 eval 'secret_cas | wc -l' >/dev/null
}

# fail_round ROUND TIME: tells all that has happened to the certificates since TIME.
fail_round() {
    local name
    echo '--- the CAs of the Secret'
    secret_cas
    echo '--- the CAs of the first caBundle'
    bundle_cas
    echo '--- writes, by the audit log'
    audit "select((.what == \"secrets\" or .what == \"mutatingwebhookconfigurations\") and
        .requestReceivedTimestamp > \"$2\") |
        [.requestReceivedTimestamp, .stageTimestamp, .writer, .verb, .what, .code] | @tsv"
    for name in "${five[@]}"; do
        echo "--- $name"
        jq -Rc --arg since "$2" 'fromjson? | select(.time > $since and
            (.event | test("^(certificate|registration)\\.")))' "$CLUSTER/$name.log"
    done
    fail "the CAs of round $1: expected 1, not $(secret_cas | wc -l)"
}

# race ROUNDS PREPARATION [OPTION]...: starts five at once. Each round has to end with one CA.
race() {
    local rounds=$1 preparation=$2 round name launched began=${EPOCHREALTIME/./} writes since
    local five=(capstan-1 capstan-2 capstan-3 capstan-4 capstan-5)
    shift 2
    kill_all
    for name in "${five[@]}"; do
        webhook_port "$name" >/dev/null
    done
    writes=$(secret_writes)
    for ((round = 1; round <= rounds; round++)); do
        since=$(date -u +%FT%T.%6NZ)
        delete_lease
        "$preparation"
        set_bundles ''
        launched=()
        for name in "${five[@]}"; do
            launch_self_certified "$name" "$@" &
            launched+=($!)
        done
        wait "${launched[@]}"
        wait_for 10 is_certified "${five[@]}"
        has_one_ca || fail_round "$round" "$since"
        end_all "${five[@]}"
    done
    expect 'writes of the Secret' "$(($(secret_writes) - writes))" "$rounds"
    echo "figure: $rounds rounds of five processes took $(milliseconds_since "$began") ms"
}

test_a_ca_counts_as_one_whatever_letters_its_base64_has() {
    local ca=$'-----BEGIN CERTIFICATE-----\nMIIB3aENDj/\nENDBEGIN\n-----END CERTIFICATE-----'
    expect 'CAs of one' "$(cas_of <<<"$ca")" "${ca//$'\n'/}"
    expect 'CAs of two' "$(printf '%s\n' "$ca" "$ca" | cas_of | wc -l)" 2
}

test_five_that_all_may_write_make_one_ca_on_an_empty_secret() {
    race 100 empty_secret
}

test_five_that_elect_a_leader_make_one_ca_on_an_empty_secret() {
    race 20 empty_secret --leader-elect
}

test_five_make_one_ca_where_there_is_no_secret() {
    race 20 delete_secret
}

test_the_api_server_trusts_it_by_the_name_of_the_service() {
    local output
    start_anew
    may_write
    stop_capstan capstan
    output=$(refuses may_write)
    expect_match 'a write that nobody answers for' "$output" 'failed calling webhook'
    start_capstan_again
    may_write
}

start_capstan_again() {
    launch_self_certified capstan "$@"
    wait_for 20 is_ready capstan
}

test_a_restart_changes_nothing() {
    local before
    start_anew
    before=$(secret_writes)-$(registration_writes)
    stop_capstan capstan
    start_capstan_again
    sleep 3
    expect 'what was written' "$(secret_writes)-$(registration_writes)" "$before"
}

test_a_cabundle_that_somebody_blanks_is_back_within_2_seconds() {
    local i began slowest
    start_anew
    began=$(date -u +%FT%T.%6NZ)
    # The third one in a row would wait for 4 s.
    for i in 1 2; do
        set_bundles ''
        wait_for 5 bundles_are_current
    done
    wait_for 5 prints 2 eval 'restorations "$began" | wc -l'
    slowest=$(restorations "$began" | sort -n | tail -n 1)
    echo "figure: a blanked caBundle was back after at most $slowest ms"
    expect_at_most 'milliseconds until it was back' "$slowest" 2000
    wait_for 5 may_write
}

# contest_events: the number of Events that say so.
contest_events() {
    k -n capstan-system get events.events.k8s.io -o json | jq '[.items[] |
        select(.reason == "RegistrationContested" and .regarding.name == "capstan-certs")] | length'
}

test_a_cabundle_that_somebody_blanks_for_ever_is_written_ever_more_slowly() {
    local before said events deadline=$((SECONDS + 20))
    start_anew
    events=$(contest_events)
    before=$(registration_writes)
    said=$(log_of capstan registration.contested | wc -l)
    # The pauses are 1, 2, 4, 8 and 16 s.
    while ((SECONDS < deadline)); do
        ! bundles_are_current >/dev/null || set_bundles ''
        sleep 0.1
    done
    expect_at_most 'writes of the configuration' $(($(registration_writes) - before)) 6
    expect 'times it says that' $(($(log_of capstan registration.contested | wc -l) - said)) 1
    expect 'Events about it' $(($(contest_events) - events)) 1
    wait_for 40 bundles_are_current
    wait_for 5 may_write
}

test_entries_may_change_their_order_and_go() {
    local i
    start_anew
    for i in 'reverse' 'sort_by(.name) | .[1:]' '.[:1]'; do
        api admin PATCH "$webhooks_path/zz-capstan" "$(registration |
            jq -c "[{op: \"replace\", path: \"/webhooks\", value: (.webhooks | $i |
                map(del(.clientConfig.caBundle)))}]")" json >/dev/null
        wait_for 5 bundles_are_current
        sleep 1.6
    done
    expect 'the entries that are left' "$(registration | jq '.webhooks | length')" 1
    wait_for 5 may_write
}

test_the_webhook_configuration_may_come_later_and_go() {
    local i cas
    kill_all
    api admin DELETE "$webhooks_path/zz-capstan" >/dev/null
    empty_secret
    start_capstan_again
    cas=$(secret_cas)
    for i in 1 2; do
        register_service "$(webhook_port capstan)"
        wait_for 5 is_certified capstan
        wait_for 5 may_write
        api admin DELETE "$webhooks_path/zz-capstan" >/dev/null
        sleep 1
        expect readiness "$(ready_code capstan)" 200
    done
    expect 'the CA' "$(secret_cas)" "$cas"
    register_service "$(webhook_port capstan)"
    wait_for 5 is_certified capstan
}

test_a_secret_that_is_deleted_is_written_back() {
    local before
    start_anew
    before=$(secret | jq -c .data)
    delete_secret
    wait_for 10 secret
    expect 'what the Secret has' "$(secret | jq -c .data)" "$before"
    is_certified capstan
    may_write
}

# set_secret DATA: a merge patch of its data.
set_secret() {
    api admin PATCH "$secret_path" "{\"data\": $1}" >/dev/null
}

test_a_secret_that_is_corrupted_is_put_right() {
    local key value cas garbage foreign
    start_anew -- "${quick[@]}"
    cas=$(secret_cas)
    garbage=$(base64 -w 0 <<<garbage)
    foreign=$(openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | base64 -w 0)
    for key in ca.crt ca.key tls.crt tls.key; do
        for value in null '""' "\"$garbage\"" "\"$foreign\""; do
            set_secret "{\"$key\": $value}"
            wait_for 10 is_sound "$cas"
            may_write
        done
    done
    set_secret null
    wait_for 10 is_sound "$cas"
    may_write
}

# is_sound CAS: whether the Secret has these CAs, the key of one, and a pair that one has signed.
is_sound() {
    local key
    [[ $(secret_cas) == "$1" ]] || return
    for key in ca.crt ca.key tls.crt tls.key; do
        secret_text "$key" >"$CLUSTER/sound.$key"
    done
    openssl verify -CAfile "$CLUSTER/sound.ca.crt" "$CLUSTER/sound.tls.crt" &&
        diff <(openssl x509 -in "$CLUSTER/sound.ca.crt" -noout -pubkey) \
            <(openssl pkey -in "$CLUSTER/sound.ca.key" -pubout) &&
        diff <(openssl x509 -in "$CLUSTER/sound.tls.crt" -noout -pubkey) \
            <(openssl pkey -in "$CLUSTER/sound.tls.key" -pubout) && is_certified capstan
}

# The CA in the caBundles may belong to a replica that still serves.
test_after_a_loss_while_nobody_runs_who_was_trusted_stays_so_until_the_switch() {
    local former
    start_anew
    former=$(secret_cas)
    stop_capstan capstan
    empty_secret
    launch_self_certified capstan --ca-trust-delay 3s --ca-retire-delay 3s
    wait_for 5 prints 2 eval 'secret_cas | wc -l'
    wait_for 5 bundles_are_current
    bundle_cas | grep -qxF -- "$former" || fail 'the former CA is trusted no more'
    wait_for 20 is_ready capstan
    may_write
    wait_for 20 prints 1 eval 'secret_cas | wc -l'
    wait_for 5 is_certified capstan
    [[ $(secret_cas) != "$former" ]] || fail 'the former CA is back'
    may_write
}

test_a_leaf_is_renewed_on_request() {
    local cas leaf
    start_anew
    cas=$(secret_cas)
    leaf=$(secret_text tls.crt)
    start_load 2 capped
    rotate leaf
    wait_for 10 is_rotated
    wait_for 10 is_certified capstan
    sleep 1
    stop_load
    expect 'the CA' "$(secret_cas)" "$cas"
    [[ $(secret_text tls.crt) != "$leaf" ]] || fail 'the leaf is the old one'
    wait_for 5 serves_the_leaf_of_the_secret capstan
}

serves_the_leaf_of_the_secret() {
    local served
    served=$(openssl s_client -connect "127.0.0.1:$(webhook_port "$1")" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint)
    [[ $served == "$(secret_text tls.crt | openssl x509 -noout -fingerprint)" ]]
}

test_a_ca_is_renewed_on_request_and_the_old_one_retired() {
    local former leaf
    # Long enough to see the time between on a busy machine.
    start_anew -- --ca-trust-delay 10s --ca-retire-delay 2s
    former=$(secret_cas)
    leaf=$(secret_text tls.crt)
    start_load 2 capped
    rotate ca
    wait_for 5 prints 2 eval 'secret_cas | wc -l'
    expect 'the leaf until the new CA is trusted' "$(secret_text tls.crt)" "$leaf"
    wait_for 5 prints 2 eval 'bundle_cas 2 | wc -l'
    wait_for 30 prints 1 eval 'secret_cas | wc -l'
    # The caBundles keep the old CA for this long after the switch.
    wait_for 20 is_certified capstan
    stop_load
    [[ $(secret_cas) != "$former" ]] || fail 'the CA is the old one'
    wait_for 5 serves_the_leaf_of_the_secret capstan
    expect 'the phases' "$(log_of capstan certificate.renewed | tail -n 3 | jq -r .phase |
        paste -sd ' ')" 'prepare switch retire'
}

leader() {
    local name
    for name in capstan-1 capstan-2; do
        if [[ ! -e $CLUSTER/$name.status && $(metric "$name" capstan_leader) == 1 ]]; then
            echo "$name"
            return
        fi
    done
    return 1
}

test_a_new_leader_goes_on_where_the_old_one_stopped() {
    local former other signal cas
    start_anew capstan-1 capstan-2 -- --leader-elect --ca-trust-delay 2s --ca-retire-delay 2s
    for signal in TERM KILL; do
        wait_for 20 leader
        former=$(leader)
        other=$([[ $former == capstan-1 ]] && echo capstan-2 || echo capstan-1)
        cas=$(secret_cas)
        rotate ca
        wait_for 5 prints 2 eval 'secret_cas | wc -l'
        stop_capstan "$former" "$signal"
        wait_for 40 prints 1 eval 'secret_cas | wc -l'
        [[ $(secret_cas) != "$cas" ]] || fail 'the CA is the old one'
        wait_for 5 is_certified "$other"
        wait_for 5 serves_the_leaf_of_the_secret "$other"
        launch_self_certified "$former" --leader-elect --ca-trust-delay 2s --ca-retire-delay 2s
        wait_for 20 is_certified "$former" "$other"
    done
}

# set_clock OFFSET: for programs that on_own_clock runs.
set_clock() {
    echo "$1" >"$CLUSTER/clock.new"
    mv "$CLUSTER/clock.new" "$CLUSTER/clock"
}

write_own_clock() {
    local library
    library=$(dpkg -L libfaketime | grep '/libfaketimeMT\.so')
    set_clock +0
    cat >"$CLUSTER/on_own_clock" <<END
#!/bin/sh
export LD_PRELOAD=$library FAKETIME_TIMESTAMP_FILE=$CLUSTER/clock
export FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1
exec $CAPSTAN "\$@"
END
    chmod +x "$CLUSTER/on_own_clock"
}

lease_renewals() {
    audit 'select(.what == "leases" and .code < 300) | select(.writer | startswith("capstan"))' | wc -l
}

test_a_jump_of_the_clock_by_a_year_renews_nothing() {
    local CAPSTAN=$CAPSTAN before jump renewals losses n=0
    write_own_clock
    CAPSTAN=$CLUSTER/on_own_clock
    start_anew capstan-1 -- --leader-elect
    wait_for 10 leader
    # A process of an earlier test may have lost the Lease.
    losses=$(log_of capstan-1 leader.lost)
    before=$(secret_writes)-$(registration_writes)
    for jump in +1y +0 -1y +0; do
        set_clock "$jump"
        renewals=$(lease_renewals)
        n=$((n + 1))
        create_server "jump-$n" '{"replicas": 3}'
        sleep 6
        ((10#$(lease_renewals) >= renewals + 2)) || fail "at $jump the Lease is not renewed"
        wait_for 10 conditions_are_right "jump-$n"
        expect "what was written at $jump" "$(secret_writes)-$(registration_writes)" "$before"
        expect "readiness at $jump" "$(ready_code capstan-1)" 200
    done
    expect 'losses of the Lease' "$(log_of capstan-1 leader.lost)" "$losses"
    # So the program has seen that year.
    has_logged capstan-1 certificate.expiring >/dev/null
    stop_capstan capstan-1
}

# limited_binding clusterrole|role NAME [NAMESPACE]: gives this role to capstan-limited.
limited_binding() {
    k create "${1}binding" "limited-$2" "--$1=$2" --user capstan-limited ${3+--namespace "$3"} >/dev/null
}

test_without_rights_it_lives_and_says_so_once() {
    start_anew
    kill_all
    empty_secret
    set_bundles ''
    limited_binding clusterrole capstan
    limited_binding role capstan capstan-system
    launch_self_certified capstan-limited
    wait_for 10 has_logged capstan-limited watch.failed '.resource == "secrets"'
    wait_for 10 has_logged capstan-limited watch.failed '.resource == "mutatingwebhookconfigurations"'
    sleep 8
    expect readiness "$(ready_code capstan-limited)" 503
    expect_at_most 'warnings and errors' "$(jq -Rc 'fromjson? |
        select(.level == "warn" or .level == "error")' "$CLUSTER/capstan-limited.log" | wc -l)" 4
    # It may read both and write neither.
    k create -f - >/dev/null <<'END'
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: limited-reader}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [get, list, watch]}
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations]
  verbs: [get, list, watch]
END
    limited_binding clusterrole limited-reader
    wait_for 60 has_logged capstan-limited certificate.failed
    sleep 5
    expect 'times it says that' "$(log_of capstan-limited certificate.failed | wc -l)" 1
    limited_binding clusterrole capstan-certificates
    limited_binding role capstan-certificates capstan-system
    wait_for 60 is_ready capstan-limited
    wait_for 10 is_certified capstan-limited
    stop_capstan capstan-limited
}

test_two_versions_side_by_side_write_the_same() {
    local present=$CAPSTAN version i before
    local CAPSTAN=$CAPSTAN
    version=$("$CAPSTAN" version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
    # Of the same length.
    sed "s/${version//./\\.}/9${version:1}/g" "$CAPSTAN" >"$CLUSTER/next"
    chmod +x "$CLUSTER/next"
    expect_match 'the version of the other one' "$("$CLUSTER/next" version)" "9${version:1}"
    start_anew capstan-1 -- --leader-elect --workers 4
    CAPSTAN=$CLUSTER/next
    launch_self_certified capstan-2 --leader-elect --workers 1
    wait_for 20 is_certified capstan-1 capstan-2
    for i in {1..5}; do
        create_server "server-$i" "{\"replicas\": $i}"
        wait_for 10 conditions_are_right "server-$i"
    done
    before=$(all_writes)
    stop_capstan capstan-1
    wait_for 20 prints 1 metric capstan-2 capstan_leader
    CAPSTAN=$present
    launch_self_certified capstan-1 --leader-elect --workers 4
    wait_for 20 is_ready capstan-1
    sleep 5
    stop_capstan capstan-2
    wait_for 20 prints 1 metric capstan-1 capstan_leader
    sleep 5
    expect 'what the changes of leader wrote' "$(all_writes)" "$before"
    expect 'who manages the conditions' "$(api admin GET "$(server_path server-1)" |
        jq -r '[.metadata.managedFields[] | select(.fieldsV1 | has("f:status")) | .manager] |
            unique | join(" ")')" capstan
    change_server server-1 '{"replicas": 3}'
    wait_for 10 conditions_are_right server-1
}

# Renewals of the Lease do not count.
all_writes() {
    audit 'select((.writer | startswith("capstan")) and .what != "leases")' | wc -l
}
