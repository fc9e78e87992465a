# shellcheck shell=bash disable=SC2154 # scratch is the caller's
# SPDX-License-Identifier: Apache-2.0
#
# Fetches Debian's packages and source packages without installing them. Source this file. The caller
# sets
#   scratch  a folder of its own, which holds the state of apt; the machine's own stays unchanged

# derive_sources [backports]: uses the machine's own sources of packages, and adds source packages, or
# the backports of the same sources. A file has one of two formats.
derive_sources() {
    local file parts=$scratch/apt/sources
    mkdir -p "$parts"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ -f $file ]] || continue
        sed -nE 's/^[[:space:]]*deb([[:space:]].*)/deb\1\ndeb-src\1/p' "$file" \
            >"$parts/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [[ -f $file ]] || continue
        sed -E 's/^[Tt]ypes:.*\<deb\>([^-].*)?$/Types: deb deb-src/' "$file" \
            >"$parts/$(basename "$file")"
    done
    [[ ${1-} != backports ]] || sed -i -E 's/\<bookworm(-updates|-security)?\>/bookworm-backports/g' \
        "$parts"/*
}

# apt_get ARGUMENT..., apt_cache ARGUMENT...: run with those sources.
apt_get() {
    with_sources apt-get -q -y "$@"
}

apt_cache() {
    with_sources apt-cache "$@"
}

with_sources() {
    "$1" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$scratch/apt/sources" \
        -o Dir::State="$scratch/apt/state" -o Dir::State::lists="$scratch/apt/state/lists" \
        -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$scratch/apt/cache" \
        -o Acquire::Languages=none -o APT::Sandbox::User=root -o APT::Update::Post-Invoke-Success= \
        "${@:2}"
}

# apt_update [backports]: call this before the first use. It goes on if a source cannot be reached, which
# may not be needed.
apt_update() {
    derive_sources "$@"
    mkdir -p "$scratch"/apt/{state,cache}/{lists,archives}/partial
    apt_get update
}
