# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# What a test says it with. To be sourced. Each ends the test where what is claimed does not hold.

# fail MESSAGE
fail() {
    echo "$1" >&2
    exit 1
}

# wait_for SECONDS COMMAND...: until it succeeds; fails, with what it printed last, if it does not.
# Prints nothing otherwise.
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

# expect_match WHAT ACTUAL PATTERN: a regular expression that it has to contain.
expect_match() {
    [[ $2 =~ $3 ]] || fail "$1: expected a match of '$3' in '$2'"
}

# expect_at_most WHAT ACTUAL LIMIT, of whole numbers
expect_at_most() {
    if [[ ! $2 =~ ^-?[0-9]+$ ]] || (($2 > $3)); then
        fail "$1: expected at most $3, not '$2'"
    fi
}

# refuses COMMAND...: fails if it succeeds; prints what it says.
refuses() {
    local output
    if output=$("$@" 2>&1); then
        fail "should have failed: $*"$'\n'"$output"
    fi
    echo "$output"
}

# prints VALUE COMMAND...: whether that is what it prints, for wait_for; says what it printed.
prints() {
    local wanted=$1 output
    shift
    output=$("$@")
    echo "$output"
    [[ $output == "$wanted" ]]
}
