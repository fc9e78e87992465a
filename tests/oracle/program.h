// SPDX-License-Identifier: Apache-2.0
#ifndef ORACLE_PROGRAM_H
#define ORACLE_PROGRAM_H

/*
 * Asks the program's code the same question as the oracle, and puts its answer in the oracle's
 * form.
 */

#include <cjson/cJSON.h>

#include "oracle.h"

/* The facts and the policy of one trial, as the program reads them. */
struct program;

/* NULL if the program cannot read them. */
struct program *program_new(const cJSON *facts, const cJSON *policy);
void program_free(struct program *program);

/* The answer, as in oracle.h. `ret_notes` is the object of audit annotations, to be deleted. A
   breach of a bound (of warnings, of the message) is a member `breach`. */
cJSON *program_answer(struct program *program, const struct question *question, cJSON **ret_notes);

#endif
