// SPDX-License-Identifier: Apache-2.0
#include "yaml_tag.h"

#include <string.h>

#define PREFIX "tag:yaml.org,2002:"

/* A tag that fixes the kind of a scalar. */
struct typed {
    const char *name;
    enum yaml_scalar_kind kind;
};

static const struct typed types[] = {
    {PREFIX "null", YAML_SCALAR_NULL},   {PREFIX "bool", YAML_SCALAR_BOOL},
    {PREFIX "int", YAML_SCALAR_INTEGER}, {PREFIX "float", YAML_SCALAR_FLOAT},
    {PREFIX "merge", YAML_SCALAR_MERGE},
};

/* The usual form: "!!name" without the "!!". */
static const char *shorten(const char *name) {
    bool is_known = strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0;
    return is_known ? name + sizeof(PREFIX) - 1 : name;
}

static bool fail_unknown(const struct yaml_tag *tag, struct error *error) {
    char quote[YAML_PLACE_QUOTE_SIZE];
    const char *name = shorten(tag->name);
    return yaml_place_fail(error, ERROR_INVALID, tag->place, "the tag '%s%s' is not supported",
                           name != tag->name ? "!!" : "",
                           yaml_place_quote(quote, name, strlen(name)));
}

static bool fits(enum yaml_scalar_kind kind, enum yaml_scalar_kind wanted) {
    bool is_number = kind == YAML_SCALAR_INTEGER || kind == YAML_SCALAR_SPECIAL;
    return kind == wanted || (wanted == YAML_SCALAR_FLOAT && is_number);
}

bool yaml_tag_read_scalar(const struct yaml_tag *tag, const char *text, size_t size,
                          struct buffer *out, enum yaml_scalar_kind *ret_kind,
                          struct error *error) {
    if (tag->name == NULL && tag->is_plain) {
        *ret_kind = yaml_scalar_resolve(text, size, out);
        return true;
    }
    bool is_text = tag->name == NULL || strcmp(tag->name, "!") == 0;
    if (is_text || strcmp(tag->name, PREFIX "str") == 0) {
        yaml_scalar_add_text(text, size, out);
        *ret_kind = YAML_SCALAR_TEXT;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (strcmp(tag->name, types[i].name) == 0) {
            *ret_kind = yaml_scalar_resolve(text, size, out);
            char quote[YAML_PLACE_QUOTE_SIZE];
            return fits(*ret_kind, types[i].kind) ||
                   yaml_place_fail(error, ERROR_INVALID, tag->place, "'%s' is no !!%s",
                                   yaml_place_quote(quote, text, size), shorten(tag->name));
        }
    }
    return fail_unknown(tag, error);
}

bool yaml_tag_check(const struct yaml_tag *tag, const char *expected, struct error *error) {
    return tag->name == NULL || strcmp(tag->name, "!") == 0 ||
           strcmp(shorten(tag->name), expected) == 0 || fail_unknown(tag, error);
}
