// SPDX-License-Identifier: Apache-2.0
#include "yaml_plain.h"

#include <string.h>

#include "base/buffer.h"
#include "yaml_scalar.h"

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static const char *pass_digits(const char *at) {
    while (is_digit(*at)) {
        at++;
    }
    return at;
}

/* A blank or the end of the text: behind it, an indicator is one. */
static bool is_blank_or_end(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\0';
}

/* Do its bytes mean something else than themselves? In block style, brackets and commas mean
   nothing but at the beginning. */
static bool has_syntax(const char *text, size_t size) {
    if (strchr(" \t,[]{}#&*!|>'\"%@`", *text) != NULL || is_blank_or_end(text[size - 1])) {
        return true;
    }
    if (strchr("-?:", *text) != NULL && is_blank_or_end(text[1])) {
        return true;
    }
    /* The markers of documents. */
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

/* 2001-01-01, and what may be the time behind it. */
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

/* 12:30 and 1:59:59.5: for YAML 1.1, numbers of base 60. */
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

/* 1e400: no number for edge/yaml, but for others. */
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

bool yaml_plain_is_safe(const char *text, size_t size) {
    return size > 0 && !has_syntax(text, size) && strcmp(text, "=") != 0 && !is_date(text) &&
           !is_base_60(text) && !is_like_float(text, size) && is_text(text, size);
}
