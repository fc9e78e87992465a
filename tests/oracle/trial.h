// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_TRIAL_H
#define ORACLE_TRIAL_H

/*
 * A trial is one random question as a tree: `facts`, `policy`, `now`, `live` (what
 * look-ups find), `review`, `style` (how the review is written, see wire.h), and where the text is
 * to be broken `tail`, which is put behind it, and `cut`, the number of bytes that it lacks.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "oracle.h"
#include "oracle_parts.h"
#include "support/chance.h"

/* Questions to which the program and the oracle have two answers, and no third has decided yet.
   README.md lists them. 1 makes trials about them. */
enum { TRIAL_ASKS_OPEN_QUESTIONS = 0 };

/* The same seed makes the same trial. To be deleted. */
cJSON *trial_new(uint64_t seed);

/* The review as text; free with free(). */
char *trial_text(const cJSON *trial);

/* All but the text. Borrows from the trial. */
struct question trial_question(const cJSON *trial, enum world world, const char *text);

/* Can this world be? Facts that come from a cluster have uids. */
bool trial_can_be(const cJSON *trial, enum world world);

/* ---- what the two files of the generator share ---- */

/* The names of a trial. */
struct names {
    char name[512];
    char namespace[64];
    enum family kind; /* of the one that the trial is mostly about */
    char uid[256];    /* its uid */
};

/* The uid of the one of that kind. */
const char *names_uid(const struct names *names, enum family kind);

/* Members of objects, changed one or a few at a time. */
void mutate_deployment(struct chance *chance, const struct names *names, cJSON *request);
void mutate_scale(struct chance *chance, const struct names *names, cJSON *request);
void mutate_server(struct chance *chance, const struct names *names, cJSON *request);
void mutate_selector(struct chance *chance, cJSON *object);
void mutate_request(struct chance *chance, const struct names *names, cJSON *review);

/* One of the family; without uid if that is "". */
cJSON *random_server(struct chance *chance, enum family kind, const char *namespace,
                     const char *name, const char *uid);
void random_spec(struct chance *chance, enum family kind, cJSON *spec);

/* The record of the Deployment; without uid if `has_uid` is false. */
cJSON *random_record(struct chance *chance, const struct names *names, bool has_uid);

/* A change to the request of an autoscaler, and the request itself. */
void mutate_autoscaler(struct chance *chance, const struct names *names, cJSON *request);
cJSON *random_autoscaler(struct chance *chance, const struct names *names, bool is_keda);

cJSON *trial_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

cJSON *random_wrong_count(struct chance *chance);

/* A key with a text at the limit, beyond it, or a value of another type. */
void spoil_text(struct chance *chance, cJSON *object, const char *key, size_t limit);

cJSON *random_count(struct chance *chance);
cJSON *random_strategy(struct chance *chance);

/* A text of one letter, of that size. */
cJSON *long_text(size_t size);

#endif
