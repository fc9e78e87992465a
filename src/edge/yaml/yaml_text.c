// SPDX-License-Identifier: Apache-2.0
#include "yaml_text.h"

#include <stdint.h>
#include <string.h>

#include "yaml_scalar.h"

/* The code point at `at`, and its size in bytes. The text is valid UTF-8. */
static uint32_t decode(const char *at, size_t *ret_size) {
    unsigned char lead = (unsigned char)*at;
    if (lead < 0x80) {
        *ret_size = 1;
        return lead;
    }
    *ret_size = (size_t)2 + (lead >= 0xE0) + (lead >= 0xF0);
    uint32_t code = lead & (0x7Fu >> *ret_size);
    for (size_t i = 1; i < *ret_size; i++) {
        code = code << 6 | ((unsigned char)at[i] & 0x3F);
    }
    return code;
}

/* May the character be written as it is? Not if YAML refuses it or takes it for a line break, nor
   if it is a byte order mark or a noncharacter. */
static bool is_printable(uint32_t code) {
    if (code < 0xA0) {
        return code >= ' ' && code <= '~';
    }
    bool is_break = code == 0x2028 || code == 0x2029;
    bool is_mark = code == 0xFEFF;
    bool is_none = (code & 0xFFFE) == 0xFFFE;
    return !is_break && !is_mark && !is_none;
}

/* May every character be written as it is? Tabs and line breaks count as yes. */
static bool is_all_printable(const char *text, size_t text_size) {
    size_t size;
    for (const char *at = text; at < text + text_size; at += size) {
        uint32_t code = decode(at, &size);
        if (!is_printable(code) && code != '\t' && code != '\n') {
            return false;
        }
    }
    return true;
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}

/* A literal block shows the text as it is: several lines, not all empty, and none ends with
   blanks. */
static bool is_literal(const char *text, size_t size) {
    const char *at = strchr(text, '\n');
    if (at == NULL || strspn(text, "\n") == size || is_blank(text[size - 1])) {
        return false;
    }
    for (; at != NULL; at = strchr(at + 1, '\n')) {
        if (at > text && is_blank(at[-1])) {
            return false;
        }
    }
    return true;
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static const char *pass_digits(const char *at) {
    return at + strspn(at, "0123456789");
}

/* After a colon or a dash it makes that an indicator. */
static bool is_blank_or_end(char byte) {
    return is_blank(byte) || byte == '\0';
}

/* Does the text contain YAML syntax? In block style, brackets and commas are syntax only at the
   beginning. */
static bool has_syntax(const char *text, size_t size) {
    if (strchr(" \t,[]{}#&*!|>'\"%@`", *text) != NULL || is_blank_or_end(text[size - 1])) {
        return true;
    }
    if (strchr("-?:", *text) != NULL && is_blank_or_end(text[1])) {
        return true;
    }
    /* Document markers. */
    if (strncmp(text, "---", 3) == 0 || strncmp(text, "...", 3) == 0) {
        return true;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\t' || (*at == ':' && is_blank_or_end(at[1])) || (*at == ' ' && at[1] == '#')) {
            return true;
        }
    }
    return false;
}

/* 2001-01-01, perhaps with a time. */
static bool is_date(const char *text) {
    const char *month = pass_digits(text);
    if (month - text != 4 || *month != '-') {
        return false;
    }
    const char *day = pass_digits(month + 1);
    if (day == month + 1 || *day != '-' || !is_digit(day[1])) {
        return false;
    }
    char next = *pass_digits(day + 1);
    return next == '\0' || next == 'T' || next == 't' || is_blank_or_end(next);
}

/* 12:30 and 1:59:59.5 are base 60 numbers in YAML 1.1. */
static bool is_base_60(const char *text) {
    const char *at = text + (*text == '-' || *text == '+');
    if (!is_digit(*at)) {
        return false;
    }
    at += strspn(at, "0123456789_");
    if (*at != ':') {
        return false;
    }
    while (*at == ':' && is_digit(at[1])) {
        at += at[1] <= '5' && is_digit(at[2]) ? 3 : 2;
    }
    if (*at == '.') {
        at += 1 + strspn(at + 1, "0123456789_");
    }
    return *at == '\0';
}

/* 1e400 is not a number for edge/yaml, but other readers take it for one. */
static bool is_like_float(const char *text, size_t size) {
    const char *at = text + (*text == '-' || *text == '+');
    return (is_digit(*at) || *at == '.') && is_digit(text[size - 1]) &&
           strpbrk(text, "eE") != NULL && strspn(text, "0123456789_.eE+-") == size;
}

static bool is_text(const char *text, size_t size) {
    struct buffer nothing;
    buffer_init(&nothing, 0);
    return yaml_scalar_resolve(text, size, &nothing) == YAML_SCALAR_TEXT;
}

/* Can the text be written without quotes and read back as itself, as a value or a key in block
   style? It must be printable and have no line break. */
static bool is_safe_plain(const char *text, size_t size) {
    return size > 0 && !has_syntax(text, size) && strcmp(text, "=") != 0 && !is_date(text) &&
           !is_base_60(text) && !is_like_float(text, size) && is_text(text, size);
}

enum yaml_text_style yaml_text_style(const char *text, size_t size) {
    if (!is_all_printable(text, size)) {
        return YAML_TEXT_QUOTED;
    }
    if (memchr(text, '\n', size) != NULL) {
        return is_literal(text, size) ? YAML_TEXT_LITERAL : YAML_TEXT_QUOTED;
    }
    return is_safe_plain(text, size) ? YAML_TEXT_PLAIN : YAML_TEXT_QUOTED;
}

static void add_escape(uint32_t code, struct buffer *out) {
    static const char named[] = "\"\\\n\r\t\b\f";
    static const char letters[] = "\"\\nrtbf";
    const char *name = code != 0 && code < 0x80 ? strchr(named, (int)code) : NULL;
    if (name != NULL) {
        buffer_add_byte(out, '\\');
        buffer_add_byte(out, letters[name - named]);
    } else {
        buffer_add_format(out, code > 0xFFFF ? "\\U%08x" : "\\u%04x", (unsigned)code);
    }
}

void yaml_text_add_quoted(const char *text, size_t text_size, struct buffer *out) {
    size_t size;
    buffer_add_byte(out, '"');
    for (const char *at = text; at < text + text_size; at += size) {
        uint32_t code = decode(at, &size);
        if (!is_printable(code) || code == '"' || code == '\\') {
            add_escape(code, out);
        } else {
            buffer_add(out, at, size);
        }
    }
    buffer_add_byte(out, '"');
}

void yaml_text_add_spaces(size_t n, struct buffer *out) {
    for (; n > 0; n--) {
        buffer_add_byte(out, ' ');
    }
}

void yaml_text_add_literal(const char *text, size_t size, size_t indent, struct buffer *out) {
    /* If the first line begins with a blank, a reader cannot tell the indentation of the block. */
    bool is_indented = is_blank(text[strspn(text, "\n")]);
    buffer_add_text(out, is_indented ? "|2" : "|");
    if (text[size - 1] != '\n') {
        buffer_add_byte(out, '-');
    } else if (text[size - 2] == '\n') {
        buffer_add_byte(out, '+');
    }
    buffer_add_byte(out, '\n');
    for (const char *at = text; at < text + size;) {
        size_t line_size = strcspn(at, "\n");
        yaml_text_add_spaces(line_size > 0 ? indent : 0, out);
        buffer_add(out, at, line_size);
        buffer_add_byte(out, '\n');
        at += line_size + 1;
    }
}

/* The size of an escape, or of two that form a surrogate pair. */
static size_t escape_size(const char *at) {
    if (at[1] != 'u') {
        return 2;
    }
    bool is_surrogate = (at[2] | 0x20) == 'd' && strchr("89abAB", at[3]) != NULL;
    return is_surrogate ? 12 : 6;
}

void yaml_text_decode(const struct json_text *text, struct buffer *out) {
    const char *at = text->at;
    const char *end = at + text->size;
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        if (escape == NULL) {
            escape = end;
        }
        buffer_add(out, at, (size_t)(escape - at));
        at = escape;
        if (at < end) {
            char bytes[5];
            const struct json_text one = {at, escape_size(at), true};
            /* json_text_copy() refuses only U+0000. */
            bool is_copied = json_text_copy(&one, bytes, sizeof(bytes));
            buffer_add(out, bytes, is_copied ? strlen(bytes) : 1);
            at += one.size;
        }
    }
}
