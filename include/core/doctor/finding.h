// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_DOCTOR_FINDING_H
#define CORE_DOCTOR_FINDING_H

/*
 * The outcome of a check of `capstan doctor`: a level, a sentence, and a remedy.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attribute.h"
#include "base/buffer.h"

/* In the order of their weight. */
enum finding_level {
    FINDING_OK,
    FINDING_NOTE,    /* good to know */
    FINDING_UNKNOWN, /* doctor could not look, so it is neither well nor ill */
    FINDING_PROBLEM, /* somebody has to repair this */
    FINDING_LEVELS,
};

enum { FINDING_MESSAGE_SIZE = 1024, FINDING_OTHER_SIZE = 1024 };

struct finding {
    const char *check; /* the name of the check, a literal */
    enum finding_level level;
    char message[FINDING_MESSAGE_SIZE]; /* cut if it is longer */
    const char *remedy; /* a literal for finding_add_named(); NULL if there is nothing to do */
    char other[FINDING_OTHER_SIZE]; /* for the word OTHER in the remedy: names of objects */
};

/* Sets all but the check; `other` becomes empty. Returns false, so that a check can end with it. */
bool finding_set(struct finding *finding, enum finding_level level, const char *remedy,
                 const char *format, ...) PRINTF_LIKE(4, 5);

/* Replaces the finding if `other` weighs more. Keeps the name of the check. */
void finding_worsen(struct finding *finding, const struct finding *other);

size_t finding_count(const struct finding *findings, size_t n_findings, enum finding_level level);

/* The names in an installation. */
struct finding_names {
    const char *namespace;
    const char *service;
    const char *configuration;
    const char *other; /* of a finding; NULL outside of a remedy */
};

/* Adds the text with these names in place of the words NAMESPACE, SERVICE, CONFIGURATION and OTHER.
 */
void finding_add_named(const char *text, const struct finding_names *names, struct buffer *out);

#endif
