# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Functions for the claims of a test. To be sourced. Each ends the test if its claim does not hold.

# fail MESSAGE
fail() {
    echo "$1" >&2
    exit 1
}

# wait_for SECONDS COMMAND...: waits until it succeeds. If it does not, fails and prints its last output.
wait_for() {
    local output deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until output=$("$@" 2>&1); do
        if ((${EPOCHREALTIME/./} > deadline)); then
            fail "waited in vain for: $*"$'\n'"$output"
        fi
        sleep 0.05
    done
}

# expect WHAT ACTUAL EXPECTED
expect() {
    [[ $2 == "$3" ]] || fail "$1: expected '$3', not '$2'"
}

# expect_match WHAT ACTUAL PATTERN: ACTUAL has to contain a match of the regular expression.
expect_match() {
    [[ $2 =~ $3 ]] || fail "$1: expected a match of '$3' in '$2'"
}

# expect_at_most WHAT ACTUAL LIMIT, of whole numbers
expect_at_most() {
    if [[ ! $2 =~ ^-?[0-9]+$ ]] || (($2 > $3)); then
        fail "$1: expected at most $3, not '$2'"
    fi
}

# refuses COMMAND...: fails if the command succeeds. Prints its output.
refuses() {
    local output
    if output=$("$@" 2>&1); then
        fail "should have failed: $*"$'\n'"$output"
    fi
    echo "$output"
}

# prints VALUE COMMAND...: whether the command prints VALUE, for wait_for. Shows what it printed.
prints() {
    local wanted=$1 output
    shift
    output=$("$@")
    echo "$output"
    [[ $output == "$wanted" ]]
}
