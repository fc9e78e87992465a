# shellcheck shell=bash disable=SC2034,SC2154 # names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The programs that the groups need, and the versions of Kubernetes that they run on. To be sourced;
# the caller sets scratch, a folder. A group's file says what it needs beyond kube-apiserver, etcd and
# kubectl, and on which older version it runs besides the newest:
#
#   needs='kube-controller-manager kwok'
#   older='1.30'

# newest_is_there: unless only 1.20 is.
newest_is_there=true
# The reasons of the groups that are not run, by name.
declare -A not_run=()
# The folder of the source of ToolHive's operator, for its CRDs and its chart. Empty: not to be had.
TOOLHIVE=
TOOLHIVE_OLD=
# And of kwok, for what a node and a pod go through.
KWOK=
# And of KEDA, for its CRDs and rights.
KEDA=

get_program() {
    tests/support/kubernetes/get "$@"
}

# take VERSION NAME...: links to these programs in a folder of that version. Fails with status 3 if no
# module proxy can be reached.
take() {
    local folder=$scratch/tools-$1 path name
    mkdir -p "$folder"
    for name in "${@:2}"; do
        path=$(get_program "$name") || return
        ln -sf "$path" "$folder/${name%-1.[0-9]*}"
    done
}

# version_of GROUP: of Kubernetes, newest or 1.30.
version_of() {
    case $1 in
    *-1.[0-9]*) echo "1.${1##*-1.}" ;;
    *) echo newest ;;
    esac
}

# find_programs GROUP...: makes what they need. Notes in not_run what cannot be had.
find_programs() {
    local group status=0
    take newest etcd kube-apiserver kubectl || status=$?
    if ((status == 3)); then
        newest_is_there=false
        take newest etcd kube-apiserver-1.20 kubectl-1.20 || return
    elif ((status != 0)); then
        return 1
    else
        TOOLHIVE=$(get_program --source toolhive-0.48) || (($? == 3)) || return
    fi
    for group in "$@"; do
        status=0
        find_programs_of "$group" || status=$?
        ((status == 0 || status == 3)) || return
        ((status == 0)) || not_run[$group]='no module proxy can be reached'
    done
}

find_programs_of() {
    local version needed
    version=$(version_of "$1")
    needed=$(said_by "$1" needs)
    # Beside 1.20 an older API server says nothing more, and controllers and operators of today do not run.
    $newest_is_there || [[ $version == newest && -z $needed ]] || return 3
    if [[ $version != newest ]]; then
        take "$version" etcd "kube-apiserver-$version" "kubectl-$version" || return
    fi
    # shellcheck disable=SC2086 # a list
    [[ -z $needed ]] || take "$version" $needed || return
    if [[ $needed == *kwok* ]]; then
        KWOK=$(get_program --source kwok) || return
    fi
    if [[ $needed == *keda* ]]; then
        KEDA=$(get_program --source keda) || return
    fi
    if [[ $needed == *thv-operator-0.10* ]]; then
        TOOLHIVE_OLD=$(get_program --source toolhive-0.10) || return
    fi
}

# use_kubernetes VERSION: sets TOOLS, and MINOR, 37 for 1.37.
use_kubernetes() {
    TOOLS=$scratch/tools-$1
    MINOR=$(kubernetes_of "$1" | sed -E 's/^1\.([0-9]+).*/\1/')
}

kubernetes_of() {
    "$scratch/tools-$1/kube-apiserver" --version | sed 's/^Kubernetes v//'
}

# say_programs: the versions, as the programs tell them, and what could not run.
say_programs() {
    local folder group kubernetes=()
    for folder in "$scratch"/tools-*; do
        kubernetes+=("$(kubernetes_of "${folder##*/tools-}")")
    done
    echo "        Kubernetes $(printf '%s\n' "${kubernetes[@]}" | sort -rV | paste -sd, |
        sed 's/,/ and /'), etcd $(
        "$scratch/tools-newest/etcd" --version | sed -n 's/^etcd Version: //p')$(operators)"
    for group in "${!not_run[@]}"; do
        echo "not run: $group (${not_run[$group]})"
    done | sort
}

# The operators do not tell a version; the folder that they are kept in does.
operators() {
    local program
    for program in "$scratch"/tools-newest/{thv-operator,thv-operator-0.10,kwok,keda-operator}; do
        [[ ! -L $program ]] || printf ', %s' "$(basename "$(dirname "$(readlink "$program")")")"
    done
}
