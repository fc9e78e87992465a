// SPDX-License-Identifier: Apache-2.0

/*
 * `capstan review` gives the verdict of the webhook. This law is tested for every golden case, as a
 * test of its own, in three steps.
 *
 * 1. Review the case's AdmissionReview as a recorded one. The verdict is that of decide(), and the
 * expected one.
 *
 * 2. If the case creates an MCPServer or a Deployment, review the object alone, as a manifest. The
 * verdict is the same. The object must be the whole request: no user, kind, name or namespace of
 * the request's own.
 *
 * 3. Review it once more as a repository has it. Remove everything that only a cluster writes (uid,
 * generation, owners, status) from the object and the facts. A Deployment's owner and labels must
 * name the same MCPServer, or both none. If they differ, a cluster and a repository give different
 * answers; other cases test these. The facts must not be behind, since files never are.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "app/report/verdict_fixtures.h"
#include "base/memory.h"
#include "case.h"
#include "edge/file.h"

enum { CASES_MIN = 250, MANIFESTS_MIN = 150, REPOSITORY_MIN = 130 };

static size_t n_manifests;
static size_t n_repository;

static const cJSON *at(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text_at(const cJSON *object, const char *key) {
    const cJSON *value = at(object, key);
    return cJSON_IsString(value) ? value->valuestring : "";
}

static void assert_same_text(const char *what, const char *is, const char *expected) {
    if (strcmp(is, expected) != 0) {
        fail_msg("%s is '%s', expected '%s'", what, is, expected);
    }
}

static void assert_same_decision(const struct decision *is, const struct decision *expected) {
    cJSON *patch = review_patch_tree(&is->patch);
    cJSON *expected_patch = review_patch_tree(&expected->patch);
    assert_true(cJSON_Compare(patch, expected_patch, true));
    cJSON_Delete(expected_patch);
    cJSON_Delete(patch);
    assert_int_equal(is->is_denied, expected->is_denied);
    assert_int_equal(is->is_unresolved, expected->is_unresolved);
    assert_int_equal(is->fails, expected->fails);
    assert_same_text("message", is->message, expected->message);
    assert_int_equal(is->n_warnings, expected->n_warnings);
    for (size_t i = 0; i < is->n_warnings; i++) {
        assert_same_text("warning", is->warnings[i], expected->warnings[i]);
    }
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        assert_int_equal(is->actions[rule], expected->actions[rule]);
    }
    for (size_t step = 0; step < STEP_COUNT; step++) {
        const char *reason = is->steps[step].reason;
        const char *expected_reason = expected->steps[step].reason;
        assert_same_text("note", is->steps[step].note, expected->steps[step].note);
        assert_same_text("reason", reason == NULL ? "" : reason,
                         expected_reason == NULL ? "" : expected_reason);
    }
}

static void check_denial(const cJSON *expect, const struct decision *decision) {
    const cJSON *allowed = at(expect, "allowed");
    const cJSON *part;
    assert_int_equal(decision->is_denied, allowed != NULL && !cJSON_IsTrue(allowed));
    cJSON_ArrayForEach(part, at(expect, "message")) {
        assert_non_null(strstr(decision->message, part->valuestring));
    }
}

static void check_warnings(const cJSON *expect, const struct decision *decision) {
    const cJSON *expected = at(expect, "warnings");
    assert_int_equal(decision->n_warnings, cJSON_GetArraySize(expected));
    for (size_t i = 0; i < decision->n_warnings; i++) {
        assert_true(case_warning_is(decision->warnings[i],
                                    cJSON_GetArrayItem(expected, (int)i)->valuestring));
    }
}

static void check_audit(const cJSON *expect, const struct decision *decision) {
    const cJSON *expected = at(expect, "audit");
    int n = 0;
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (decision->actions[rule] != ACTION_NONE) {
            const cJSON *name = cJSON_GetArrayItem(expected, n++);
            assert_non_null(name);
            assert_string_equal(name->valuestring, rule_name((enum rule_id)rule));
        }
    }
    assert_int_equal(n, cJSON_GetArraySize(expected));
}

static void check_expectation(const struct golden_case *golden, const struct decision *decision) {
    const cJSON *expect = golden->expect;
    const cJSON *expected_patch = at(expect, "patch");
    assert_int_equal(decision->fails, at(expect, "status") != NULL);
    if (decision->fails) {
        assert_true(decision->is_unresolved);
        return;
    }
    cJSON *patch = review_patch_tree(&decision->patch);
    if (cJSON_GetArraySize(patch) > 0 || cJSON_GetArraySize(expected_patch) > 0) {
        assert_true(cJSON_Compare(patch, expected_patch, true));
    }
    cJSON_Delete(patch);
    check_denial(expect, decision);
    check_warnings(expect, decision);
    check_audit(expect, decision);
    assert_int_equal(decision->is_unresolved,
                     decision->n_warnings > 0 &&
                         strncmp(decision->warnings[0], "unresolved:", 11) == 0);
}

/* The explanation has each step once, in order, up to the one that denies. Each step has words. */
static void check_explanation(struct verdict *verdict) {
    const struct decision *decision = &verdict->decision;
    AUTO_FREE char *text =
        memory_copy(buffer_text(&verdict->explanation), verdict->explanation.size);
    char *rest = text;
    char *line = strtok_r(rest, "\n", &rest);
    assert_non_null(line);
    if (strncmp(line, "no rule is asked: ", 18) == 0) {
        assert_null(strtok_r(rest, "\n", &rest));
        return;
    }
    size_t size = strcspn(line, " ");
    line[size] = '\0';
    assert_int_not_equal(kind_of_family(line), OBJECT_OTHER);
    if (decision->is_unresolved) {
        line = strtok_r(rest, "\n", &rest);
        assert_non_null(line);
        assert_string_equal(line, decision->warnings[0]);
    }
    int step = 0;
    for (; (line = strtok_r(rest, "\n", &rest)) != NULL; step++) {
        char head[128];
        assert_true(step < STEP_COUNT && !decision->is_unresolved);
        snprintf(head, sizeof(head), "%s, %s: ", rule_name(decide_step_rule((enum step_id)step)),
                 decide_step_label((enum step_id)step));
        if (strncmp(line, head, strlen(head)) != 0 || line[strlen(head)] == '\0') {
            fail_msg("'%s' does not explain '%s'", line, head);
        }
    }
    assert_true(decision->is_unresolved || decision->is_denied || step == STEP_COUNT);
}

static struct verdict_context context_of(const struct golden_case *golden) {
    static const struct review_old none = {.n_objects = 0};
    return (struct verdict_context){
        .policy = golden->policy,
        .facts = golden->facts,
        .find_old = find_old,
        .old = &none,
        .explains = true,
        .now = golden->now,
    };
}

static void decide_case(const struct golden_case *golden, struct decision *ret_decision) {
    struct review review;
    struct subject subject;
    struct error error;
    if (!review_decode(golden->review, strlen(golden->review), &review, &error)) {
        fail_msg("%s", error.text);
    }
    subject_find(golden->facts, &review, NULL, &subject);
    decide(golden->policy, &review, &subject, golden->now, ret_decision);
}

static void check_verdict(const struct verdict_context *context, const char *json,
                          const struct decision *expected) {
    AUTO(verdict_fini) struct verdict verdict;
    verdict_on(context, json, &verdict);
    assert_true(verdict.is_decided);
    assert_same_decision(&verdict.decision, expected);
    assert_admitted_is_patched(&verdict);
    check_explanation(&verdict);
}

/* Labels name a manifest's MCPServer, but not a request's, unless all facts are manifests. */
static bool is_told_by_labels(const struct golden_case *golden, const struct object *object) {
    struct fact server;
    bool is_labelled = object->labelled != OBJECT_OTHER && object->instance[0] != '\0' &&
                       !object->owner.is_controlled && object->uid[0] == '\0';
    bool is_known =
        facts_find(golden->facts, object->labelled, object->namespace, object->instance, &server);
    return is_labelled && (!is_known || server.uid[0] != '\0');
}

/* The object's own JSON, to be freed, if it is the whole of a request to create it. */
static char *manifest_of(const struct golden_case *golden) {
    static const char *const own[] = {"subResource", "kind",      "resource",     "name",
                                      "namespace",   "oldObject", "oldObjectJSON"};
    const cJSON *request = at(golden->document, "request");
    const cJSON *object = at(request, "object");
    const cJSON *raw = at(request, "objectJSON");
    const char *operation = text_at(request, "operation");
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        if (at(request, own[i]) != NULL) {
            return NULL;
        }
    }
    if (strcmp(operation, "CREATE") != 0 || at(request, "user") != NULL) {
        return NULL;
    }
    char *json = raw != NULL              ? memory_copy(raw->valuestring, strlen(raw->valuestring))
                 : cJSON_IsObject(object) ? cJSON_PrintUnformatted(object)
                                          : NULL;
    struct object read;
    struct review_items items = {.n = 0};
    if (json != NULL) {
        items = review_items_of(json);
    }
    if (items.n == 1 && manifest_read_object(&items.items[0], &read) &&
        !is_told_by_labels(golden, &read)) {
        return json;
    }
    free(json);
    return NULL;
}

/* Removes everything that only a cluster writes. */
static void strip(cJSON *object) {
    static const char *const written[] = {"uid", "generation", "resourceVersion",
                                          "creationTimestamp", "ownerReferences"};
    cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");
    for (size_t i = 0; i < COUNT_OF(written); i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, written[i]);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(object, "status");
}

static struct facts *stripped_facts(const struct golden_case *golden) {
    struct facts *facts = facts_new();
    const cJSON *item;
    cJSON_ArrayForEach(item, at(golden->document, "facts")) {
        cJSON *copy = cJSON_Duplicate(item, true);
        strip(copy);
        char *json = cJSON_PrintUnformatted(copy);
        case_put_facts(facts, json);
        free(json);
        cJSON_Delete(copy);
    }
    return facts;
}

/* Do owner and labels name the same MCPServer, or both none? */
static bool is_at_home_in_a_repository(const struct golden_case *golden,
                                       const struct object *object) {
    const struct owner *owner = &object->owner;
    struct fact server;
    const cJSON *warning = cJSON_GetArrayItem(at(golden->expect, "warnings"), 0);
    bool is_behind = at(golden->expect, "status") != NULL ||
                     (warning != NULL && strncmp(warning->valuestring, "unresolved", 10) == 0);
    if (is_behind || object->is_deleting) {
        return false;
    }
    if (object->kind == OBJECT_MCPSERVER) {
        return true;
    }
    bool is_owned =
        owner->kind != OBJECT_OTHER && strcmp(owner->name, object->name) == 0 &&
        facts_find(golden->facts, owner->kind, object->namespace, owner->name, &server) &&
        (server.uid[0] == '\0' || strcmp(server.uid, owner->uid) == 0);
    bool is_labelled =
        object->labelled != OBJECT_OTHER &&
        facts_find(golden->facts, object->labelled, object->namespace, object->instance, &server);
    return is_owned == is_labelled && (!is_owned || strcmp(object->instance, owner->name) == 0);
}

static void check_in_a_repository(const struct golden_case *golden, const char *json,
                                  const struct decision *expected) {
    struct verdict_context context = context_of(golden);
    struct review_items items = review_items_of(json);
    struct object object;
    assert_true(manifest_read_object(&items.items[0], &object));
    cJSON *tree = cJSON_Parse(json);
    /* If cJSON would write a number differently, the third step leaves the case out. */
    if (tree != NULL && is_at_home_in_a_repository(golden, &object) &&
        at(at(golden->document, "request"), "objectJSON") == NULL) {
        strip(tree);
        char *stripped = cJSON_PrintUnformatted(tree);
        context.facts = stripped_facts(golden);
        check_verdict(&context, stripped, expected);
        facts_free(context.facts);
        free(stripped);
        n_repository++;
    }
    cJSON_Delete(tree);
}

static void test_case(void **state) {
    const struct golden_case *golden = *state;
    struct verdict_context context = context_of(golden);
    struct decision expected;
    decide_case(golden, &expected);
    check_expectation(golden, &expected);
    check_verdict(&context, golden->review, &expected);
    AUTO_FREE char *manifest = manifest_of(golden);
    if (manifest != NULL) {
        n_manifests++;
        check_verdict(&context, manifest, &expected);
        check_in_a_repository(golden, manifest, &expected);
    }
}

static int run(const char *root, const struct file_list *list) {
    struct CMUnitTest *tests = memory_new(list->n_paths, sizeof(*tests));
    struct golden_case **cases = memory_new(list->n_paths, sizeof(*cases));
    for (size_t i = 0; i < list->n_paths; i++) {
        cases[i] = case_load(root, list->paths[i]);
        tests[i] = (struct CMUnitTest){
            .name = cases[i]->path, .test_func = test_case, .initial_state = cases[i]};
    }
    int failed = _cmocka_run_group_tests("app/review_parity", tests, list->n_paths, NULL, NULL);
    for (size_t i = 0; i < list->n_paths; i++) {
        case_free(cases[i]);
    }
    free(cases);
    free(tests);
    return failed;
}

int main(void) {
    const char *folder = getenv("CAPSTAN_TESTS");
    AUTO(file_list_fini) struct file_list list = {.paths = NULL};
    struct error error;
    char root[4096];
    snprintf(root, sizeof(root), "%s/cases", folder == NULL ? "tests" : folder);
    if (!file_find(root, &list, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    int failed = run(root, &list);
    printf("%zu cases, of which %zu as manifests, of which %zu as in a repository\n", list.n_paths,
           n_manifests, n_repository);
    if (list.n_paths < CASES_MIN || n_manifests < MANIFESTS_MIN || n_repository < REPOSITORY_MIN) {
        fprintf(stderr, "expected at least %d, %d and %d\n", CASES_MIN, MANIFESTS_MIN,
                REPOSITORY_MIN);
        return 1;
    }
    return failed;
}
