# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Two and three replicas: only one writes at a time, and another one takes over soon if it stops. The
# audit log of the API server shows who wrote what.

# Milliseconds until another one writes. If the leader stopped without a word: the longest pause between
# two looks (until the last renewal is seen), the Lease's 15 s, and that pause again. If it released the
# Lease: one pause. Both plus 5 s for a busy machine.
takeover_after_kill=$((4400 + 15000 + 4400 + 5000))
takeover_after_release=$((4400 + 5000))

setup() {
    local i
    install_crd upstream
    for i in 1 2 3; do
        start_capstan capstan-$i --leader-elect
    done
    wait_for 20 leader
}

# leader: the last one that wrote itself into the Lease as its holder. The API server has a Lease of its
# own.
leader() {
    local holder
    holder=$(audit 'select(.what == "leases" and .code < 300) |
        select(.writer | startswith("capstan")) |
        select((.requestObject.spec.holderIdentity // "") != "") | .writer' | tail -n 1)
    echo "${holder//\"/}"
    [[ -n $holder ]]
}

# Changes the specs of 10 MCPServers all the time, so that there is always something to write.
churn() {
    local i=0
    while :; do
        change_server "churn-$((i % 10))" "{\"replicas\": $((i / 10 % 3 + 1))}"
        sleep 0.1
        i=$((i + 1))
    done
}

start_churn() {
    local i
    for i in {0..9}; do
        create_server "churn-$i"
    done
    spawn churn
    wait_for 10 is_written_since "$(now)"
}

now() {
    date -u +%FT%T.%6NZ
}

# has_written WRITER TIME: whether it has written a status since then.
has_written() {
    audit "select(.what == \"mcpservers/status\" and .writer == \"$1\" and
        .requestReceivedTimestamp > \"$2\" and .code < 300)" | grep . >/dev/null
}

is_written_since() {
    has_written "$(leader)" "$1"
}

# first_of_another WRITER TIME: milliseconds from TIME to the first status written by another one.
first_of_another() {
    local milliseconds
    milliseconds=$(audit "select(.what == \"mcpservers/status\" and .code < 300 and
        (.writer | startswith(\"capstan\")) and .writer != \"$1\" and
        .requestReceivedTimestamp > \"$2\") | .requestReceivedTimestamp" | sed -n 1p |
        jq -r --arg began "$2" 'def ms: (.[:19] + "Z" | fromdate) * 1000 +
            (.[20:23] | tonumber); (. | ms) - ($began | ms)')
    echo "$milliseconds"
    [[ -n $milliseconds ]]
}

# Tells for each write whether its writer held the Lease when the write came in. A renewal counts from its
# answer on. The Lease is lost when another one takes it, or when its holder releases it.
foreign_writes() {
    audit 'select(.writer | startswith("capstan"))' | jq -s -c 'map(if .what == "leases" then
            select(.code < 300) | . + {at: .stageTimestamp}
        else . + {at: .requestReceivedTimestamp} end) | sort_by(.at) |
        reduce .[] as $event ({holder: null, found: []};
            if $event.what == "leases" then
                .holder = (if ($event.requestObject.spec.holderIdentity // "") == "" then null
                    else $event.writer end)
            elif $event.writer == .holder then .
            else .found += [{at: $event.at, writer: $event.writer, holder, what: $event.what}]
            end) | .found[]'
}

expect_one_writer() {
    expect 'writes of those that did not hold the Lease' "$(foreign_writes | head -n 3)" ''
}

# take_over SIGNAL BOUND: sends it to the leader. Another one has to write in time. Prints the old
# leader.
take_over() {
    local former began milliseconds
    former=$(leader)
    began=$(now)
    send "$former" "$1"
    wait_for 40 first_of_another "$former" "$began"
    milliseconds=$(first_of_another "$former" "$began")
    echo "figure: SIG$1: another one wrote after $milliseconds ms" >&2
    expect_at_most "milliseconds until another one wrote after SIG$1" "$milliseconds" "$2"
    echo "$former"
}

test_only_the_holder_of_the_lease_writes() {
    start_churn
    sleep 5
    expect_one_writer
}

test_those_that_do_not_lead_answer_too() {
    local i
    create_server one '{"replicas": 3}'
    for i in 1 2 3; do
        expect "the answer of capstan-$i" "$(deployment_json one 3 | review capstan-$i)" \
            '[{"op":"add","path":"/spec/replicas","value":1}]'
    done
}

test_the_lease_is_as_it_should_be() {
    expect 'its duration' "$(k -n capstan-system get lease capstan \
        -o jsonpath='{.spec.leaseDurationSeconds}')" 15
}

test_a_lease_that_is_deleted_is_made_again() {
    start_churn
    k -n capstan-system delete lease capstan
    wait_for 30 k -n capstan-system get lease capstan
    wait_for 30 is_written_since "$(now)"
    expect_one_writer
}

test_sigkill_of_the_leader_of_three() {
    local former
    start_churn
    former=$(take_over KILL $takeover_after_kill)
    start_capstan "$former" --leader-elect
    sleep 3
    expect_one_writer
}

test_sigterm_of_the_leader_of_three() {
    local former
    start_churn
    former=$(take_over TERM $takeover_after_release)
    end "$former"
    expect 'its exit status' "$(cat "$CLUSTER/$former.status")" 0
    start_capstan "$former" --leader-elect
    expect_one_writer
}

losses_of() {
    log_of "$1" leader.lost | wc -l
}

test_sigstop_of_the_leader_of_three_and_its_return() {
    local former began losses
    start_churn
    losses=$(losses_of "$(leader)")
    former=$(take_over STOP $takeover_after_kill)
    began=$(now)
    send "$former" CONT
    sleep 8
    expect_one_writer
    ! has_written "$former" "$began" || [[ $(leader) == "$former" ]] ||
        fail "$former wrote after its return"
    expect "how often $former says that it lost the Lease" "$(losses_of "$former")" $((losses + 1))
    expect 'its readiness' "$(ready_code "$former")" 200
}

# The pause ends before another one may take over. The leader must first ask whether it still leads.
test_a_short_sigstop_of_the_leader() {
    local former i
    start_churn
    for i in 3 12; do
        former=$(leader)
        send "$former" STOP
        sleep "$i"
        send "$former" CONT
        wait_for 30 is_written_since "$(now)"
    done
    expect_one_writer
}

test_two_replicas() {
    local former
    former=$(leader)
    # A replica that does not lead stops.
    stop_capstan "$([[ $former == capstan-1 ]] && echo capstan-2 || echo capstan-1)"
    start_churn
    former=$(take_over KILL $takeover_after_kill)
    start_capstan "$former" --leader-elect
    former=$(take_over TERM $takeover_after_release)
    end "$former"
    start_capstan "$former" --leader-elect
    former=$(take_over STOP $takeover_after_kill)
    send "$former" CONT
    sleep 5
    expect_one_writer
}
