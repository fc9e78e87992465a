// SPDX-License-Identifier: Apache-2.0
#ifndef CHECKUP_FIXTURES_H
#define CHECKUP_FIXTURES_H

/*
 * Shared by the tests of single checks. Include this after cmocka.h.
 */

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/core_fixtures.h"
#include "core/doctor/checkup.h"
#include "doctor/checkup_inside.h"
#include "doctor/question_table.h"

/* Answers with 200 and make_json(text), to which it adds the kind that a real answer has. Without a
   text, answers with `status`. Free its json. */
static inline struct answer answer_to(enum question question, const char *text, int status) {
    const char *kind = question_rows[question].kind;
    char *json = make_json(text != NULL ? text : "");
    cJSON *tree = cJSON_Parse(json);
    if (cJSON_IsObject(tree) && kind != NULL) {
        cJSON_DeleteItemFromObject(tree, "kind");
        cJSON_AddStringToObject(tree, "kind", kind);
        char *printed = cJSON_PrintUnformatted(tree);
        free(json);
        json = memory_copy(printed, strlen(printed));
        cJSON_free(printed);
    }
    cJSON_Delete(tree);
    return (struct answer){
        .status = text != NULL ? 200 : status, .json = json, .size = strlen(json)};
}

static inline void answer_fini(const struct answer *answer) {
    free((char *)answer->json);
}

/* An installation of which nothing may be looked at. */
static inline struct patient unseen_patient(void) {
    struct patient patient = {.names = {.namespace = "capstan-system",
                                        .service = "capstan",
                                        .configuration = "zz-capstan"},
                              .version = "1.2.3"};
    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        patient.answers[i] = (struct answer){.status = 403, .json = ""};
    }
    return patient;
}

static inline void assert_finding(const struct finding *finding, enum finding_level level,
                                  const char *piece) {
    if (finding->level != level || strstr(finding->message, piece) == NULL) {
        fail_msg("expected level %d with '%s', but level %d: %s", level, piece, finding->level,
                 finding->message);
    }
    if (level >= FINDING_UNKNOWN) {
        assert_non_null(finding->remedy);
    }
}

/* A row for a check of one object. */
struct row {
    const char *json; /* NULL: the answer is `status` */
    int status;
    enum finding_level level;
    const char *piece;
};

static inline void check_rows(checkup_function *check, enum question question,
                              struct patient *patient, const struct row *rows, size_t n_rows) {
    for (size_t i = 0; i < n_rows; i++) {
        AUTO(answer_fini)
        const struct answer answer = answer_to(question, rows[i].json, rows[i].status);
        struct finding finding = {.check = "x"};
        patient->answers[question] = answer;
        check(patient, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

/* Results of a check that could not see its object. None of them sounds like "ok". */
#define UNSEEN(missing_level)                                                                      \
    {NULL, 404, missing_level, ""}, {NULL, 403, FINDING_UNKNOWN, "may not be looked at"},          \
        {NULL, 401, FINDING_UNKNOWN, "does not accept the credentials"},                           \
        {NULL, 0, FINDING_UNKNOWN, "no answer"}, {                                                 \
        NULL, 500, FINDING_UNKNOWN, "500"                                                          \
    }

#endif
