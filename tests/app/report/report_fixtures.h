// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_APP_REPORT_FIXTURES_H
#define TESTS_APP_REPORT_FIXTURES_H

/*
 * Reports to render: objects in the form that `capstan review` passes on, made by hand.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/report.h"

/* No name in a cluster looks like this: controls, an escape sequence, ends of XML sections, markup,
   a workflow command on a line of its own, invalid UTF-8, and some valid UTF-8. */
#define HOSTILE                                                                                    \
    "\x01\x1b[31m]]>--&<>\"'\\%,:\t\r\n::error::x\xff\xc0\xaf\xed\xa0\x80\xc3\xa4\xef\xbf\xbe"

struct scenario {
    const char *name;
    const struct report_item *items; /* ends at the item without a path */
    struct report_totals totals;
    bool is_coloured;
    bool has_diff;
    bool is_verbose;
};

#define DEPLOYMENT(members)                                                                        \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"github\"},"      \
    "\"spec\":{" members "}}"
#define SUBMITTED DEPLOYMENT("\"replicas\":3,\"template\":{\"spec\":{\"containers\":[]}}")
#define ADMITTED                                                                                   \
    DEPLOYMENT("\"replicas\":1,\"template\":{\"spec\":{\"containers\":[],"                         \
               "\"terminationGracePeriodSeconds\":30}}")
#define SERVER                                                                                     \
    "{\"apiVersion\":\"toolhive.stacklok.dev/v1beta1\",\"kind\":\"MCPServer\","                    \
    "\"metadata\":{\"name\":\"github\"},\"spec\":{\"replicas\":3,\"transport\":\"stdio\"}}"
#define CONFIG                                                                                     \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"settings\"},"          \
    "\"data\":{\"on\":\"yes\",\"huge\":\"1e400\",\"text\":\"a\\nb\\n\"}}"
#define HUGE_NUMBER "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"n\":1e400}}"

/* The object, submitted and admitted. */
#define OBJECT(from, to)                                                                           \
    .submitted = (from), .submitted_size = sizeof(from) - 1, .admitted = (to),                     \
    .admitted_size = sizeof(to) - 1
#define SAME(object) OBJECT(object, object)

#define A_DEPLOYMENT                                                                               \
    .api_version = "apps/v1", .kind = "Deployment", .namespace = "default", .name = "github",      \
    .operation = "CREATE"
#define A_SERVER                                                                                   \
    .api_version = "toolhive.stacklok.dev/v1beta1", .kind = "MCPServer", .namespace = "default",   \
    .name = "github", .operation = "UPDATE"
#define A_CONFIG                                                                                   \
    .api_version = "v1", .kind = "ConfigMap", .namespace = "", .name = "settings",                 \
    .operation = "CREATE"

#define CAP_WARNING  "stdio transport allows 1 replica; spec.replicas 3 is held at 1"
#define CAP_REFUSAL  "stdio transport allows 1 replica; spec.replicas is 3"
#define SHARE_TEXT   "3 replicas do not share sessions unless sessionStorage.provider is redis"
#define UNKNOWN_TEXT "the MCPServer of this object could not be looked up; left unchanged"

static const struct decision decision_allowed = {.is_denied = false};

static const struct decision decision_capped = {
    .patch = {.has = {[PATCH_REPLICAS] = true, [PATCH_GRACE_PERIOD] = true},
              .values = {[PATCH_REPLICAS] = 1, [PATCH_GRACE_PERIOD] = 30}},
    .warnings = {"stdio-cap: " CAP_WARNING},
    .n_warnings = 1,
    .actions = {[RULE_STDIO_CAP] = ACTION_PATCH, [RULE_GRACE_PERIOD] = ACTION_PATCH},
    .steps = {[STEP_STDIO_CAP].note = "replicas 1, not 3; " CAP_WARNING,
              [STEP_GRACE_PERIOD].note = "terminationGracePeriodSeconds 30"},
};

static const struct decision decision_warned = {
    .warnings = {"session-storage: " SHARE_TEXT},
    .n_warnings = 1,
    .actions = {[RULE_SESSION_STORAGE] = ACTION_WARN},
    .steps = {[STEP_SESSION_STORAGE].note = SHARE_TEXT},
};

static const struct decision decision_denied = {
    .is_denied = true,
    .message = "stdio-cap: " CAP_REFUSAL,
    .actions = {[RULE_STDIO_CAP] = ACTION_DENY},
    .steps = {[STEP_STDIO_CAP].note = CAP_REFUSAL},
};

/* The cap would have rewritten the spec, but then another rule refused the object. */
static const struct decision decision_denied_late = {
    .is_denied = true,
    .message = "session-storage: 3 replicas need sessionStorage.provider redis to share sessions",
    .warnings = {"stdio-cap: " CAP_WARNING},
    .n_warnings = 1,
    .actions = {[RULE_STDIO_CAP] = ACTION_PATCH, [RULE_SESSION_STORAGE] = ACTION_DENY},
    .steps = {[STEP_STDIO_CAP].note = "replicas 1, not 3; " CAP_WARNING,
              [STEP_SESSION_STORAGE].note =
                  "3 replicas need sessionStorage.provider redis to share sessions"},
};

static const struct decision decision_unresolved = {
    .is_unresolved = true, .warnings = {"unresolved: " UNKNOWN_TEXT}, .n_warnings = 1};

static const struct decision decision_failing = {.is_unresolved = true,
                                                 .fails = true,
                                                 .warnings = {"unresolved: " UNKNOWN_TEXT},
                                                 .n_warnings = 1};

static const struct decision decision_hostile = {
    .is_denied = true,
    .message = "stdio-cap: " HOSTILE,
    .warnings = {"grace-period: " HOSTILE},
    .n_warnings = 1,
    .actions = {[RULE_STDIO_CAP] = ACTION_DENY, [RULE_GRACE_PERIOD] = ACTION_WARN},
    .steps = {[STEP_STDIO_CAP].note = HOSTILE, [STEP_GRACE_PERIOD].note = HOSTILE},
};

static const struct decision decision_hostile_change = {
    .patch = {.has = {[PATCH_STRATEGY] = true}},
    .actions = {[RULE_STDIO_CAP] = ACTION_PATCH},
    .steps = {[STEP_STDIO_CAP].note = HOSTILE},
};

static const struct report_item items_none[] = {{.path = NULL}};

static const struct report_item items_quiet[] = {
    {"deploy/all.yaml", 1, 1, A_DEPLOYMENT, &decision_allowed, SAME(ADMITTED)},
    {"deploy/all.yaml", 14, 1, A_CONFIG, NULL, SAME(CONFIG)},
    {.path = NULL},
};

static const struct report_item items_verbose[] = {
    {"deploy/all.yaml", 1, 1, A_DEPLOYMENT, &decision_allowed, SAME(ADMITTED),
     .explanation = "stdio-cap: not over the cap\n\n  from MCPServer default/github\n"},
    {"deploy/all.yaml", 14, 1, A_CONFIG, NULL, SAME(CONFIG)},
    {"deploy/capped.yaml", 7, 3, A_DEPLOYMENT, &decision_capped, OBJECT(SUBMITTED, ADMITTED),
     .remark = "without the API server's defaults the verdict would be another",
     .explanation = "stdio-cap: spec.replicas is 3"},
    {.path = NULL},
};

static const struct report_item items_mixed[] = {
    {"deploy/github.yaml", 1, 1, A_SERVER, &decision_warned, SAME(SERVER)},
    {"deploy/github.yaml", 12, 1, A_DEPLOYMENT, &decision_capped, OBJECT(SUBMITTED, ADMITTED)},
    {"deploy/quiet.yaml", 1, 1, A_DEPLOYMENT, &decision_allowed, SAME(ADMITTED)},
    {"./deploy/with space.yaml", 1234, 5, A_SERVER, &decision_denied, SAME(SERVER)},
    {"./deploy/with space.yaml", 1250, 5, A_SERVER, &decision_denied_late, SAME(SERVER)},
    {"/srv/more.json", 1, 20, A_DEPLOYMENT, &decision_unresolved, SAME(SUBMITTED),
     .remark = "the API server's defaults make no difference"},
    {"/srv/more.json", 1, 900, A_DEPLOYMENT, &decision_failing, SAME(SUBMITTED)},
    {"<stdin>", 3, 1, A_CONFIG, NULL, SAME(CONFIG)},
    {"<stdin>", 9, 1, A_CONFIG, NULL, SAME(HUGE_NUMBER)},
    {.path = NULL},
};

static const struct report_item items_hostile[] = {
    {"a,b:c/" HOSTILE ".yaml", 1, 1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, &decision_hostile,
     SAME(SUBMITTED), HOSTILE, HOSTILE "\n" HOSTILE},
    {HOSTILE, 2, 1, HOSTILE, HOSTILE, "", "", HOSTILE, &decision_hostile_change,
     OBJECT(SUBMITTED, ADMITTED), HOSTILE, HOSTILE},
    {HOSTILE, 3, 1, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, NULL, SAME(CONFIG), NULL, NULL},
    {.path = NULL},
};

#define MIXED_TOTALS                                                                               \
    { 6, 2, 1, 2, 2, 2 }

static const struct scenario scenarios[] = {
    {.name = "empty", .items = items_none},
    {.name = "quiet", .items = items_quiet, .totals = {1, 0, 0, 0, 0, 1}},
    {.name = "verbose", .items = items_verbose, .totals = {2, 0, 1, 1, 0, 1}, .is_verbose = true},
    {.name = "mixed", .items = items_mixed, .totals = MIXED_TOTALS, .has_diff = true},
    {.name = "coloured",
     .items = items_mixed,
     .totals = MIXED_TOTALS,
     .is_coloured = true,
     .has_diff = true,
     .is_verbose = true},
    {.name = "hostile",
     .items = items_hostile,
     .totals = {2, 1, 1, 1, 0, 1},
     .has_diff = true,
     .is_verbose = true},
};

/* Renders the whole report. Free it with free(). */
static char *render(const struct report_form *form, const struct scenario *scenario,
                    size_t *ret_size) {
    char *text = NULL;
    struct report report = {
        .form = form,
        .out = open_memstream(&text, ret_size),
        .is_coloured = scenario->is_coloured,
        .has_diff = scenario->has_diff,
        .is_verbose = scenario->is_verbose,
        .version = "1.2.3",
    };
    assert_non_null(report.out);
    report_begin(&report);
    for (const struct report_item *item = scenario->items; item->path != NULL; item++) {
        report_item(&report, item);
    }
    report_end(&report, &scenario->totals);
    assert_int_equal(fclose(report.out), 0);
    return text;
}

static char *render_form(const char *form, const struct scenario *scenario) {
    size_t size;
    char *text = render(report_find_form(form), scenario, &size);
    assert_int_equal(strlen(text), size);
    return text;
}

#endif
