# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # filters of jq; names of the other files
# SPDX-License-Identifier: Apache-2.0
#
# Kubernetes' own autoscaler at servers that cannot scale, and at those that can. The tests build on one
# another.

needs='kube-controller-manager kwok'
apiserver_options=("${no_watch_lists[@]}")

setup() {
    install_family
    start_controllers
    start_node
    record_pods
    start_capstan capstan
    register capstan
}

# warned NAME [FILTER]: the warnings about a new autoscaler, which stays.
warned() {
    warnings make_autoscaler "$@"
}

# contested [NAME]: the log lines about a contest, of the Deployment NAME or of all.
contested() {
    log_of capstan review.contested | jq -c --arg name "${1-}" 'select($name == "" or .name == $name)'
}

# contests NAME: the Events about a contest over this MCPServer.
contests() {
    k get events.events.k8s.io --namespace "$NAMESPACE" -o json | jq -c --arg name "$1" '
        [.items[] | select(.regarding.kind == "MCPServer" and .regarding.name == $name and
            .reason == "ReplicasContested")]'
}

test_1_at_a_stdio_server_it_is_told_once_and_makes_no_pod() {
    local warning made minutes=$SECONDS
    create_server one
    make_deployment one 1
    warning=$(warned one)
    expect_match 'kubectl apply' "$warning" '^autoscaler: .*cannot scale .*stdio'
    expect 'warnings' "$(n_lines "$warning")" 1
    wait_for 60 has_scaled one 15
    expect replicas "$(replicas_of one)" 1
    read -r made _ < <(pods_of one)
    expect 'pods that were made' "$made" 1
    wait_for 20 prints 1 n_contests one
    expect_match 'the Event' "$(contests one | jq -r '.[].note')" 'HorizontalPodAutoscaler.*one|HPA.*one'
    expect_match 'the Event' "$(contests one | jq -r '.[].note')" 'horizontal-pod-autoscaler'
    # More than a minute, so that there is a second line.
    wait_for 60 has_scaled one $(($(scalings one) + 45))
    wait_for 30 has_lines one 2
    minutes=$(((SECONDS - minutes) / 60 + 1))
    echo "figure: the autoscaler asked $(scalings one) times; $(contested one | wc -l) lines in the log"
    expect_at_most 'lines in the log' "$(contested one | wc -l)" $((minutes + 1))
    expect 'lines without times or user' "$(contested one | jq -c 'select((.times // 0) < 1 or
        (.user | test("horizontal-pod-autoscaler") | not))')" ''
    (($(contested one | jq -s 'map(.times) | max') > 10)) || fail "no line counts: $(contested one)"
    expect 'Events' "$(n_contests one)" 1
    expect 'lines about single decisions' "$(log_of capstan review.decided |
        jq -c 'select(.kind == "Scale" and .name == "one")' | wc -l)" 2
    (($(metric_of capstan_contested_total) > 10)) || fail 'no metric counts it'
}

n_contests() {
    contests "$1" | jq length
}

# has_lines NAME N: whether the log has so many about the contest.
has_lines() {
    (($(contested "$1" | wc -l) >= $2))
}

# metric_of PREFIX: the sum of all metrics whose name begins so.
metric_of() {
    curl -sS --noproxy '*' --fail -m 5 "http://127.0.0.1:$(metrics_port capstan)/metrics" |
        awk -v name="$1" 'index($1, name) == 1 { n += $2 } END { print n + 0 }'
}

test_2_at_other_servers_it_scales_freely() {
    create_server free '{"transport": "sse"}'
    make_deployment free 1
    expect 'warnings' "$(warned free)" ''
    wait_for 30 prints 2 replicas_of free
    make_autoscaler free '.spec.minReplicas = 4' >/dev/null
    wait_for 30 prints 4 replicas_of free
    sleep 3
    expect replicas "$(replicas_of free)" 4
    expect 'lines about a contest' "$(contested free)" ''
}

test_3_spec_replicas_and_an_autoscaler_undo_each_other() {
    local warning kind
    create_group
    for kind in "${family[@]}"; do
        create_member "$kind" "pinned-$kind" "$([[ $kind == mcpservers ]] &&
            echo '{"replicas": 1, "transport": "sse"}' || echo '{"replicas": 1}')"
        make_deployment "pinned-$kind" 1 "$kind"
        warning=$(warned "pinned-$kind" '.spec.maxReplicas = 2')
        expect_match "$kind" "$warning" "^autoscaler: .*spec.replicas .*${kind_of[$kind]} undo each other"
        expect "warnings about $kind" "$(n_lines "$warning")" 1
    done
}

# An autoscaler that the operator sets back asks again, like one that the cap sets back.
test_3b_a_count_that_the_operator_sets_back_is_a_contest_too() {
    local i
    create_server again '{"transport": "sse", "replicas": 1}'
    create_deployment again 1 >/dev/null
    for i in {1..6}; do
        wait_for 10 put_scale again 2
        wait_for 10 update_deployment again '.spec.replicas = 1'
    done
    expect 'lines about a contest' "$(contested again | jq -r '[.rule, .kind] | join(" ")')" \
        'replica-passthrough Scale'
    expect 'lines about single decisions' "$(log_of capstan review.decided |
        jq -c 'select(.kind == "Scale" and .name == "again")' | wc -l)" 2
    expect 'Events' "$(n_contests again)" 0
}

test_4_version_1_is_told_too() {
    create_server one
    make_deployment one 1
    expect_match 'an HPA of autoscaling/v1' \
        "$(warned one '.apiVersion = "autoscaling/v1"')" '^autoscaler: .*stdio'
    expect 'warnings about a maximum of one' \
        "$(warned one '.metadata.name = "another" | .spec.minReplicas = 1 | .spec.maxReplicas = 1')" ''
}

# asked NAME FILTER: creates an autoscaler, and prints how many reviews were answered and the warnings.
asked() {
    local before warning
    before=$(reviews_answered capstan)
    warning=$(make_autoscaler "$1" ".metadata.name = \"asked-$RANDOM\" | $2" 2>&1 >/dev/null)
    echo "$(($(reviews_answered capstan) - before))${warning:+ $warning}"
}

# Other reviews are answered meanwhile, so the autoscalers of before go.
test_5_an_autoscaler_of_something_else_is_none_of_its_business() {
    k delete horizontalpodautoscalers --all --all-namespaces >/dev/null
    create_server one
    make_deployment one 1
    sleep 3
    expect 'of a StatefulSet' "$(asked one '.spec.scaleTargetRef.kind = "StatefulSet"')" 0
    expect 'of a ReplicaSet' "$(asked one '.spec.scaleTargetRef.kind = "ReplicaSet"')" 0
    expect 'of a Deployment of another group' \
        "$(asked one '.spec.scaleTargetRef.apiVersion = "example.com/v1"' | cut -c 3-)" ''
    # Its name tells nothing.
    expect 'of a Deployment that is nobody'\''s' "$(asked nobody .)" 1
    expect 'of a Deployment elsewhere' "$(k create namespace elsewhere >/dev/null &&
        NAMESPACE=elsewhere asked one .)" 1
    expect 'of a namespace that is left alone' "$(NAMESPACE=kube-system asked one .)" 0
    k delete horizontalpodautoscalers --all --all-namespaces >/dev/null
}

test_6_deny_refuses_a_new_one_and_lets_an_old_one_be_edited() {
    create_server one
    create_server two
    create_server free '{"transport": "sse"}'
    create_server pinned '{"transport": "sse", "replicas": 2}'
    make_autoscaler one '.spec.maxReplicas = 4' >/dev/null 2>&1
    write_policy deny 'autoscaler: {mode: deny}'
    stop_capstan capstan
    start_capstan capstan --config "$CLUSTER/deny.yaml"
    expect_match 'a new one' "$(refuses make_autoscaler two)" 'autoscaler: .*stdio'
    expect_match 'a new one at a count of the spec' "$(refuses make_autoscaler pinned)" 'autoscaler: .*spec.replicas'
    expect 'warnings about a free one' "$(warned free)" ''
    expect_match 'a larger maximum' "$(refuses make_autoscaler one)" 'autoscaler: .*stdio'
    expect_match 'another minimum' "$(warned one '.spec.maxReplicas = 4 | .spec.minReplicas = 3')" '^autoscaler: '
    k -n "$NAMESPACE" label horizontalpodautoscaler one edited=yes >/dev/null 2>&1
    expect 'the minimum' "$(k -n "$NAMESPACE" get horizontalpodautoscaler one -o jsonpath='{.spec.minReplicas}')" 3
    stop_capstan capstan
    start_capstan capstan
}

# The other webhooks fail closed here.
test_7_it_can_be_made_while_capstan_is_away() {
    create_server one
    stop_capstan capstan
    refuses create_server two >/dev/null
    expect 'warnings' "$(warned one)" ''
    start_capstan capstan
    create_server two
}
