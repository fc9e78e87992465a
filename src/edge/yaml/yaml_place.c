// SPDX-License-Identifier: Apache-2.0
#include "yaml_place.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static bool is_continuation(char byte) {
    return ((unsigned char)byte & 0xC0) == 0x80;
}

void yaml_place_advance(struct yaml_place *place, const char *from, const char *to) {
    for (; from < to; from++) {
        if (*from == '\n') {
            place->line++;
            place->column = 1;
        } else if (!is_continuation(*from)) {
            place->column++;
        }
    }
}

void yaml_place_mark(struct yaml_place place, struct yaml_document *document) {
    document->marks = memory_grow(document->marks, document->n_marks, sizeof(*document->marks));
    document->marks[document->n_marks++] = (struct yaml_mark){
        .offset = (uint32_t)document->json.size,
        .line = place.line,
        .column = place.column,
    };
}

const char *yaml_place_pass_blanks(const char *at, const char *end) {
    while (at < end && memchr(" \t\r\n", *at, 4) != NULL) {
        at++;
    }
    return at;
}

bool yaml_place_fail(struct error *error, enum error_kind kind, struct yaml_place place,
                     const char *format, ...) {
    char text[sizeof(error->text)];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    error_set(error, kind, "%s", text);
    return error_wrap(error, "line %u, column %u", place.line, place.column);
}

const char *yaml_place_quote(char out[YAML_PLACE_QUOTE_SIZE], const char *bytes, size_t size) {
    static const char mark[] = "...";
    const size_t room = YAML_PLACE_QUOTE_SIZE - sizeof(mark);
    size_t kept = MIN(size, room);
    while (kept < size && kept > 0 && is_continuation(bytes[kept])) {
        kept--;
    }
    for (size_t i = 0; i < kept; i++) {
        bool is_control = (unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7F;
        out[i] = is_control ? '?' : bytes[i];
    }
    memcpy(out + kept, kept < size ? mark : "", kept < size ? sizeof(mark) : 1);
    return out;
}

/* Returns the end of the quoted scalar at `at`, or of the line. */
static const char *pass_quoted(const char *at, const char *end) {
    const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
    return close != NULL ? close + 1 : end;
}

/* The first "{{" on a line where a scalar could begin, or NULL. */
static const char *find_braces(const char *at, const char *end) {
    bool is_start = true;
    bool is_space = true;
    while (at < end) {
        if (is_space && *at == '#') {
            return NULL;
        }
        if (is_start && (*at == '"' || *at == '\'')) {
            at = pass_quoted(at, end);
            is_start = is_space = false;
            continue;
        }
        if (is_start && end - at >= 2 && at[0] == '{' && at[1] == '{') {
            return at;
        }
        is_space = *at == ' ' || *at == '\t';
        is_start = is_space ? is_start : memchr(":-?,[{", *at, 6) != NULL;
        at++;
    }
    return NULL;
}

bool yaml_place_find_template(const char *bytes, size_t size, struct yaml_place *place) {
    const char *end = bytes + size;
    const char *line = bytes;
    for (uint32_t number = 1; number < place->line; number++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        if (stop == NULL) {
            return false;
        }
        line = stop + 1;
    }
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    const char *braces = find_braces(line, stop != NULL ? stop : end);
    if (braces == NULL) {
        return false;
    }
    place->column = 1;
    yaml_place_advance(place, line, braces);
    return true;
}
