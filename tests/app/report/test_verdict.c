// SPDX-License-Identifier: Apache-2.0

/*
 * The surroundings of a verdict of `capstan review`: the operation, the defaults, the remarks.
 * test_review_parity.c shows that the verdict itself is the webhook's.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "case.h"
#include "verdict_fixtures.h"

/* Writes JSON with ' for ". */
static char *make_json(const char *text) {
    char *json = memory_copy(text, strlen(text));
    for (char *at = json; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return json;
}

/* All inputs of a verdict. Free them with desk_fini(). */
struct desk {
    struct policy *policy;
    struct facts *facts;
    struct review_old old;
    struct verdict_context context;
};

static void desk_fini(struct desk *desk) {
    policy_free(desk->policy);
    facts_free(desk->facts);
    review_old_fini(&desk->old);
}

/* `policy` and `facts` are JSON texts; NULL: none. */
static void desk_init(struct desk *desk, const char *policy, const char *facts) {
    struct error error;
    *desk = (struct desk){.facts = facts_new()};
    if (policy == NULL) {
        desk->policy = policy_default();
    } else {
        AUTO_FREE char *members = make_json(policy);
        char json[1024];
        snprintf(json, sizeof(json), "{\"apiVersion\":\"%s\",\"kind\":\"%s\",%s}",
                 POLICY_API_VERSION, POLICY_KIND, members);
        if (!policy_decode(json, strlen(json), &desk->policy, &error)) {
            fail_msg("%s", error.text);
        }
    }
    if (facts != NULL) {
        AUTO_FREE char *json = make_json(facts);
        case_put_facts(desk->facts, json);
    }
    desk->context = (struct verdict_context){.policy = desk->policy,
                                             .facts = desk->facts,
                                             .find_old = find_old,
                                             .old = &desk->old,
                                             .fills_defaults = true};
}

static void add_old(struct desk *desk, const char *text) {
    AUTO_FREE char *json = make_json(text);
    struct review_items items = review_items_of(json);
    struct object object;
    assert_true(manifest_read_object(&items.items[0], &object));
    review_old_add(&desk->old, &object);
    review_old_sort(&desk->old);
}

static void judge(const struct desk *desk, const char *text, struct verdict *ret_verdict) {
    AUTO_FREE char *json = make_json(text);
    verdict_on(&desk->context, json, ret_verdict);
    assert_admitted_is_patched(ret_verdict);
}

#define SERVER_OF(namespace, spec)                                                                 \
    "{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','metadata':{'name':"         \
    "'github','namespace':'" namespace "'},'spec':{" spec "}}"
#define SERVER(spec) SERVER_OF("default", spec)
#define LABELS       "'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'github'"
#define DEPLOYMENT_WITH(metadata, spec, pod_spec)                                                  \
    "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'github','labels':{" LABELS    \
    "}" metadata "},'spec':{" spec "'template':{'spec':{" pod_spec "}}}}"
#define DEPLOYMENT(spec, pod_spec) DEPLOYMENT_WITH("", spec, pod_spec)
#define DENY                       "'stdioCap':{'mode':'deny'}"

static void test_verdict__an_object_with_a_former_state_is_updated(void **state) {
    (void)state;
    AUTO(desk_fini) struct desk desk;
    AUTO(verdict_fini) struct verdict verdict;
    desk_init(&desk, DENY, NULL);
    add_old(&desk, SERVER("'replicas':3,'image':'a'"));
    judge(&desk, SERVER("'replicas':3,'image':'b'"), &verdict);
    assert_int_equal(verdict.review.operation, REVIEW_UPDATE);
    /* Users can still edit an object that broke the rule before. */
    assert_false(verdict.decision.is_denied);
    assert_int_equal(verdict.decision.n_warnings, 2);
}

static void test_verdict__an_object_without_one_is_created(void **state) {
    static const struct {
        const char *name;
        const char *old;
    } rows[] = {
        {"none at all", NULL},
        {"another namespace", SERVER_OF("prod", "'replicas':3")},
        {"another kind", DEPLOYMENT("'replicas':3,", "")},
        {"another name", "{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer',"
                         "'metadata':{'name':'weather'},'spec':{'replicas':3}}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        desk_init(&desk, DENY, NULL);
        if (rows[i].old != NULL) {
            add_old(&desk, rows[i].old);
        }
        judge(&desk, SERVER("'replicas':3"), &verdict);
        if (verdict.review.operation != REVIEW_CREATE || !verdict.decision.is_denied) {
            fail_msg("%s: taken for an update", rows[i].name);
        }
        /* A denied object stays unchanged. */
        assert_int_equal(verdict.admitted.size, verdict.submitted.size);
    }
}

static void test_verdict__defaults_are_remarked_on_only_where_they_matter(void **state) {
    static const struct {
        const char *name;
        const char *policy;
        const char *facts;
        const char *object;
        const char *remark; /* NULL: none */
    } rows[] = {
        {"the API server's 30 seconds leave nothing to add", NULL, SERVER("'transport':'sse'"),
         DEPLOYMENT("'replicas':1,", ""),
         "without the API server's defaults, grace-period: terminationGracePeriodSeconds 30"},
        {"and keep a longer period out", "'gracePeriod':{'seconds':60}",
         SERVER("'transport':'sse'"), DEPLOYMENT("'replicas':1,", ""),
         "without the API server's defaults, grace-period: terminationGracePeriodSeconds 60"},
        {"but do not with minimum", "'gracePeriod':{'seconds':60,'minimum':true}",
         SERVER("'transport':'sse'"), DEPLOYMENT("'replicas':1,", ""), NULL},
        {"1 replica is what the spec asks for", NULL, SERVER("'transport':'sse','replicas':1"),
         DEPLOYMENT("", "'terminationGracePeriodSeconds':30"),
         "without the API server's defaults, replica-passthrough: replicas 1"},
        {"two rules at once", NULL, SERVER("'transport':'sse','replicas':1"), DEPLOYMENT("", ""),
         "without the API server's defaults, replica-passthrough: replicas 1; grace-period: "
         "terminationGracePeriodSeconds 30"},
        {"all is there", NULL, SERVER("'transport':'sse','replicas':3"),
         DEPLOYMENT("'replicas':3,", "'terminationGracePeriodSeconds':30"), NULL},
        {"the spec leaves the count open", NULL, SERVER("'transport':'sse'"),
         DEPLOYMENT("", "'terminationGracePeriodSeconds':30"), NULL},
        {"nobody's Deployment", NULL, NULL,
         "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'web'},'spec':"
         "{'template':{'spec':{}}}}",
         NULL},
        {"a missing transport is stdio anyhow", NULL, NULL, SERVER("'replicas':3"), NULL},
        {"a strategy that is filled in is set all the same", "'stdioCap':{'preventSurge':true}",
         SERVER("'replicas':1"), DEPLOYMENT("'replicas':1,", "'terminationGracePeriodSeconds':30"),
         NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        AUTO(verdict_fini) struct verdict raw;
        desk_init(&desk, rows[i].policy, rows[i].facts);
        judge(&desk, rows[i].object, &verdict);
        const char *expected = rows[i].remark == NULL ? "" : rows[i].remark;
        if (strcmp(verdict.remark, expected) != 0) {
            fail_msg("%s: '%s'", rows[i].name, verdict.remark);
        }
        desk.context.fills_defaults = false;
        judge(&desk, rows[i].object, &raw);
        assert_string_equal(raw.remark, "");
    }
}

static void test_verdict__without_defaults_the_manifest_is_submitted_as_it_is(void **state) {
    static const char object[] = "{ \"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\",\n"
                                 "  \"metadata\": {\"name\": \"web\"}, \"n\": 1e400,\n"
                                 "  \"spec\": {\"template\": {\"spec\": {}}} }";
    (void)state;
    AUTO(desk_fini) struct desk desk;
    AUTO(verdict_fini) struct verdict verdict;
    desk_init(&desk, NULL, NULL);
    desk.context.fills_defaults = false;
    verdict_on(&desk.context, object, &verdict);
    assert_int_equal(verdict.submitted.size, strlen(object));
    assert_memory_equal(verdict.submitted.bytes, object, strlen(object));
    assert_memory_equal(verdict.admitted.bytes, object, strlen(object));
}

static void test_verdict__with_defaults_they_are_submitted_and_admitted(void **state) {
    (void)state;
    AUTO(desk_fini) struct desk desk;
    AUTO(verdict_fini) struct verdict verdict;
    desk_init(&desk, NULL, SERVER("'transport':'sse','replicas':3"));
    judge(&desk, DEPLOYMENT("", ""), &verdict);
    assert_non_null(strstr(buffer_text(&verdict.submitted), "\"replicas\":1"));
    assert_non_null(
        strstr(buffer_text(&verdict.submitted), "\"terminationGracePeriodSeconds\":30"));
    assert_non_null(strstr(buffer_text(&verdict.admitted), "\"replicas\":3"));
    assert_string_equal(verdict.decision.steps[STEP_REPLICA_PASSTHROUGH].note, "replicas 3, not 1");
}

#define OWNER(kind)                                                                                \
    ",'ownerReferences':[{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'" kind              \
    "','name':'github','uid':'m-1','controller':true}]"
#define LIVE_SERVER(members)                                                                       \
    "{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','metadata':{'name':"         \
    "'github','namespace':'default','uid':'m-1'" members "},'spec':{'transport':'stdio'}}"

enum outcome { NOT_OURS, CAPPED, UNRESOLVED };

static const char *outcome_name(enum outcome outcome) {
    return outcome == CAPPED ? "capped" : outcome == UNRESOLVED ? "unresolved" : "not ours";
}

static enum outcome outcome_of(const struct verdict *verdict) {
    return verdict->decision.is_unresolved               ? UNRESOLVED
           : verdict->decision.patch.has[PATCH_REPLICAS] ? CAPPED
                                                         : NOT_OURS;
}

/* The MCPServer of a Deployment, with a cluster to ask and without one; and the remark about labels
   that name an unknown MCPServer. */
static void test_verdict__a_deployment_is_whose_owner_or_else_labels_say(void **state) {
    static const char replicas[] = "'replicas':3,";
    static const struct {
        const char *name;
        const char *facts;
        const char *metadata;
        const char *spec;
        enum outcome offline;
        enum outcome in_cluster;
        bool is_orphan;
    } rows[] = {
        {"labels, no facts", NULL, "", replicas, UNRESOLVED, NOT_OURS, true},
        {"labels, an MCPServer elsewhere", SERVER_OF("prod", ""), "", replicas, UNRESOLVED,
         NOT_OURS, true},
        {"labels, a manifest", SERVER(""), "", replicas, CAPPED, CAPPED, false},
        {"labels, a live MCPServer", LIVE_SERVER(""), "", replicas, CAPPED, CAPPED, false},
        {"labels, one being deleted", LIVE_SERVER(",'deletionTimestamp':'2026-01-01T00:00:00Z'"),
         "", replicas, CAPPED, CAPPED, false},
        {"labels, another controller", NULL, OWNER("VirtualMCPServer"), replicas, UNRESOLVED,
         NOT_OURS, false},
        {"labels, being deleted as the manifest says", NULL,
         ",'deletionTimestamp':'2026-01-01T00:00:00Z'", replicas, UNRESOLVED, NOT_OURS, true},
        {"labels, a live Deployment", LIVE_SERVER(""), ",'uid':'d-1'", replicas, NOT_OURS, NOT_OURS,
         false},
        {"labels, a live Deployment, no facts", NULL, ",'uid':'d-1'", replicas, NOT_OURS, NOT_OURS,
         false},
        {"labels, no sound Deployment", LIVE_SERVER(""), "", "'replicas':'3',", NOT_OURS, NOT_OURS,
         false},
        {"owner, no facts", NULL, OWNER("MCPServer"), replicas, UNRESOLVED, NOT_OURS, false},
        {"owner, a manifest", SERVER(""), OWNER("MCPServer"), replicas, CAPPED, CAPPED, false},
        {"owner, live", LIVE_SERVER(""), OWNER("MCPServer"), replicas, CAPPED, CAPPED, false},
        {"owner, live, of a live Deployment", LIVE_SERVER(""), ",'uid':'d-1'" OWNER("MCPServer"),
         replicas, CAPPED, CAPPED, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        char object[1024];
        bool has_cluster = i % 2 == 1;
        desk_init(&desk, NULL, rows[i / 2].facts);
        desk.context.has_cluster = has_cluster;
        snprintf(object, sizeof(object), DEPLOYMENT_WITH("%s", "%s", ""), rows[i / 2].metadata,
                 rows[i / 2].spec);
        judge(&desk, object, &verdict);
        enum outcome expected = has_cluster ? rows[i / 2].in_cluster : rows[i / 2].offline;
        bool is_orphan = strstr(verdict.remark, "its labels name the MCPServer default/github, "
                                                "which is neither under review nor ") != NULL;
        if (outcome_of(&verdict) != expected || is_orphan != rows[i / 2].is_orphan) {
            fail_msg("%s%s: %s; '%s'", rows[i / 2].name, has_cluster ? ", in a cluster" : "",
                     outcome_name(outcome_of(&verdict)), verdict.remark);
        }
    }
}

static void test_verdict__a_recorded_review_is_told_by_its_owner_alone(void **state) {
    static const struct {
        const char *name;
        const char *facts;
        const char *metadata;
        enum outcome offline;
        enum outcome in_cluster;
    } rows[] = {
        {"labels, no facts", NULL, "", NOT_OURS, NOT_OURS},
        {"labels, a live MCPServer", LIVE_SERVER(""), "", NOT_OURS, NOT_OURS},
        {"labels, a manifest", SERVER(""), "", CAPPED, CAPPED},
        {"owner, no facts", NULL, OWNER("MCPServer"), UNRESOLVED, NOT_OURS},
        {"owner, live", LIVE_SERVER(""), OWNER("MCPServer"), CAPPED, CAPPED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows) * 2; i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        char review[2048];
        bool has_cluster = i % 2 == 1;
        desk_init(&desk, NULL, rows[i / 2].facts);
        desk.context.has_cluster = has_cluster;
        snprintf(review, sizeof(review),
                 "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{'uid':"
                 "'u','operation':'CREATE','namespace':'default','kind':{'group':'apps','kind':"
                 "'Deployment'},'object':" DEPLOYMENT_WITH("%s", "'replicas':3,", "") "}}",
                 rows[i / 2].metadata);
        judge(&desk, review, &verdict);
        enum outcome expected = has_cluster ? rows[i / 2].in_cluster : rows[i / 2].offline;
        if (outcome_of(&verdict) != expected) {
            fail_msg("%s%s: %s", rows[i / 2].name, has_cluster ? ", in a cluster" : "",
                     outcome_name(outcome_of(&verdict)));
        }
    }
}

static void test_verdict__says_how_to_make_an_owner_known(void **state) {
    (void)state;
    AUTO(desk_fini) struct desk desk;
    AUTO(verdict_fini) struct verdict verdict;
    desk_init(&desk, NULL, NULL);
    desk.context.explains = true;
    judge(&desk, DEPLOYMENT_WITH(OWNER("MCPServer"), "'replicas':3,", ""), &verdict);
    assert_true(verdict.decision.is_unresolved);
    assert_string_equal(buffer_text(&verdict.explanation),
                        "no rule is asked: its owner is not known; --facts PATH adds more\n");
}

/* `capstan audit` has no --facts. */
static void test_verdict__names_no_option_that_audit_lacks(void **state) {
    (void)state;
    AUTO(desk_fini) struct desk desk;
    AUTO(verdict_fini) struct verdict verdict;
    desk_init(&desk, NULL, NULL);
    desk.context.explains = desk.context.is_live = true;
    judge(&desk, DEPLOYMENT_WITH(OWNER("MCPServer"), "'replicas':3,", ""), &verdict);
    assert_true(verdict.decision.is_unresolved);
    assert_non_null(strstr(buffer_text(&verdict.explanation), "its list failed"));
    assert_null(strstr(buffer_text(&verdict.explanation), "--"));
}

static void test_verdict__remarks_on_what_an_api_server_would_refuse(void **state) {
    static const struct {
        const char *object;
        const char *remark;
    } rows[] = {
        {SERVER("'replicas':'3'"), "an API server would refuse it: spec.replicas is not an integer "
                                   "from 0 to 2147483647"},
        {SERVER("'transport':7"), "an API server would refuse it: spec.transport is not a word"},
        {SERVER("'sessionStorage':{'provider':[]}"),
         "an API server would refuse it: spec.sessionStorage.provider is not a word"},
        {SERVER_OF("a b", ""), "an API server would refuse it: metadata.namespace is not a name"},
        {"{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'Web'},'spec':{}}",
         "an API server would refuse it: metadata.name is not a name"},
        {SERVER("'replicas':2147483647,'sessionStorage':{'provider':'redis'}"), ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        desk_init(&desk, NULL, NULL);
        judge(&desk, rows[i].object, &verdict);
        assert_string_equal(verdict.remark, rows[i].remark);
    }
}

static void test_verdict__other_kinds_pass_as_they_are(void **state) {
    static const char *const objects[] = {
        "{'apiVersion':'v1','kind':'ConfigMap','data':{'a':'b'}}",
        "{'apiVersion':'apps/v1','kind':'StatefulSet','spec':{'replicas':3}}",
        "{'apiVersion':'extensions.example.com/v1','kind':'Deployment','spec':{'replicas':3}}",
        "{'apiVersion':'apps/v1','kind':'Scale','spec':{'replicas':3}}",
        "{'kind':'MCPServer','spec':{'replicas':3}}",
        "{ }",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        AUTO_FREE char *json = make_json(objects[i]);
        desk_init(&desk, NULL, NULL);
        verdict_on(&desk.context, json, &verdict);
        assert_false(verdict.is_decided);
        assert_int_equal(verdict.admitted.size, strlen(json));
        assert_memory_equal(verdict.admitted.bytes, json, strlen(json));
    }
}

static void test_verdict__an_item_says_itself_what_its_list_said_of_it(void **state) {
    static const struct {
        const char *list;
        const char *admitted;
    } rows[] = {
        {"{'apiVersion':'v1','kind':'ConfigMapList','items':[{'data':{}}]}",
         "{'data':{},'apiVersion':'v1','kind':'ConfigMap'}"},
        {"{'apiVersion':'v1','kind':'ConfigMapList','items':[{'apiVersion':'v0','kind':null}]}",
         "{'apiVersion':'v1','kind':'ConfigMap'}"},
        {"{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServerList','items':["
         "{'metadata':{'name':'a'},'spec':{}}]}",
         "{'metadata':{'name':'a'},'spec':{},'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':"
         "'MCPServer'}"},
        {"{'apiVersion':'v1','kind':'List','items':[{'data':{}}]}", "{'data':{}}"},
        {"{'apiVersion':'v1','kind':'ConfigMapList','items':[5]}", "5"},
        {"{'apiVersion':'v1','kind':'ConfigMapList','items':[null]}", "null"},
        {"{'apiVersion':'v1','kind':'ConfigMapList','items':[{'kind':'Secret'}]}",
         "{'kind':'Secret'}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        AUTO_FREE char *expected = make_json(rows[i].admitted);
        desk_init(&desk, NULL, NULL);
        desk.context.fills_defaults = false;
        judge(&desk, rows[i].list, &verdict);
        assert_string_equal(buffer_text(&verdict.admitted), expected);
    }
}

#define REVIEW(request)                                                                            \
    "{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview','request':{" request "}}"

static void test_verdict__a_recorded_review_gets_no_defaults(void **state) {
    (void)state;
    AUTO(desk_fini) struct desk desk;
    AUTO(verdict_fini) struct verdict verdict;
    desk_init(&desk, NULL, SERVER("'transport':'sse'"));
    judge(&desk,
          REVIEW("'uid':'u','operation':'CREATE','namespace':'default','kind':{'group':'apps',"
                 "'version':'v1','kind':'Deployment'},'resource':{'group':'apps','version':'v1',"
                 "'resource':'deployments'},'object':" DEPLOYMENT("", "")),
          &verdict);
    assert_non_null(strstr(buffer_text(&verdict.admitted), "\"terminationGracePeriodSeconds\":30"));
    assert_null(strstr(buffer_text(&verdict.submitted), "replicas"));
    assert_string_equal(verdict.remark, "");
}

static void test_verdict__a_malformed_review_is_an_error(void **state) {
    static const struct {
        const char *json;
        const char *error;
    } rows[] = {
        {"{'apiVersion':'admission.k8s.io/v1beta1','kind':'AdmissionReview'}",
         "not an AdmissionReview of admission.k8s.io/v1"},
        {"{'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview'}", "has no request"},
        {REVIEW("'operation':'CREATE'"), "request.uid is missing"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        AUTO_FREE char *json = make_json(rows[i].json);
        struct error error = {.text = ""};
        struct review_items items = review_items_of(json);
        desk_init(&desk, NULL, NULL);
        assert_false(verdict_make(&desk.context, &items.items[0], &verdict, &error));
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_int_equal(strncmp(error.text, "malformed AdmissionReview: ", 27), 0);
        assert_non_null(strstr(error.text, rows[i].error));
    }
}

static void test_verdict__explains_only_if_asked(void **state) {
    (void)state;
    AUTO(desk_fini) struct desk desk;
    AUTO(verdict_fini) struct verdict silent;
    AUTO(verdict_fini) struct verdict verdict;
    desk_init(&desk, NULL, SERVER("'replicas':3"));
    judge(&desk, DEPLOYMENT("'replicas':3,", ""), &silent);
    assert_int_equal(silent.explanation.size, 0);
    desk.context.explains = true;
    judge(&desk, DEPLOYMENT("'replicas':3,", ""), &verdict);
    /* test_review_parity looks at each step. */
    static const char expected[] =
        "MCPServer default/github: stdio, spec.replicas 3, sessions not in redis\n"
        "stdio-cap, spec-driven: stdio transport allows 1 replica; "
        "spec.replicas 3 is held at 1\n"
        "stdio-cap, backendReplicas: only about MCPServers\n"
        "replica-passthrough, create: stdio-cap decides\n"
        "replica-passthrough, update by the operator: not an update of a Deployment\n"
        "replica-passthrough, scale: not a Scale\n"
        "stdio-cap, externally-driven: the spec-driven path decides\n"
        "stdio-cap, prevent surge: preventSurge is off\n"
        "grace-period, pod template: a period is set, and is kept\n"
        "session-storage, spec: only about MCPServers, MCPRemoteProxies and VirtualMCPServers\n"
        "session-storage, backendReplicas: only about MCPServers\n"
        "autoscaler, target: only about autoscalers\n";
    assert_true(verdict.explanation.size >= strlen(expected));
    assert_memory_equal(buffer_text(&verdict.explanation), expected, strlen(expected));
}

static void test_verdict__each_step_is_explained_by_its_own_words(void **state) {
    static const struct {
        const char *policy;
        const char *expected[2];
    } rows[] = {
        {"'stdioCap':{'preventSurge':true}",
         {"\nstdio-cap, spec-driven: stdio transport allows 1 replica; "
          "spec.replicas 3 is held at 1\n",
          "\nstdio-cap, prevent surge: rolling update without surge\n"}},
        {"'stdioCap':{'mode':'warn','preventSurge':true}",
         {"\nstdio-cap, spec-driven: stdio transport allows 1 replica; mode enforce would hold "
          "spec.replicas 3 at 1\n",
          "\nstdio-cap, prevent surge: without surge\n"}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(desk_fini) struct desk desk;
        AUTO(verdict_fini) struct verdict verdict;
        desk_init(&desk, rows[i].policy, SERVER("'replicas':3"));
        desk.context.explains = true;
        judge(&desk, DEPLOYMENT("'replicas':3,", ""), &verdict);
        for (size_t line = 0; line < COUNT_OF(rows[i].expected); line++) {
            if (strstr(buffer_text(&verdict.explanation), rows[i].expected[line]) == NULL) {
                fail_msg("no '%s' in %s", rows[i].expected[line],
                         buffer_text(&verdict.explanation));
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdict__an_object_with_a_former_state_is_updated),
        cmocka_unit_test(test_verdict__an_object_without_one_is_created),
        cmocka_unit_test(test_verdict__defaults_are_remarked_on_only_where_they_matter),
        cmocka_unit_test(test_verdict__without_defaults_the_manifest_is_submitted_as_it_is),
        cmocka_unit_test(test_verdict__with_defaults_they_are_submitted_and_admitted),
        cmocka_unit_test(test_verdict__a_deployment_is_whose_owner_or_else_labels_say),
        cmocka_unit_test(test_verdict__a_recorded_review_is_told_by_its_owner_alone),
        cmocka_unit_test(test_verdict__says_how_to_make_an_owner_known),
        cmocka_unit_test(test_verdict__names_no_option_that_audit_lacks),
        cmocka_unit_test(test_verdict__remarks_on_what_an_api_server_would_refuse),
        cmocka_unit_test(test_verdict__other_kinds_pass_as_they_are),
        cmocka_unit_test(test_verdict__an_item_says_itself_what_its_list_said_of_it),
        cmocka_unit_test(test_verdict__a_recorded_review_gets_no_defaults),
        cmocka_unit_test(test_verdict__a_malformed_review_is_an_error),
        cmocka_unit_test(test_verdict__explains_only_if_asked),
        cmocka_unit_test(test_verdict__each_step_is_explained_by_its_own_words),
    };
    return cmocka_run_group_tests_name("app/verdict", tests, NULL, NULL);
}
