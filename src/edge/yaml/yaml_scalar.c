// SPDX-License-Identifier: Apache-2.0
#include "yaml_scalar.h"

#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "yaml_number.h"

struct word {
    const char *text;
    enum yaml_scalar_kind kind;
    const char *json;
};

static const struct word words[] = {
    {"", YAML_SCALAR_NULL, "null"},
    {"~", YAML_SCALAR_NULL, "null"},
    {"null", YAML_SCALAR_NULL, "null"},
    {"Null", YAML_SCALAR_NULL, "null"},
    {"NULL", YAML_SCALAR_NULL, "null"},
    {"y", YAML_SCALAR_BOOL, "true"},
    {"Y", YAML_SCALAR_BOOL, "true"},
    {"yes", YAML_SCALAR_BOOL, "true"},
    {"Yes", YAML_SCALAR_BOOL, "true"},
    {"YES", YAML_SCALAR_BOOL, "true"},
    {"true", YAML_SCALAR_BOOL, "true"},
    {"True", YAML_SCALAR_BOOL, "true"},
    {"TRUE", YAML_SCALAR_BOOL, "true"},
    {"on", YAML_SCALAR_BOOL, "true"},
    {"On", YAML_SCALAR_BOOL, "true"},
    {"ON", YAML_SCALAR_BOOL, "true"},
    {"n", YAML_SCALAR_BOOL, "false"},
    {"N", YAML_SCALAR_BOOL, "false"},
    {"no", YAML_SCALAR_BOOL, "false"},
    {"No", YAML_SCALAR_BOOL, "false"},
    {"NO", YAML_SCALAR_BOOL, "false"},
    {"false", YAML_SCALAR_BOOL, "false"},
    {"False", YAML_SCALAR_BOOL, "false"},
    {"FALSE", YAML_SCALAR_BOOL, "false"},
    {"off", YAML_SCALAR_BOOL, "false"},
    {"Off", YAML_SCALAR_BOOL, "false"},
    {"OFF", YAML_SCALAR_BOOL, "false"},
    {".nan", YAML_SCALAR_SPECIAL, "\".nan\""},
    {".NaN", YAML_SCALAR_SPECIAL, "\".nan\""},
    {".NAN", YAML_SCALAR_SPECIAL, "\".nan\""},
    {".inf", YAML_SCALAR_SPECIAL, "\".inf\""},
    {".Inf", YAML_SCALAR_SPECIAL, "\".inf\""},
    {".INF", YAML_SCALAR_SPECIAL, "\".inf\""},
    {"+.inf", YAML_SCALAR_SPECIAL, "\".inf\""},
    {"+.Inf", YAML_SCALAR_SPECIAL, "\".inf\""},
    {"+.INF", YAML_SCALAR_SPECIAL, "\".inf\""},
    {"-.inf", YAML_SCALAR_SPECIAL, "\"-.inf\""},
    {"-.Inf", YAML_SCALAR_SPECIAL, "\"-.inf\""},
    {"-.INF", YAML_SCALAR_SPECIAL, "\"-.inf\""},
    {"<<", YAML_SCALAR_MERGE, "\"<<\""},
};

static const struct word *find_word(const char *text, size_t size) {
    const size_t size_max = 5;
    if (size > size_max) {
        return NULL;
    }
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strlen(words[i].text) == size && memcmp(words[i].text, text, size) == 0) {
            return &words[i];
        }
    }
    return NULL;
}

enum yaml_scalar_kind yaml_scalar_resolve(const char *text, size_t size, struct buffer *out) {
    const struct word *word = find_word(text, size);
    if (word != NULL) {
        buffer_add_text(out, word->json);
        return word->kind;
    }
    switch (yaml_number_read(text, size, out)) {
    case YAML_NUMBER_INTEGER:
        return YAML_SCALAR_INTEGER;
    case YAML_NUMBER_FLOAT:
        return YAML_SCALAR_FLOAT;
    default:
        yaml_scalar_add_text(text, size, out);
        return YAML_SCALAR_TEXT;
    }
}

void yaml_scalar_add_text(const char *text, size_t size, struct buffer *out) {
    struct json_write write;
    json_write_begin(&write, out);
    json_write_text_sized(&write, text, size);
}

void yaml_scalar_add_key(enum yaml_scalar_kind kind, const char *json, size_t size,
                         struct buffer *out) {
    AUTO_FREE char *copy = memory_copy(json, size);
    switch (kind) {
    case YAML_SCALAR_INTEGER:
    case YAML_SCALAR_BOOL:
        buffer_add_byte(out, '"');
        buffer_add(out, copy, size);
        buffer_add_byte(out, '"');
        break;
    case YAML_SCALAR_FLOAT:
        buffer_add_byte(out, '"');
        yaml_number_add_key(copy, out);
        buffer_add_byte(out, '"');
        break;
    default:
        buffer_add(out, copy, size);
        break;
    }
}
