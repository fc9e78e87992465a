# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The API server accepts some certificates of a webhook; `capstan doctor` has to agree on each. The
# webhook fails closed, so if a write goes through, the certificate was accepted.

# An expired pair is served only by a process whose clock is behind. The API server's certificate has to
# be valid by that clock too.
dated=(faketime -f -60d)

setup() {
    install_crd upstream
    api admin POST "$secrets_path" '{"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "capstan-certs"}}' >/dev/null
    register_service "$(webhook_port capstan)"
    # Without the faketime program; it would take the signals.
    printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME=-30d exec "%s" "$@"\n' \
        "$(dpkg -L libfaketime | grep '/libfaketimeMT\.so')" "$(realpath "$CAPSTAN")" >"$CLUSTER/behind"
    chmod +x "$CLUSTER/behind"
    mkdir "$CLUSTER/made"
}

# made FILE: its path, in the folder of everything that a test makes.
made() {
    echo "$CLUSTER/made/$NAMESPACE-$1"
}

# certificate FILE SUBJECT EXTENSIONS [OPTION OF OPENSSL]...: makes it and its key. EXTENSIONS are lines
# of openssl.cnf; the certificate has no others.
certificate() {
    local file
    file=$(made "$1")
    printf '%s\n' '[req]' 'distinguished_name = name' 'x509_extensions = extensions' '[name]' \
        '[extensions]' "$3" >"$file.cnf"
    "${clock[@]}" openssl req -x509 -config "$file.cnf" -nodes -days 10 -subj "$2" \
        -keyout "$file.key" -out "$file.crt" "${@:4}" 2>"$file.log" || fail "$(cat "$file.log")"
}

clock=()
ec=(-newkey ec -pkeyopt ec_paramgen_curve:P-256)
constraints='basicConstraints = critical,CA:TRUE'
for_server='extendedKeyUsage = serverAuth'
named='subjectAltName = DNS:capstan.capstan-system.svc'

# ca FILE [EXTENSIONS [SUBJECT]]
ca() {
    certificate "$1" "${3-/CN=CA}" "${2-$constraints$'\n'keyUsage = critical,keyCertSign,cRLSign}" "${ec[@]}"
}

# leaf FILE CA [EXTENSIONS [SUBJECT [OPTION FOR THE KEY]...]]
leaf() {
    local key=("${@:5}")
    ((${#key[@]} > 0)) || key=("${ec[@]}")
    certificate "$1" "${4-/CN=x}" "${3-$named$'\n'$for_server}" "${key[@]}" \
        -CA "$(made "$2").crt" -CAkey "$(made "$2").key"
}

# serve FILE [PROGRAM]: starts Capstan again, so that no connection is left from before.
serve() {
    local file folder=$CLUSTER/served CAPSTAN=${2-$CAPSTAN}
    file=$(made "$1")
    mkdir -p "$folder"
    cp "$file.crt" "$folder/tls.crt"
    cp "$file.key" "$folder/tls.key"
    end capstan
    launch_self_certified capstan --webhook-cert-path "$folder"
    wait_for 10 is_served "$file.crt"
}

is_served() {
    local served
    served=$(openssl s_client -connect "127.0.0.1:$(webhook_port capstan)" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint) &&
        [[ $served == "$(openssl x509 -in "$1" -noout -fingerprint)" ]]
}

# A dry run of a write. The API server asks the webhook about it.
may_write() {
    api admin POST "$(server_path)?dryRun=All" "$(server_json probe '{"replicas": 3}')"
}

# expect_refusal WHAT: a write fails because of the certificate.
expect_refusal() {
    local output='' deadline=$((SECONDS + 10))
    until [[ $output == *x509:* ]]; do
        ((SECONDS < deadline)) || fail "$1: refused for another reason: $output"
        ! output=$(may_write 2>&1) || fail "$1: accepted"
    done
}

doctor_says() {
    { "$CAPSTAN" doctor --kubeconfig "$CLUSTER/admin.kubeconfig" -o json || true; } |
        jq -r '.checks[] | select(.name == "ca-bundle") | .level + ": " + .message'
}

# judge VERDICT FILE BUNDLE [PROGRAM]: the API server and doctor have to come to this verdict if FILE is
# served and the CAs of BUNDLE (words) are trusted. The bundle gets a new CA as well. Once the API server
# accepts a certificate of that CA, it has learnt of the bundle, and its next answer is about FILE.
judge() {
    local verdict=$1 file=$2 name bundle=() level='^ok: '
    for name in $3; do
        bundle+=("$(made "$name").crt")
    done
    ca known "$constraints" /CN=known
    leaf known-leaf known
    set_bundles "$(cat "${bundle[@]}" "$(made known).crt" | base64 -w 0)"
    serve known-leaf
    wait_for 10 may_write
    serve "$file" "${@:4}"
    if [[ $verdict == accepted ]]; then
        wait_for 10 may_write
    else
        expect_refusal "$file"
        level='^problem: '
    fi
    api admin PATCH "$secret_path" \
        "{\"data\": {\"tls.crt\": \"$(base64 -w 0 "$(made "$file").crt")\"}}" >/dev/null
    expect_match "what doctor says of $file" "$(doctor_says)" "$level"
}

# The API server accepts keyUsage without digitalSignature, but GnuTLS does not serve it.
test_keys_and_names_that_are_accepted() {
    local name
    ca ca
    leaf p-256 ca
    leaf rsa-2048 ca "$named"$'\n'"$for_server" /CN=x -newkey rsa:2048
    leaf ed25519 ca "$named"$'\n'"$for_server" /CN=x -newkey ed25519
    leaf no-extended-usage ca "$named"
    leaf wildcard ca "subjectAltName = DNS:*.capstan-system.svc"$'\n'"$for_server"
    leaf no-subject ca "${named/= /= critical,}"$'\n'"$for_server" /
    for name in p-256 rsa-2048 ed25519 no-extended-usage wildcard no-subject; do
        judge accepted "$name" ca
    done
}

test_leaves_that_are_refused() {
    local name clock=()
    ca ca
    leaf common-name ca "$for_server" /CN=capstan.capstan-system.svc
    leaf long-name ca "$named.cluster.local"$'\n'"$for_server"
    leaf for-clients ca "$named"$'\nextendedKeyUsage = clientAuth'
    for name in common-name long-name for-clients; do
        judge refused "$name" ca
    done
    clock=(faketime -f -31d)
    leaf expired ca
    clock=()
    judge refused expired ca "$CLUSTER/behind"
}

test_cas_that_are_refused_and_cas_of_one_subject() {
    ca unconstrained 'keyUsage = critical,keyCertSign'
    leaf of-unconstrained unconstrained
    judge refused of-unconstrained unconstrained
    ca signs-nothing "$constraints"$'\nkeyUsage = critical,digitalSignature'
    leaf of-signs-nothing signs-nothing
    judge refused of-signs-nothing signs-nothing
    # Without key identifiers, so that only the key tells them apart.
    ca old "$constraints"
    ca new "$constraints"
    leaf of-old old
    leaf of-new new
    judge refused of-new old
    judge accepted of-new 'old new'
    judge accepted of-old 'old new'
}

# More rows than these are in tests/edge/x509/test_x509_strict.c.
test_what_go_judges_in_a_chain_beyond_openssl() {
    local key usage
    for usage in clientAuth codeSigning 1.2.3.4; do
        ca "only-$usage" "$constraints"$'\n'"extendedKeyUsage = $usage" "/CN=only-$usage"
        leaf "of-only-$usage" "only-$usage"
        judge refused "of-only-$usage" "only-$usage"
    done
    for usage in anyExtendedKeyUsage clientAuth,serverAuth; do
        ca "with-$usage" "$constraints"$'\n'"extendedKeyUsage = $usage" "/CN=with-$usage"
        leaf "of-with-$usage" "with-$usage"
        judge accepted "of-with-$usage" "with-$usage"
    done
    ca ca
    leaf sha1 ca "$named"$'\n'"$for_server" /CN=x "${ec[@]}" -sha1
    judge refused sha1 ca
    leaf sha384 ca "$named"$'\n'"$for_server" /CN=x "${ec[@]}" -sha384
    judge accepted sha384 ca
    leaf negative ca "$named"$'\n'"$for_server" /CN=x "${ec[@]}" -set_serial -1
    judge refused negative ca
    for key in 512 1024; do
        certificate "rsa-$key" "/CN=rsa-$key" "$constraints" -newkey "rsa:$key"
        leaf "of-rsa-$key" "rsa-$key"
    done
    judge refused of-rsa-512 rsa-512
    judge accepted of-rsa-1024 rsa-1024
}

# below CA FILE [EXTENSIONS]: a CA below the other one, and a leaf of it, which comes with its CA.
below() {
    leaf "$2-ca" "$1" "${3-$constraints}" "/CN=$2-ca"
    leaf "$2" "$2-ca"
    cat "$(made "$2-ca").crt" >>"$(made "$2").crt"
}

test_names_lengths_and_extensions_of_a_chain() {
    local subtree
    for subtree in 'permitted;DNS:svc' 'excluded;DNS:com'; do
        ca allows "$constraints"$'\n'"nameConstraints = critical,$subtree" /CN=allows
        leaf of-allows allows
        judge accepted of-allows allows
    done
    for subtree in 'permitted;DNS:com' 'excluded;DNS:capstan-system.svc' 'permitted;RID:1.2.3'; do
        ca forbids "$constraints"$'\n'"nameConstraints = critical,$subtree" /CN=forbids
        leaf of-forbids forbids
        judge refused of-forbids forbids
    done
    ca short "$constraints,pathlen:0" /CN=short
    below short of-short
    judge refused of-short short
    ca long "$constraints,pathlen:1" /CN=long
    below long of-long
    judge accepted of-long long
    below long for-clients-below "$constraints"$'\nextendedKeyUsage = clientAuth'
    judge refused for-clients-below long
    ca strange "$constraints"$'\n1.2.3.4 = critical,ASN1:NULL' /CN=strange
    leaf of-strange strange
    judge refused of-strange strange
    leaf usual long "$named"$'\n'"$for_server"$'\n1.2.3.4 = ASN1:NULL'
    judge accepted usual long
}

test_a_leaf_that_is_its_own_bundle_is_accepted() {
    certificate itself /CN=x "$named"$'\n'"$for_server" "${ec[@]}"
    judge accepted itself itself
}
