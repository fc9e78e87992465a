// SPDX-License-Identifier: Apache-2.0
#include "base/json_write.h"

#include <inttypes.h>
#include <string.h>

#include "json_scan.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

void json_write_begin(struct json_write *write, struct buffer *out) {
    *write = (struct json_write){.out = out};
}

static void begin_value(struct json_write *write) {
    if (write->is_comma_due) {
        buffer_add_byte(write->out, ',');
    }
    write->is_comma_due = true;
}

void json_write_open(struct json_write *write, char bracket) {
    begin_value(write);
    buffer_add_byte(write->out, bracket);
    write->is_comma_due = false;
}

void json_write_close(struct json_write *write, char bracket) {
    buffer_add_byte(write->out, bracket);
    write->is_comma_due = true;
}

void json_write_key(struct json_write *write, const char *key) {
    json_write_text(write, key);
    buffer_add_byte(write->out, ':');
    write->is_comma_due = false;
}

void json_write_text(struct json_write *write, const char *text) {
    json_write_text_sized(write, text, strlen(text));
}

/* The byte that stands for this one behind a backslash; 0 if it has no short form. */
static const char short_escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
    ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
};

/* Writes the one byte or character that is not plain. Returns how many bytes that took. */
static size_t add_special(struct buffer *out, const char *at, const char *end) {
    const char escape[] = {'\\', short_escapes[(unsigned char)*at]};
    size_t size = json_scan_character(at, end);
    if (escape[1] != '\0') {
        buffer_add(out, escape, sizeof(escape));
    } else if (size > 0) {
        buffer_add(out, at, size);
        return size;
    } else if ((unsigned char)*at < ' ') {
        buffer_add_format(out, "\\u%04x", (unsigned)*at);
    } else {
        buffer_add_text(out, REPLACEMENT);
    }
    return 1;
}

void json_write_text_sized(struct json_write *write, const char *bytes, size_t size) {
    begin_value(write);
    buffer_add_byte(write->out, '"');
    const char *const end = size > 0 ? bytes + size : bytes;
    for (const char *at = bytes; at < end;) {
        const char *stop = json_scan_plain(at, end);
        buffer_add(write->out, at, (size_t)(stop - at));
        at = stop < end ? stop + add_special(write->out, stop, end) : end;
    }
    buffer_add_byte(write->out, '"');
}

void json_write_integer(struct json_write *write, int64_t value) {
    begin_value(write);
    buffer_add_format(write->out, "%" PRId64, value);
}

void json_write_bool(struct json_write *write, bool value) {
    begin_value(write);
    buffer_add_text(write->out, value ? "true" : "false");
}

void json_write_raw(struct json_write *write, const char *json) {
    begin_value(write);
    buffer_add_text(write->out, json);
}

void json_write_member_text(struct json_write *write, const char *key, const char *text) {
    json_write_key(write, key);
    json_write_text(write, text);
}

void json_write_member_integer(struct json_write *write, const char *key, int64_t value) {
    json_write_key(write, key);
    json_write_integer(write, value);
}

void json_write_member_bool(struct json_write *write, const char *key, bool value) {
    json_write_key(write, key);
    json_write_bool(write, value);
}
