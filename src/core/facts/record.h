// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_FACTS_RECORD_H
#define CORE_FACTS_RECORD_H

/*
 * A fact packed into one allocation: its texts follow each other with their NULs, and numbers and
 * flags stand behind them. 100,000 facts of each kind have to fit into a few tens of megabytes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A range of a fact's struct: one text, or members that are copied as they are. */
struct record_part {
    size_t offset;
    size_t size;
    bool is_text;
};

/* The parts of a kind of fact, which begin with the texts namespace, name and uid. */
struct record_shape {
    const struct record_part *parts;
    size_t n_parts;
};

struct record {
    uint64_t hash;   /* of namespace and name */
    uint64_t round;  /* in which the record was put */
    uint64_t serial; /* no two puts have the same */
    char bytes[];
};

/* A record with round and serial 0. Free with free(). */
struct record *record_pack(const struct record_shape *shape, const void *fact);

/* Sets all members of the fact that are parts of the shape. */
void record_unpack(const struct record_shape *shape, const struct record *record, void *ret_fact);

enum { RECORD_NAMESPACE, RECORD_NAME, RECORD_UID };
const char *record_text(const struct record *record, int which);

uint64_t record_hash(const char *namespace, const char *name);

#endif
