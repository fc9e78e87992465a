// SPDX-License-Identifier: Apache-2.0
#include "yaml_text.h"

#include <stdint.h>
#include <string.h>

#include "yaml_plain.h"

/* The code point at `at`, and its bytes. The text is valid. */
static uint32_t decode(const char *at, size_t *ret_size) {
    unsigned char lead = (unsigned char)*at;
    *ret_size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (*ret_size == 1) {
        return lead;
    }
    uint32_t code = lead & (0x7Fu >> *ret_size);
    for (size_t i = 1; i < *ret_size; i++) {
        code = code << 6 | ((unsigned char)at[i] & 0x3F);
    }
    return code;
}

/* May the character stand for itself? Not what YAML refuses or takes for a line break, nor a byte
   order mark, nor what is not a character. */
static bool is_printable(uint32_t code) {
    if (code < 0xA0) {
        return code >= ' ' && code <= '~';
    }
    bool is_break = code == 0x2028 || code == 0x2029;
    bool is_mark = code == 0xFEFF;
    bool is_none = (code & 0xFFFE) == 0xFFFE;
    return !is_break && !is_mark && !is_none;
}

/* May each character stand for itself, tabs and line breaks apart? */
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

/* Several lines that can be seen as they are: none ends with blanks, nor is there nothing in them.
 */
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

enum yaml_text_style yaml_text_style(const char *text, size_t size) {
    if (!is_all_printable(text, size)) {
        return YAML_TEXT_QUOTED;
    }
    if (memchr(text, '\n', size) != NULL) {
        return is_literal(text, size) ? YAML_TEXT_LITERAL : YAML_TEXT_QUOTED;
    }
    return yaml_plain_is_safe(text, size) ? YAML_TEXT_PLAIN : YAML_TEXT_QUOTED;
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

static void add_spaces(size_t n, struct buffer *out) {
    for (; n > 0; n--) {
        buffer_add_byte(out, ' ');
    }
}

void yaml_text_add_literal(const char *text, size_t size, size_t indent, struct buffer *out) {
    /* Where the first line begins with a blank, a reader cannot see how deep the block is. */
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
        add_spaces(line_size > 0 ? indent : 0, out);
        buffer_add(out, at, line_size);
        buffer_add_byte(out, '\n');
        at += line_size + 1;
    }
}

/* The bytes of an escape, or of two that are one character. */
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
            /* What is not copied is U+0000. */
            bool is_copied = json_text_copy(&one, bytes, sizeof(bytes));
            buffer_add(out, bytes, is_copied ? strlen(bytes) : 1);
            at += one.size;
        }
    }
}
