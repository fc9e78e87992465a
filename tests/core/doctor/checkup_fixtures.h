// SPDX-License-Identifier: Apache-2.0
#ifndef CHECKUP_FIXTURES_H
#define CHECKUP_FIXTURES_H

/*
 * Shared by the tests of checkup_*. Include this after cmocka.h.
 */

#include <stdlib.h>
#include <string.h>

#include "core/core_fixtures.h"
#include "core/doctor/checkup.h"

/* Answers with 200 and make_json(text). Without a text, answers with `status`. Free its json. */
static inline struct checkup_answer answer_of(const char *text, int status) {
    char *json = make_json(text != NULL ? text : "");
    return (struct checkup_answer){
        .status = text != NULL ? 200 : status, .json = json, .size = strlen(json)};
}

static inline void answer_fini(const struct checkup_answer *answer) {
    free((char *)answer->json);
}

static inline void assert_finding(const struct finding *finding, enum finding_level level,
                                  const char *piece) {
    if (finding->level != level || strstr(finding->message, piece) == NULL) {
        fail_msg("expected level %d with '%s', but level %d: %s", level, piece, finding->level,
                 finding->message);
    }
    if (level == FINDING_PROBLEM) {
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

static inline void check_rows(void (*check)(const struct checkup_answer *, struct finding *),
                              const struct row *rows, size_t n_rows) {
    for (size_t i = 0; i < n_rows; i++) {
        AUTO(answer_fini)
        const struct checkup_answer answer = answer_of(rows[i].json, rows[i].status);
        struct finding finding = {.check = "x"};
        check(&answer, &finding);
        assert_finding(&finding, rows[i].level, rows[i].piece);
    }
}

/* Results of a check that could not see its object. None of them sounds like "ok". */
#define UNSEEN(missing_level)                                                                      \
    {NULL, 404, missing_level, ""}, {NULL, 403, FINDING_NOTE, "may not be looked at"}, {           \
        NULL, 500, FINDING_NOTE, "500"                                                             \
    }

#endif
