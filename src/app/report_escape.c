// SPDX-License-Identifier: Apache-2.0
#include "report_escape.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

enum { MALFORMED = 0xFFFD };

/* The size of a character that begins with `lead`; 0 if none does. */
static size_t character_size(unsigned char lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC0 || lead > 0xF4) {
        return 0;
    }
    if (lead < 0xE0) {
        return 2;
    }
    return lead < 0xF0 ? 3 : 4;
}

/* Reads the character at `at`, which is not the NUL, and returns its size. A byte that is not part
   of well-formed UTF-8 (RFC 3629) is MALFORMED. */
static size_t read_character(const unsigned char *at, uint32_t *ret_code) {
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = character_size(at[0]);
    *ret_code = size == 1 ? at[0] : MALFORMED;
    if (size <= 1) {
        return 1;
    }
    uint32_t code = at[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 1;
        }
        code = code << 6 | (at[i] & 0x3F);
    }
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (code < lowest[size] || code > 0x10FFFF || is_surrogate) {
        return 1;
    }
    *ret_code = code;
    return size;
}

/* C0 except the tab; DEL and C1; line and paragraph separator; marks that turn the direction of
   writing. */
static bool is_control(uint32_t code) {
    return (code < 0x20 && code != '\t') || (code >= 0x7F && code <= 0x9F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

/* The languages that a text goes into, as bits. A line of plain text is none of them. */
enum language { LINE = 0, DATA = 1, PROPERTY = 2, ATTRIBUTE = 4, TEXT = 8, XML = 12, GITHUB = 3 };

static const struct {
    uint32_t code;
    enum language languages;
    const char *text; /* NULL: the character stays */
} replacements[] = {
    {'%', GITHUB, "%25"},       {'\r', GITHUB, "%0D"},  {'\n', GITHUB, "%0A"},
    {':', PROPERTY, "%3A"},     {',', PROPERTY, "%2C"}, {'&', XML, "&amp;"},
    {'<', XML, "&lt;"},         {'>', XML, "&gt;"},     {'"', XML, "&quot;"},
    {'\'', XML, "&apos;"},      {'\t', XML, "&#9;"},    {'\n', ATTRIBUTE, "&#10;"},
    {'\n', TEXT, NULL},         {'\r', XML, "&#13;"},   {0xFFFE, XML, REPLACEMENT},
    {0xFFFF, XML, REPLACEMENT},
};

/* The text that replaces a character; NULL if the character stays. */
static const char *replace(uint32_t code, enum language language) {
    for (size_t i = 0; i < COUNT_OF(replacements); i++) {
        if (replacements[i].code == code && (replacements[i].languages & language) != 0) {
            return replacements[i].text;
        }
    }
    return is_control(code) ? "?" : NULL;
}

static void escape(struct buffer *out, const char *text, enum language language) {
    const char *run = text; /* the first character that is not yet copied */
    for (const char *at = text; *at != '\0';) {
        uint32_t code;
        size_t size = read_character((const unsigned char *)at, &code);
        bool is_malformed = size == 1 && code == MALFORMED;
        const char *replacement = is_malformed ? REPLACEMENT : replace(code, language);
        if (replacement != NULL) {
            buffer_add(out, run, (size_t)(at - run));
            buffer_add_text(out, replacement);
            run = at + size;
        }
        at += size;
    }
    buffer_add_text(out, run);
}

void report_escape_line(struct buffer *out, const char *text) {
    escape(out, text, LINE);
}

void report_escape_github_data(struct buffer *out, const char *text) {
    escape(out, text, DATA);
}

void report_escape_github_property(struct buffer *out, const char *text) {
    escape(out, text, PROPERTY);
}

void report_escape_xml_attribute(struct buffer *out, const char *text) {
    escape(out, text, ATTRIBUTE);
}

void report_escape_xml_text(struct buffer *out, const char *text) {
    escape(out, text, TEXT);
}

void report_escape_uri(struct buffer *out, const char *path) {
    size_t capacity = 3 * strlen(path) + 1;
    AUTO_FREE char *escaped = memory_new(capacity, 1);
    text_escape_percent(escaped, capacity, path, "/");
    buffer_add_text(out, path[0] == '/' ? "file://" : "");
    buffer_add_text(out, escaped);
}

const char *report_escape_plain_path(const char *path) {
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
        path += strspn(path, "/");
    }
    return path;
}
