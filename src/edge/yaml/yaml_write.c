// SPDX-License-Identifier: Apache-2.0
#include "edge/yaml_write.h"

#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "base/memory.h"
#include "edge/yaml.h"
#include "yaml_scalar.h"
#include "yaml_text.h"

/* A reader looks for the colon of a key within 1,024 characters. A longer key needs a question
   mark. */
#define KEY_SIZE_MAX 1000

/* An object or array that is open. */
struct level {
    bool is_list;
    bool is_begun;   /* a member or item was written */
    bool has_key;    /* it is the value of a member */
    uint32_t indent; /* spaces before its members or items */
};

struct writer {
    struct json_reader reader;
    struct buffer *out;
    struct buffer text; /* the current key, string or number, decoded; kept to reuse its memory */
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
    size_t start; /* offset of the current value in the JSON */
    bool is_too_deep;
    struct json_text no_number; /* a number that YAML cannot express, if any */
};

static struct level *innermost(struct writer *writer) {
    return writer->depth > 0 ? &writer->levels[writer->depth - 1] : NULL;
}

/* "- " already ends with a space. After a colon, a space is needed only if something follows on the
   line. */
static void separate(struct writer *writer) {
    const struct level *level = innermost(writer);
    if (level != NULL && !level->is_list) {
        buffer_add_byte(writer->out, ' ');
    }
}

static const char *decode(struct writer *writer, const struct json_text *text) {
    buffer_clear(&writer->text);
    yaml_text_decode(text, &writer->text);
    return buffer_text(&writer->text);
}

static void write_text(struct writer *writer, const struct json_text *raw) {
    const struct level *level = innermost(writer);
    const char *text = decode(writer, raw);
    size_t size = writer->text.size;
    separate(writer);
    switch (yaml_text_style(text, size)) {
    case YAML_TEXT_LITERAL:
        yaml_text_add_literal(text, size, level != NULL ? level->indent + 2 : 2, writer->out);
        return;
    case YAML_TEXT_QUOTED:
        yaml_text_add_quoted(text, size, writer->out);
        break;
    default:
        buffer_add(writer->out, text, size);
        break;
    }
    buffer_add_byte(writer->out, '\n');
}

static bool is_number(struct writer *writer, const struct json_text *raw) {
    struct buffer nothing;
    buffer_init(&nothing, 0);
    buffer_clear(&writer->text);
    buffer_add(&writer->text, raw->at, raw->size);
    enum yaml_scalar_kind kind =
        yaml_scalar_resolve(buffer_text(&writer->text), raw->size, &nothing);
    return kind == YAML_SCALAR_INTEGER || kind == YAML_SCALAR_FLOAT;
}

/* A number, true, false or null. */
static void write_raw(struct writer *writer, enum json_kind kind) {
    struct json_text raw;
    if (!json_read_raw(&writer->reader, &raw)) {
        return;
    }
    if (kind == JSON_NUMBER && !is_number(writer, &raw)) {
        writer->no_number = raw;
        return;
    }
    separate(writer);
    buffer_add(writer->out, raw.at, raw.size);
    buffer_add_byte(writer->out, '\n');
}

static void open_level(struct writer *writer, bool is_list) {
    const struct level *parent = innermost(writer);
    struct level level = {.is_list = is_list};
    if (parent != NULL) {
        level.has_key = !parent->is_list;
        level.indent = parent->indent + (level.has_key && is_list ? 0 : 2);
    }
    if (writer->depth == YAML_DEPTH_MAX) {
        writer->is_too_deep = true;
    } else {
        writer->levels[writer->depth++] = level;
    }
}

/* Writes a scalar, or opens an object or array. The next token decides what an open level
   writes. */
static void begin_value(struct writer *writer) {
    struct json_text text;
    writer->start = json_offset(&writer->reader);
    enum json_kind kind = json_peek(&writer->reader);
    switch (kind) {
    case JSON_OBJECT:
        if (json_enter_object(&writer->reader)) {
            open_level(writer, false);
        }
        break;
    case JSON_ARRAY:
        if (json_enter_array(&writer->reader)) {
            open_level(writer, true);
        }
        break;
    case JSON_STRING:
        if (json_read_text(&writer->reader, &text)) {
            write_text(writer, &text);
        }
        break;
    default:
        write_raw(writer, kind);
        break;
    }
}

/* Goes to where the next member or item begins. The first member of a list item stands on the line
   of the dash. */
static void begin_line(struct writer *writer, struct level *level) {
    if (!level->is_begun && level->has_key) {
        buffer_add_byte(writer->out, '\n');
    }
    if (level->is_begun || level->has_key) {
        yaml_text_add_spaces(level->indent, writer->out);
    }
    level->is_begun = true;
}

static void write_key(struct writer *writer, const struct level *level,
                      const struct json_text *key) {
    const char *text = decode(writer, key);
    size_t size = writer->text.size;
    bool is_plain = yaml_text_style(text, size) == YAML_TEXT_PLAIN;
    AUTO(buffer_fini) struct buffer quoted;
    buffer_init(&quoted, SIZE_MAX);
    if (!is_plain) {
        yaml_text_add_quoted(text, size, &quoted);
    }
    const struct buffer *written = is_plain ? &writer->text : &quoted;
    bool is_long = written->size > KEY_SIZE_MAX;
    buffer_add_text(writer->out, is_long ? "? " : "");
    buffer_add(writer->out, written->bytes, written->size);
    if (is_long) {
        buffer_add_byte(writer->out, '\n');
        yaml_text_add_spaces(level->indent, writer->out);
    }
    buffer_add_byte(writer->out, ':');
}

static void close_level(struct writer *writer, const struct level *level) {
    writer->depth--;
    if (!level->is_begun) {
        separate(writer);
        buffer_add_text(writer->out, level->is_list ? "[]\n" : "{}\n");
    }
}

static void write_next(struct writer *writer) {
    struct level *level = innermost(writer);
    struct json_text key;
    assert(level != NULL);
    struct json_reader *reader = &writer->reader;
    if (level->is_list ? !json_next_item(reader) : !json_next_member(reader, &key)) {
        close_level(writer, level);
        return;
    }
    begin_line(writer, level);
    if (level->is_list) {
        buffer_add_text(writer->out, "- ");
    } else {
        write_key(writer, level, &key);
    }
    begin_value(writer);
}

static bool finish(struct writer *writer, struct error *error) {
    if (writer->is_too_deep) {
        return error_set_at(error, ERROR_TOO_LARGE, writer->start,
                            "nested more than %d levels deep", YAML_DEPTH_MAX);
    }
    if (writer->no_number.at != NULL) {
        const size_t shown_max = 40;
        int shown = (int)MIN(writer->no_number.size, shown_max);
        return error_set_at(error, ERROR_INVALID, writer->start,
                            "the number %.*s is too large for YAML", shown, writer->no_number.at);
    }
    if (writer->out->is_cut) {
        return error_set(error, ERROR_TOO_LARGE, "more than %zu bytes of YAML", writer->out->limit);
    }
    return json_finish(&writer->reader, error);
}

bool yaml_write(const char *json, size_t size, struct buffer *out, struct error *error) {
    AUTO_FREE struct writer *writer = memory_new(1, sizeof(*writer));
    size_t size_before = out->size;
    writer->out = out;
    buffer_init(&writer->text, SIZE_MAX);
    json_begin(&writer->reader, json, size);
    begin_value(writer);
    while (writer->depth > 0 && !writer->is_too_deep && writer->no_number.at == NULL &&
           !out->is_cut) {
        write_next(writer);
    }
    bool is_written = finish(writer, error);
    if (!is_written) {
        out->size = size_before;
    }
    buffer_fini(&writer->text);
    return is_written;
}
