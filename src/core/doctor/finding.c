// SPDX-License-Identifier: Apache-2.0
#include "core/doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool finding_set(struct finding *finding, enum finding_level level, const char *remedy,
                 const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(finding->message, sizeof(finding->message), format, values);
    va_end(values);
    finding->level = level;
    finding->remedy = remedy;
    finding->other[0] = '\0';
    return false;
}

void finding_worsen(struct finding *finding, const struct finding *other) {
    const char *check = finding->check;
    if (other->level > finding->level) {
        *finding = *other;
        finding->check = check;
    }
}

size_t finding_count(const struct finding *findings, size_t n_findings, enum finding_level level) {
    size_t n = 0;
    for (size_t i = 0; i < n_findings; i++) {
        n += findings[i].level == level;
    }
    return n;
}

/* The size of the placeholder at the start of the text, and the name for it; 0 if there is none. */
static size_t match_placeholder(const char *text, const struct finding_names *names,
                                const char **ret_name) {
    const struct {
        const char *placeholder;
        const char *name;
    } rows[] = {{"NAMESPACE", names->namespace},
                {"SERVICE", names->service},
                {"CONFIGURATION", names->configuration},
                {"OTHER", names->other != NULL ? names->other : ""}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t size = strlen(rows[i].placeholder);
        if (strncmp(text, rows[i].placeholder, size) == 0) {
            *ret_name = rows[i].name;
            return size;
        }
    }
    return 0;
}

void finding_add_named(const char *text, const struct finding_names *names, struct buffer *out) {
    while (*text != '\0') {
        const char *name;
        size_t size = match_placeholder(text, names, &name);
        if (size > 0) {
            buffer_add_text(out, name);
            text += size;
        } else {
            buffer_add_byte(out, *text++);
        }
    }
}
