// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_FIELDS_FIXTURES_H
#define BASE_JSON_FIELDS_FIXTURES_H

/*
 * Values for the tables of both test programs of json_fields.
 */

#include <string.h>

#include "base/json_fields.h"
#include "base/memory.h"

enum colour { NO_COLOUR, RED, GREEN };

static const struct json_word colours[] = {{"red", RED}, {"green", GREEN}, {NULL, NO_COLOUR}};

struct home {
    int64_t floor;
};
static const struct json_field home_rows[] = {
    JSON_INTEGER("floor", struct home, floor, -1, 9),
};
static const struct json_fields home_fields = JSON_FIELDS(home_rows);

static void add_item(struct json_walk *walk, void *at) {
    int64_t *sum = at;
    int64_t value = 0;
    if (json_read_integer(walk->reader, &value)) {
        *sum += value;
    } else {
        json_walk_fail(walk, "must be a number");
    }
}

/* JSON is written with ' for " in these tests. */
static char *quoted(const char *json) {
    char *text = memory_copy(json, strlen(json));
    for (char *at = text; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return text;
}

#endif
