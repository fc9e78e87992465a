// SPDX-License-Identifier: Apache-2.0
#include "core/facts/kind.h"

#include <string.h>

#define ROW(ID, GROUP, KIND, PLURAL, LABEL, TRANSPORT, TRAITS)                                     \
    [OBJECT_##ID] = {(GROUP), (KIND), (PLURAL), (LABEL), (TRANSPORT), (TRAITS)},

const struct kind kind_rows[OBJECT_KIND_COUNT] = {
    [OBJECT_OTHER] = {.group = "", .kind = "", .plural = ""}, KIND_TABLE(ROW)};

enum object_kind kind_find(const char *group, const char *kind) {
    for (int i = OBJECT_OTHER + 1; i < OBJECT_KIND_COUNT; i++) {
        if (strcmp(kind_rows[i].kind, kind) == 0 && strcmp(kind_rows[i].group, group) == 0) {
            return (enum object_kind)i;
        }
    }
    return OBJECT_OTHER;
}

enum object_kind kind_of_label(const char *label, size_t size) {
    for (int i = OBJECT_FAMILY_FIRST; i <= OBJECT_FAMILY_LAST; i++) {
        const char *expected = kind_rows[i].label;
        if (strlen(expected) == size && memcmp(expected, label, size) == 0) {
            return (enum object_kind)i;
        }
    }
    return OBJECT_OTHER;
}

enum object_kind kind_of_family(const char *kind) {
    return kind_find(TOOLHIVE_GROUP, kind);
}

bool kind_has(enum object_kind kind, unsigned trait) {
    return (kind_rows[kind].traits & trait) != 0;
}

bool kind_is_family(enum object_kind kind) {
    return kind_has(kind, KIND_IN_FAMILY);
}

bool kind_is_autoscaler(enum object_kind kind) {
    return kind_has(kind, KIND_IS_AUTOSCALER);
}
