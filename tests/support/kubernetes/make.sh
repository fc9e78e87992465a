# shellcheck shell=bash disable=SC2154 # names of `get`
# SPDX-License-Identifier: Apache-2.0
#
# Makes one program for `get`. To be sourced by it; it sets
#
#   here, cache, no_proxy_status
#   program, version, source, package, folder  of what is to be made

# One build at a time: two would not be done sooner.
take_lock() {
    mkdir -p "$cache" || exit 1
    exec 9>"$cache/lock" || exit 1
    if ! flock -n 9; then
        echo "kubernetes: another run is building; waiting for it before $program $version"
        flock 9
    fi
}

# make_scratch [TEMPLATE]
make_scratch() {
    scratch=$(mktemp -d "$@") || exit 1
    build=''
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

clean_up() {
    trap '' INT TERM HUP
    # The build is a group of processes of its own.
    [[ -z $build ]] || kill -- "-$build" 2>/dev/null
    chmod -R u+w "$scratch" 2>/dev/null
    rm -rf "$scratch"
}

# watch_build WHAT: a line that counts on a terminal, else a line each 30 s.
watch_build() {
    local elapsed said=0 say="kubernetes: making $1, once"
    echo "$say"
    while kill -0 "$build" 2>/dev/null; do
        sleep 0.2
        elapsed=$((SECONDS - began))
        if [[ -t 2 ]]; then
            printf '\r\e[K%s: %d:%02d' "$say" $((elapsed / 60)) $((elapsed % 60))
        elif ((elapsed - said >= 30)); then
            said=$elapsed
            echo "$say: $elapsed s"
        fi
    done
    [[ ! -t 2 ]] || printf '\r\e[K'
}

# check_program PATH: it runs, and tells the version that was asked for, if it knows one.
check_program() {
    local output arguments=(--help) expected='[Uu]sage'
    case $program in
    kube-* | kwok | etcd | promtool) arguments=(--version) expected=${version//./\\.} ;;
    kubectl) arguments=(version --client) expected=${version//./\\.} ;;
    helm | kustomize) arguments=(version) expected=${version//./\\.} ;;
    kubeconform) arguments=(-v) expected=${version//./\\.} ;;
    *.test) expected=-ginkgo.seed ;;
    esac
    output=$("$1" "${arguments[@]}" 2>&1) || echo "$program ${arguments[*]} ended with status $?"
    [[ ! $output =~ $expected ]] || return 0
    echo "$program ${arguments[*]} says nothing of '$expected', but: $output"
    return 1
}

# find_go: sets go, the command of a Go that is new enough.
find_go() {
    local minor root
    go=(go)
    minor=$(go env GOVERSION 2>/dev/null | sed -nE 's/^go1\.([0-9]+).*/\1/p')
    ((${minor:-0} < 26)) || return 0
    root=$(compgen -G "$cache/go-debian/usr/lib/go-1.*")
    if [[ -z $root ]]; then
        echo "kubernetes: there is no Go 1.26 or newer; unpacking the one of Debian's backports" >&2
        unpack_go >&2 || return
        root=$(compgen -G "$cache/go-debian/usr/lib/go-1.*") || return
    fi
    # This Go fetches the toolchain that a go.mod asks for, as a module.
    go=(env GOROOT="$root" GOTOOLCHAIN=auto "$root/bin/go")
}

unpack_go() {
    local newest
    fetch_lists backports
    newest=$(apt_cache search --names-only '^golang-1\.[0-9]+-go$' | sort -V | tail -n 1)
    newest=${newest%% *}
    if [[ -z $newest ]]; then
        echo "kubernetes: Debian's backports have no Go, or cannot be reached"
        return "$no_proxy_status"
    fi
    unpack_packages "$newest" "${newest%-go}-src" &&
        mv -T "$scratch/unpacked" "$cache/go-debian"
}

# unpack_packages NAME...: of Debian, into $scratch/unpacked.
unpack_packages() {
    local file
    mkdir -p "$scratch"/{packages,unpacked}
    (cd "$scratch/packages" && apt_get download "$@") || return
    for file in "$scratch"/packages/*.deb; do
        dpkg-deb -x "$file" "$scratch/unpacked" || return
    done
}

# in_module FOLDER ARGUMENT...: Go, with the go.mod and go.sum of that folder and nothing besides.
in_module() {
    GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false' CGO_ENABLED=0 \
        nice "${go[@]}" -C "$here/$1" "${@:2}"
}

# or_no_proxy COMMAND...: if it fails since no proxy can be reached, fails with no_proxy_status. A
# proxy that answers with an HTTP status can be reached.
or_no_proxy() {
    local status=0 errors=$scratch/errors
    "$@" 2>"$errors" || status=$?
    cat "$errors" >&2
    if ((status != 0)) && ! grep -qE '\.(info|mod|zip): [45][0-9][0-9] ' "$errors" &&
        grep -qE 'dial (tcp|udp)|lookup .*:|proxyconnect|GOPROXY=off|Client\.Timeout|TLS|": (EOF|Forbidden|Bad Gateway)' "$errors"; then
        status=$no_proxy_status
    fi
    return "$status"
}

# download_module FOLDER MODULE
download_module() {
    or_no_proxy in_module "$1" mod download "$2"
}

# stamps: options of the linker that set the variables in which a program keeps its version.
stamps() {
    local variable minor=${version#*.}
    minor=${minor%%.*}
    case $source in
    kubernetes-*)
        for variable in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
            printf -- '-X %s.gitVersion=v%s ' "$variable" "$version"
            printf -- '-X %s.gitMajor=1 -X %s.gitMinor=%s ' "$variable" "$variable" "$minor"
        done
        ;;
    kwok) printf -- '-X sigs.k8s.io/kwok/pkg/consts.Version=v%s' "$version" ;;
    helm)
        printf -- '-X helm.sh/helm/v3/internal/version.version=v%s ' "$version"
        # The version of Kubernetes for which it renders charts.
        for variable in helm.sh/helm/v3/pkg/{lint/rules,chartutil}; do
            printf -- '-X %s.k8sVersionMajor=1 -X %s.k8sVersionMinor=37 ' "$variable" "$variable"
        done
        ;;
    kustomize) printf -- '-X sigs.k8s.io/kustomize/api/provenance.version=v%s' "$version" ;;
    kubeconform) printf -- '-X main.version=v%s' "$version" ;;
    esac
}

compile_module() {
    local module pinned verb=(build)
    read -r module pinned < <(module_of "$source")
    if [[ $pinned != "$version" ]]; then
        echo "the table has $program $version, and $source/go.mod has $module $pinned"
        return 1
    fi
    tests/support/packages modules
    find_go && download_module "$source" "$module" || return
    [[ $program != *.test ]] || verb=(test -c -vet=off)
    # The linker's -s -w leaves out what debuggers read, so the compiler need not make it.
    or_no_proxy in_module "$source" "${verb[@]}" -trimpath -gcflags all=-dwarf=false \
        -ldflags "-s -w $(stamps)" -o "$scratch/result/$program" "$package"
}

# Lists that cannot be renewed may still be good enough; if not, the download tells.
fetch_lists() {
    tests/support/packages modules
    apt_update "$@"
}

unpack_program() {
    fetch_lists
    unpack_packages "$package" && mv "$scratch/unpacked/usr/bin/$program" "$scratch/result"
}

# The reflect2 that comes with the source crashes when Go 1.19 compiles it.
compile_debian_source() {
    local tree reflect2=github.com/modern-go/reflect2
    tests/support/packages kubernetes-source
    fetch_lists
    unpack_packages golang-github-modern-go-reflect2-dev || return
    (cd "$scratch/packages" && apt_get source kubernetes) || return
    tree=$(compgen -G "$scratch/packages/kubernetes-*really$version*/") ||
        { echo "the source package is not of version $version" && return 1; }
    rm -rf "$tree/vendor/$reflect2"
    cp -R "$scratch/unpacked/usr/share/gocode/src/$reflect2" "$tree/vendor/$reflect2" || return
    env PATH=/usr/sbin:/usr/bin:/sbin:/bin GOCACHE="$scratch/go" make -C "$tree" \
        WHAT="$package" GOFLAGS= KUBE_GIT_VERSION="v$version" GOLDFLAGS='-s -w' \
        KUBE_BUILD_PLATFORMS="linux/$(dpkg --print-architecture)" || return
    mv "$tree/_output/bin/$program" "$scratch/result"
}
