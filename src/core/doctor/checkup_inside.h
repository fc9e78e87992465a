// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_CHECKUP_INSIDE_H
#define CORE_DOCTOR_CHECKUP_INSIDE_H

/*
 * The checks, and the part that they share. Each of them sets the whole finding but its name. The
 * table in checkup.c names them all.
 */

#include "core/doctor/checkup.h"
#include "tree.h"

#define CHECKUP_APPLY_AGAIN "apply the manifests of this version again: manifests/README.md"
#define CHECKUP_ASK_AGAIN   "run capstan doctor again when the API server answers"

/* The tree of an answer. NULL if doctor could not look: the finding then says why. A 404 is a
   problem with the remedy `if_absent`; if that is NULL it is unknown, as everything else is. Free
   with tree_fini(). */
cJSON *checkup_see(const struct patient *patient, enum question question, const char *if_absent,
                   struct finding *finding) MUST_CHECK;

/* The same for a check that has nothing to judge without the object: a 404 is a note, since another
   check calls it a problem. */
cJSON *checkup_see_if_there(const struct patient *patient, enum question question,
                            struct finding *finding) MUST_CHECK;

/* True if the API server said that there is none. */
bool checkup_is_absent(const struct patient *patient, enum question question);

typedef void checkup_function(const struct patient *patient, struct finding *finding);

checkup_function checkup_server;
checkup_function checkup_definition;
checkup_function checkup_registration;
checkup_function checkup_leftover;
checkup_function checkup_last_word;
checkup_function checkup_scope;
checkup_function checkup_bundle;
checkup_function checkup_life;
checkup_function checkup_owner;
checkup_function checkup_service;
checkup_function checkup_deployment;
checkup_function checkup_pods;
checkup_function checkup_flags;
checkup_function checkup_image;
checkup_function checkup_grants;
checkup_function checkup_leader;
checkup_function checkup_operator;
checkup_function checkup_operator_users;

#endif
