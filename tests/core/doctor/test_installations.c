// SPDX-License-Identifier: Apache-2.0

/*
 * All of doctor's judgements about whole installations: healthy ones, and ones with one fault each,
 * as an admin, a viewer and nobody see them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core_fixtures.h"
#include "doctor/doctor_report.h"
#include "edge/file.h"
#include "installation.h"
#include "installation_rows.h"

enum { LINE_SIZE = 1024, REPORT_MAX = 1 << 20 };

static const char *const level_names[] = {
    [FINDING_OK] = "ok",
    [FINDING_NOTE] = "note",
    [FINDING_UNKNOWN] = "unknown",
    [FINDING_PROBLEM] = "problem",
};

/* The level that "problem leader, note version" gives to a check; FINDING_LEVELS if it names no
   such check. */
static enum finding_level level_in(const char *list, const char *check) {
    for (size_t level = FINDING_OK; level < FINDING_LEVELS; level++) {
        char word[128];
        size_t size = (size_t)snprintf(word, sizeof(word), "%s %s", level_names[level], check);
        for (const char *at = strstr(list, word); at != NULL; at = strstr(at + 1, word)) {
            if (at[size] == '\0' || at[size] == ',') {
                return (enum finding_level)level;
            }
        }
    }
    return FINDING_LEVELS;
}

static bool is_blind_to(enum asker asker, const char *check) {
    static const char viewer[] =
        ",crd,webhook-configuration,leftover,last-word,scope,ca-bundle,certificate,owner,rbac,"
        "leader,";
    char word[128];
    snprintf(word, sizeof(word), ",%s,", check);
    return asker == ASKER_VIEWER ? strstr(viewer, word) != NULL
                                 : asker == ASKER_NOBODY && strcmp(check, "api-server") != 0;
}

/* The level that the row gives to a check, as this asker sees it. An operator is always a note. */
static enum finding_level level_of(const struct installation_row *row, enum asker asker,
                                   const char *check) {
    enum finding_level level = level_in(row->admin, check);
    if (asker == ASKER_VIEWER && row->viewer != NULL &&
        level_in(row->viewer, check) != FINDING_LEVELS) {
        return level_in(row->viewer, check);
    }
    if (is_blind_to(asker, check)) {
        return FINDING_UNKNOWN;
    }
    if (level == FINDING_LEVELS) {
        return strcmp(check, "operator") == 0 ? FINDING_NOTE : FINDING_OK;
    }
    return level;
}

/* Each remedy names a command or a page. */
static void check_remedy(const struct finding *finding) {
    bool needs_one = finding->level >= FINDING_UNKNOWN;
    if (finding->remedy == NULL ? needs_one
                                : strstr(finding->remedy, "kubectl ") == NULL &&
                                      strstr(finding->remedy, ".md") == NULL &&
                                      strstr(finding->remedy, "capstan doctor") == NULL) {
        fail_msg("%s: %s: the remedy '%s' names no command and no page", finding->check,
                 finding->message, finding->remedy != NULL ? finding->remedy : "");
    }
}

/* The verdict that follows from the levels of all findings, and the word for it in JSON. */
static const char *expected_health(const struct doctor_report *report) {
    const char *word = "\"healthy\":true,";
    for (size_t i = 0; i < report->n_findings; i++) {
        if (report->findings[i].level == FINDING_PROBLEM) {
            return "\"healthy\":false,";
        }
        if (report->findings[i].level == FINDING_UNKNOWN) {
            word = "\"healthy\":null,";
        }
    }
    return word;
}

static void examine(const struct installation *installation, struct doctor_report *ret_report) {
    AUTO(buffer_fini) struct buffer json;
    buffer_init(&json, REPORT_MAX);
    *ret_report = (struct doctor_report){.names = &installation->patient.names};
    ret_report->n_findings = checkup_run(&installation->patient, ret_report->findings);
    doctor_report_json(ret_report, &json);
    assert_non_null(strstr(buffer_text(&json), expected_health(ret_report)));
}

/* Refuses all rights on these kinds; OBJECT_OTHER ends them. */
static void refuse(struct installation *installation, const enum object_kind *kinds) {
    struct checkup_ask asks[CHECKUP_ASKS_MAX];
    size_t n_asks = checkup_list_asks(&installation->patient, asks);
    for (; *kinds != OBJECT_OTHER; kinds++) {
        for (size_t i = 0; i < n_asks; i++) {
            if (asks[i].right->kind == *kinds) {
                installation->patient.grants[i] = CHECKUP_REFUSED;
            }
        }
    }
}

static void check_row(const struct installation_row *row, enum asker asker) {
    AUTO(installation_fini) struct installation installation;
    static struct doctor_report report;
    installation_make(&installation, row->overlay, row->life_days > 0 ? row->life_days : 90,
                      INSTALLATION_NOW);
    installation.patient.now += row->days * INSTALLATION_DAY;
    if (row->patch != NULL) {
        installation_patch(&installation, row->question, row->patch);
    }
    if (row->days != 0) {
        installation_renew(&installation, installation.patient.now);
    }
    installation_seal(&installation);
    if (row->status != 0) {
        installation_answer(&installation, row->question, row->status, "");
    }
    if (row->refused[0] != OBJECT_OTHER) {
        refuse(&installation, row->refused);
    }
    installation_hide(&installation, asker);
    examine(&installation, &report);
    assert_true(report.n_findings >= 18);
    for (size_t i = 0; i < report.n_findings; i++) {
        const struct finding *finding = &report.findings[i];
        enum finding_level expected = level_of(row, asker, finding->check);
        if (finding->level != expected) {
            fail_msg("%s, asker %d: %s is %s, expected %s: %s", row->name, asker, finding->check,
                     level_names[finding->level], level_names[expected], finding->message);
        }
        check_remedy(finding);
    }
    if (asker == ASKER_ADMIN && row->piece != NULL) {
        bool is_said = false;
        for (size_t i = 0; i < report.n_findings; i++) {
            is_said = is_said || strstr(report.findings[i].message, row->piece) != NULL;
        }
        if (!is_said) {
            fail_msg("%s: nobody says '%s'", row->name, row->piece);
        }
    }
}

static void test_installations__are_judged_as_each_asker_sees_them(void **state) {
    (void)state;
    assert_true(installation_n_rows >= 30);
    for (size_t i = 0; i < installation_n_rows; i++) {
        for (int asker = 0; asker < ASKER_COUNT; asker++) {
            check_row(&installation_rows[i], (enum asker)asker);
        }
    }
}

/* False of the resources of versions that need not be looked at. */
static bool is_asked(const struct installation *installation, enum question question) {
    const struct patient *patient = &installation->patient;
    AUTO(buffer_fini) struct buffer path;
    buffer_init(&path, LINE_SIZE);
    return question_add_path(question, &patient->names, patient->answers, "v1", &path);
}

/* A thing that could not be asked is never healthy, whatever comes instead of its answer. */
static void test_installations__without_an_answer_are_never_healthy(void **state) {
    static const struct {
        int status;
        const char *body;
    } faults[] = {
        {0, ""},
        {401, ""},
        {403, ""},
        {404, ""},
        {429, ""},
        {500, ""},
        {503, ""},
        {200, ""},
        {200, "{"},
        {200, "{}"},
        {200, "[]"},
        {200, "null"},
        {200, "7"},
        {200, "\"x\""},
        {200, "<html></html>"},
        {200, "{} x"},
        {200, "{\"kind\":\"Status\",\"items\":[]}"},
    };
    AUTO(installation_fini) struct installation sound;
    (void)state;
    installation_make(&sound, "default", 90, INSTALLATION_NOW);
    installation_seal(&sound);
    for (size_t question = 0; question < QUESTION_COUNT; question++) {
        for (size_t i = 0; i < COUNT_OF(faults) && is_asked(&sound, (enum question)question); i++) {
            AUTO(installation_fini) struct installation installation;
            struct doctor_report report;
            bool is_answer = question == QUESTION_MUTATIONS && faults[i].status == 404;
            installation_make(&installation, "default", 90, INSTALLATION_NOW);
            installation_seal(&installation);
            installation_answer(&installation, (enum question)question, faults[i].status,
                                faults[i].body);
            examine(&installation, &report);
            if ((doctor_report_verdict(&report) == DOCTOR_HEALTHY) != is_answer) {
                fail_msg("question %zu, status %d, '%s': verdict %d", question, faults[i].status,
                         faults[i].body, doctor_report_verdict(&report));
            }
        }
    }
}

static void test_installations__without_a_grant_are_never_healthy(void **state) {
    struct checkup_ask asks[CHECKUP_ASKS_MAX];
    AUTO(installation_fini) struct installation installation;
    (void)state;
    installation_make(&installation, "default", 90, INSTALLATION_NOW);
    installation_seal(&installation);
    size_t n_asks = checkup_list_asks(&installation.patient, asks);
    assert_true(n_asks == checkup_n_rights);
    for (size_t i = 0; i <= n_asks; i++) {
        for (int grant = CHECKUP_UNASKED; grant <= CHECKUP_REFUSED; grant++) {
            struct doctor_report report;
            static const enum doctor_verdict verdicts[] = {[CHECKUP_UNASKED] = DOCTOR_UNKNOWN,
                                                           [CHECKUP_GRANTED] = DOCTOR_HEALTHY,
                                                           [CHECKUP_REFUSED] = DOCTOR_ILL};
            installation.patient.grants[i] = (enum checkup_grant)grant;
            examine(&installation, &report);
            /* The one past the last is not asked about. */
            assert_int_equal(doctor_report_verdict(&report),
                             i == n_asks ? DOCTOR_HEALTHY : verdicts[grant]);
        }
        installation.patient.grants[i] = CHECKUP_GRANTED;
    }
}

/* Removes each value of the answer in turn, or makes it a number, at any depth. */
static void mutate(struct installation *installation, enum question question, cJSON *parent,
                   size_t *n_mutants) {
    for (cJSON *child = parent->child; child != NULL; child = child->next) {
        cJSON saved = *child;
        struct doctor_report report;
        child->type = *n_mutants % 2 == 0 ? cJSON_NULL : cJSON_Number;
        AUTO_FREE char *body = cJSON_PrintUnformatted(installation->trees[question]);
        child->type = saved.type;
        installation_answer(installation, question, 200, body);
        examine(installation, &report);
        *n_mutants += 1;
        mutate(installation, question, child, n_mutants);
    }
}

static void test_installations__may_have_any_value_anywhere(void **state) {
    AUTO(installation_fini) struct installation installation;
    size_t n_mutants = 0;
    (void)state;
    installation_make(&installation, "cert-manager", 90, INSTALLATION_NOW);
    installation_seal(&installation);
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        if (installation.trees[i] != NULL) {
            mutate(&installation, (enum question)i, installation.trees[i], &n_mutants);
            installation_answer(&installation, (enum question)i, 200, installation.bodies[i]);
        }
    }
    assert_true(n_mutants > 300);
}

/* docs/doctor.md has a row for each check. */
static void test_installations__are_judged_by_checks_that_the_docs_have(void **state) {
    AUTO(installation_fini) struct installation installation;
    AUTO(buffer_fini) struct buffer page;
    AUTO_FREE char *path = memory_format("%s/../docs/doctor.md", getenv("CAPSTAN_TESTS"));
    struct doctor_report report;
    struct error error;
    (void)state;
    buffer_init(&page, REPORT_MAX);
    assert_true(file_read(path, &page, &error));
    installation_make(&installation, "default", 90, INSTALLATION_NOW);
    installation_seal(&installation);
    examine(&installation, &report);
    for (size_t i = 0; i < report.n_findings; i++) {
        AUTO_FREE char *row = memory_format("\n| `%s` | ", report.findings[i].check);
        if (strstr(buffer_text(&page), row) == NULL) {
            fail_msg("docs/doctor.md has no row for the check %s", report.findings[i].check);
        }
    }
}

static void test_installations__are_not_examined_without_an_api_server(void **state) {
    AUTO(installation_fini) struct installation installation;
    struct doctor_report report;
    (void)state;
    installation_make(&installation, "default", 90, INSTALLATION_NOW);
    installation_seal(&installation);
    installation_answer(&installation, QUESTION_VERSION, 0, "");
    examine(&installation, &report);
    assert_int_equal(report.n_findings, 1);
    assert_int_equal(report.findings[0].level, FINDING_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_installations__are_judged_as_each_asker_sees_them),
        cmocka_unit_test(test_installations__without_an_answer_are_never_healthy),
        cmocka_unit_test(test_installations__without_a_grant_are_never_healthy),
        cmocka_unit_test(test_installations__may_have_any_value_anywhere),
        cmocka_unit_test(test_installations__are_judged_by_checks_that_the_docs_have),
        cmocka_unit_test(test_installations__are_not_examined_without_an_api_server),
    };
    return cmocka_run_group_tests_name("core/installations", tests, NULL, NULL);
}
