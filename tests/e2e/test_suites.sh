# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# The integration suites of ToolHive's operator, on a cluster with Capstan in it: each spec has to end as
# it does without Capstan. The tests build on one another: the first runs without Capstan.
#
# There is one exception. A spec plays an autoscaler with the operator's own credentials: it sets the count
# of a VirtualMCPServer's Deployment, whose spec.replicas is not set. Capstan takes it for the operator, and
# puts the count back (row 7). With other operatorUsers that spec passes, too.

needs='helm thv-operator mcp-server.test mcp-remote-proxy.test virtualmcp.test mcp-group.test'

# Each run has a new cluster, since the suites leave objects behind.
setup() {
    :
}

suites='mcp-server mcp-remote-proxy virtualmcp mcp-group'

# The operator's user may do everything: the suites make namespaces and more in its name.
new_cluster() {
    end apiserver KILL
    end etcd KILL
    rm -rf "$ETCD_DATA"
    mkdir -m 700 "$ETCD_DATA"
    start_etcd
    start_apiserver
    prepare_cluster
    k create namespace "$NAMESPACE" >/dev/null
    install_operator "$TOOLHIVE"
    write_operator_kubeconfig
    k create clusterrolebinding suites --clusterrole cluster-admin \
        --serviceaccount toolhive-system:toolhive-operator >/dev/null
}

# run_suite NAME: prints each spec and how it ended. A spec may be tried again: one of them waits for the
# moment between the deletion of a ConfigMap and the operator's making it anew. The suites read the
# CRDs by a relative path.
run_suite() {
    local report=$CLUSTER/$1.json program
    program=$(realpath "$TOOLS/$1.test")
    rm -f "$report"
    (
        cd "$TOOLHIVE/cmd/thv-operator/test-integration/$1" &&
            env USE_EXISTING_CLUSTER=true KUBECONFIG="$CLUSTER/operator.kubeconfig" \
                "${no_reports[@]}" "$program" -test.timeout 15m -ginkgo.flake-attempts 5 \
                -ginkgo.json-report "$report"
    ) >"$CLUSTER/$1.log" 2>&1 || true
    [[ -s $report ]] || fail "$1 did not report: $(tail -n 20 "$CLUSTER/$1.log")"
    jq -r --arg suite "$1" '.[].SpecReports[] | select(.LeafNodeType == "It") |
        "\(.State) \($suite): \(.ContainerHierarchyTexts | join(" ")) \(.LeafNodeText)"' "$report"
}

# tried_again: how many specs of all suites were, when they ran last.
tried_again() {
    jq -s '[.[][].SpecReports[] | select(.NumAttempts > 1)] | length' "$CLUSTER"/{mcp,virtualmcp}*.json
}

# run_suites FILE [OPTION OF CAPSTAN]...: all of them. With options, or --, beside Capstan.
run_suites() {
    local file=$1 suite n_reviews=0
    shift
    for suite in $suites; do
        new_cluster
        if (($# > 0)); then
            start_capstan capstan "${@:2}"
            register capstan
        fi
        run_suite "$suite" >>"$file.unsorted"
        if (($# > 0)); then
            n_reviews=$((n_reviews + $(reviews_answered capstan)))
            stop_capstan capstan
        fi
    done
    LC_ALL=C sort "$file.unsorted" >"$file"
    echo "figure: $(wc -l <"$file") specs ran, $(tried_again) of them more than once;" \
        "Capstan answered $n_reviews reviews"
    (($# == 0 || n_reviews > 100)) || fail 'Capstan was hardly asked'
}

test_1_without_capstan() {
    run_suites "$CLUSTER/without"
    expect 'specs that did not pass' "$(grep -v '^passed ' "$CLUSTER/without")" ''
    (($(wc -l <"$CLUSTER/without") > 150)) || fail 'there are not enough specs'
}

test_2_with_the_default_policy() {
    run_suites "$CLUSTER/default" --
    expect 'specs that end otherwise' "$(diff "$CLUSTER/without" "$CLUSTER/default" | sed -n 's/^> //p')" \
        "$(grep 'Should not override externally-set replicas on reconcile' "$CLUSTER/without" |
            sed 's/^passed/failed/')"
}

test_3_with_the_strictest_policy_that_enforces() {
    cat >"$CLUSTER/strict.yaml" <<'END'
apiVersion: capstan.dev/v1
kind: PolicyConfig
stdioCap: {mode: enforce, rewriteSpec: true, preventSurge: true}
replicas: {mode: enforce, operatorUsers: ["system:serviceaccount:toolhive-system:another"]}
gracePeriod: {mode: enforce, seconds: 60, minimum: true}
END
    run_suites "$CLUSTER/strict" -- --config "$CLUSTER/strict.yaml"
    diff "$CLUSTER/without" "$CLUSTER/strict"
}
