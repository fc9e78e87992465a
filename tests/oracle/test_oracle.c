// SPDX-License-Identifier: Apache-2.0

/*
 * The program and the oracle answer random reviews for some seconds. README.md here tells more.
 *
 * ORACLE_SEED repeats a run, ORACLE_SECONDS sets its length, ORACLE_SHOW the number of differences
 * that it prints.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cJSON_Utils.h>
#include <cmocka.h>

#include "golden.h"
#include "oracle.h"
#include "program.h"
#include "report.h"
#include "tree.h"
#include "trial.h"

enum {
    SECONDS = 20,
    SHOW = 3,
    CASES_MIN = 450,
    REVIEWS_MIN = 20000, /* however slow the machine is */
    MET_MIN = 5,         /* reviews for each mark */
};

struct run {
    uint64_t seed;
    uint64_t n_reviews;
    uint64_t n_answers;
    uint64_t n_differences;
    uint64_t n_resolved; /* the review is about one of the family */
    uint64_t met[MARK_COUNT];
    uint64_t shown[64]; /* hashes of what was printed */
    size_t n_shown;
};

static uint64_t number_from(const char *variable, uint64_t otherwise) {
    const char *text = getenv(variable);
    return text == NULL || text[0] == '\0' ? otherwise : strtoull(text, NULL, 0);
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- laws ---- */

/* Is each text of the one list in the other? */
static bool is_subset(const cJSON *some, const cJSON *all) {
    const cJSON *item;
    const cJSON *other;
    cJSON_ArrayForEach(item, some) {
        bool is_there = false;
        cJSON_ArrayForEach(other, all) {
            is_there = is_there || cJSON_Compare(item, other, true);
        }
        if (!is_there) {
            return false;
        }
    }
    return true;
}

/* An annotation that both answers have is the same in both. */
static bool are_notes_alike(const cJSON *first, const cJSON *second) {
    const cJSON *note;
    cJSON_ArrayForEach(note, second) {
        const cJSON *before = cJSON_GetObjectItemCaseSensitive(first, note->string);
        if (before != NULL && !cJSON_Compare(before, note, true)) {
            return false;
        }
    }
    return true;
}

/* The review whose object has the patch of the answer; NULL if there is none. */
static cJSON *patched_trial(const cJSON *trial, const cJSON *answer) {
    const cJSON *patch = tree_at(answer, "patch", NULL);
    const cJSON *value;
    if (cJSON_GetArraySize(patch) == 0) {
        return NULL;
    }
    cJSON *operations = cJSON_CreateArray();
    cJSON_ArrayForEach(value, patch) {
        cJSON *operation = cJSON_CreateObject();
        cJSON_AddStringToObject(operation, "op", "add");
        cJSON_AddStringToObject(operation, "path", value->string);
        cJSON_AddItemToObject(operation, "value", tree_copy(value));
        cJSON_AddItemToArray(operations, operation);
    }
    cJSON *patched = tree_copy(trial);
    cJSON *object = tree_at(patched, "review", "request", "object", NULL);
    int status = cJSONUtils_ApplyPatchesCaseSensitive(object, operations);
    cJSON_Delete(operations);
    if (status != 0) {
        tree_put_text(patched, "unpatched", "the patch does not apply");
    }
    return patched;
}

/* Reinvocation: asked about its own work, the program changes nothing more, says nothing new, and
   audits alike. */
static const char *law_of_reinvocation(struct program *program, const cJSON *trial,
                                       enum world world, const cJSON *answer, const cJSON *notes) {
    const char *breach = NULL;
    cJSON *patched = patched_trial(trial, answer);
    if (patched == NULL) {
        return NULL;
    }
    char *text = trial_text(patched);
    struct question question = trial_question(patched, world, text);
    cJSON *second_notes;
    cJSON *second = program_answer(program, &question, &second_notes);
    bool is_alike_known =
        cJSON_Compare(tree_at(second, "lookup", NULL), tree_at(answer, "lookup", NULL), true);
    if (tree_at(patched, "unpatched", NULL) != NULL) {
        breach = "the patch does not apply";
    } else if (!is_alike_known) {
        breach = NULL; /* the two answers come from different facts */
    } else if (cJSON_GetArraySize(tree_at(second, "patch", NULL)) > 0) {
        breach = "a second patch";
    } else if (!is_subset(tree_at(second, "warnings", NULL), tree_at(answer, "warnings", NULL))) {
        breach = "a new warning when asked again";
    } else if (!is_subset(tree_at(second, "audit", NULL), tree_at(answer, "audit", NULL))) {
        breach = "a new audit annotation when asked again";
    } else if (!are_notes_alike(notes, second_notes)) {
        breach = "an audit annotation has another value when asked again";
    }
    cJSON_Delete(second_notes);
    cJSON_Delete(second);
    cJSON_Delete(patched);
    free(text);
    return breach;
}

/* ---- one question ---- */

/* Both answers. Returns whether they differ, or a law is broken. */
static bool ask(struct program *program, const cJSON *trial, enum world world, const char *text,
                struct marks *marks, cJSON **ret_expected, cJSON **ret_answered) {
    struct question question = trial_question(trial, world, text);
    cJSON *notes;
    *ret_expected = oracle_answer(&question, marks);
    *ret_answered = program_answer(program, &question, &notes);
    const char *breach = law_of_reinvocation(program, trial, world, *ret_answered, notes);
    if (breach != NULL) {
        tree_put_text(*ret_answered, "breach", breach);
    }
    cJSON_Delete(notes);
    return !cJSON_Compare(*ret_expected, *ret_answered, true);
}

/* The two answers of a difference. */
struct difference {
    const cJSON *expected;
    const cJSON *answered;
};

/* For report_shrink(): do the two answers still differ in the same way? */
static bool shows_difference(const void *context, const cJSON *trial, enum world world) {
    const struct difference *difference = context;
    struct program *program =
        program_new(tree_at(trial, "facts", NULL), tree_at(trial, "policy", NULL));
    struct marks marks = {.met = {false}};
    cJSON *expected;
    cJSON *answered;
    if (program == NULL) {
        return false;
    }
    char *text = trial_text(trial);
    bool is_shown = ask(program, trial, world, text, &marks, &expected, &answered) &&
                    cJSON_Compare(expected, difference->expected, true) &&
                    cJSON_Compare(answered, difference->answered, true);
    cJSON_Delete(expected);
    cJSON_Delete(answered);
    free(text);
    program_free(program);
    return is_shown;
}

static uint64_t hash(const char *text) {
    uint64_t value = 0xcbf29ce484222325U;
    for (; *text != '\0'; text++) {
        value = (value ^ (unsigned char)*text) * 0x100000001b3U;
    }
    return value;
}

/* Has something like it been printed already? */
static bool is_shown(struct run *run, const cJSON *expected, const cJSON *answered,
                     const struct marks *marks) {
    char *one = cJSON_PrintUnformatted(expected);
    char *other = cJSON_PrintUnformatted(answered);
    uint64_t key = hash(one) * 31 + hash(other);
    for (size_t i = 0; i < MARK_COUNT; i++) {
        key = key * 3 + marks->met[i];
    }
    free(one);
    free(other);
    for (size_t i = 0; i < run->n_shown; i++) {
        if (run->shown[i] == key) {
            return true;
        }
    }
    size_t most = (size_t)number_from("ORACLE_SHOW", SHOW);
    if (run->n_shown >= most || run->n_shown >= sizeof(run->shown) / sizeof(run->shown[0])) {
        return true;
    }
    run->shown[run->n_shown++] = key;
    return false;
}

static void show(const cJSON *trial, enum world world, uint64_t seed,
                 const struct difference *difference) {
    cJSON *small = tree_copy(trial);
    report_shrink(small, world, shows_difference, difference);
    printf("# ORACLE_SEED=%llu repeats this difference first\n", (unsigned long long)seed);
    report_print(small, world, difference->expected, difference->answered);
    cJSON_Delete(small);
}

static void count(struct run *run, const struct marks *marks) {
    for (size_t i = 0; i < MARK_COUNT; i++) {
        run->met[i] += marks->met[i];
    }
}

static void run_trial(struct run *run, uint64_t seed) {
    cJSON *trial = trial_new(seed);
    struct program *program =
        program_new(tree_at(trial, "facts", NULL), tree_at(trial, "policy", NULL));
    struct marks all = {.met = {false}};
    char *text = trial_text(trial);
    bool is_resolved = false;
    assert_non_null(program);
    for (enum world world = WORLD_OFFLINE; world < WORLD_COUNT; world++) {
        struct marks marks = {.met = {false}};
        cJSON *expected;
        cJSON *answered;
        if (!trial_can_be(trial, world)) {
            continue;
        }
        run->n_answers++;
        if (ask(program, trial, world, text, &marks, &expected, &answered)) {
            run->n_differences++;
            if (!is_shown(run, expected, answered, &marks)) {
                struct difference difference = {expected, answered};
                show(trial, world, seed, &difference);
            }
        }
        is_resolved = is_resolved || marks.is_resolved;
        for (size_t i = 0; i < MARK_COUNT; i++) {
            all.met[i] = all.met[i] || marks.met[i];
        }
        cJSON_Delete(expected);
        cJSON_Delete(answered);
    }
    run->n_reviews++;
    run->n_resolved += is_resolved;
    count(run, &all);
    free(text);
    program_free(program);
    cJSON_Delete(trial);
}

static void test_oracle__answers_the_golden_cases(void **state) {
    const char *folder = getenv("CAPSTAN_TESTS");
    size_t n_cases;
    (void)state;
    size_t n_different = golden_compare(folder == NULL ? "tests" : folder, &n_cases);
    printf("%zu golden cases, %zu differ\n", n_cases, n_different);
    assert_true(n_cases >= CASES_MIN);
    assert_int_equal(n_different, 0);
}

static void test_oracle__and_program_answer_alike(void **state) {
    struct run *run = *state;
    double end = now_s() + (double)number_from("ORACLE_SECONDS", SECONDS);
    run->seed = number_from("ORACLE_SEED", (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid());
    printf("ORACLE_SEED=%llu\n", (unsigned long long)run->seed);
    for (uint64_t i = 0; i < REVIEWS_MIN || now_s() < end; i++) {
        run_trial(run, run->seed + i);
    }
    printf("%llu reviews, %llu answers, %llu differ; %llu reviews are about the family\n",
           (unsigned long long)run->n_reviews, (unsigned long long)run->n_answers,
           (unsigned long long)run->n_differences, (unsigned long long)run->n_resolved);
    assert_int_equal(run->n_differences, 0);
}

static void test_oracle__met_every_row_and_outcome(void **state) {
    static const char *const texts[] = {
#define MARK_TEXT(id, text) text,
        MARK_TABLE(MARK_TEXT)};
    const struct run *run = *state;
    size_t n_missed = 0;
    for (size_t i = 0; i < MARK_COUNT; i++) {
        bool is_missed = run->met[i] < MET_MIN;
        printf("%8llu  %s%s\n", (unsigned long long)run->met[i], texts[i],
               is_missed ? "  <- too few" : "");
        n_missed += is_missed;
    }
    assert_int_equal(n_missed, 0);
    assert_true(run->n_resolved * 2 > run->n_reviews);
}

int main(void) {
    static struct run run;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle__answers_the_golden_cases),
        cmocka_unit_test_prestate(test_oracle__and_program_answer_alike, &run),
        cmocka_unit_test_prestate(test_oracle__met_every_row_and_outcome, &run),
    };
    setvbuf(stdout, NULL, _IOLBF, 0);
    return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}
