// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, enum error_kind kind, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(error->text, sizeof(error->text), format, values);
    va_end(values);
    error->kind = kind;
    error->offset = ERROR_NO_OFFSET;
    return false;
}

bool error_set_at(struct error *error, enum error_kind kind, size_t offset, const char *format,
                  ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(error->text, sizeof(error->text), format, values);
    va_end(values);
    error->kind = kind;
    error->offset = offset;
    return false;
}

bool error_wrap(struct error *error, const char *format, ...) {
    char context[sizeof(error->text)];
    char inner[sizeof(error->text)];
    va_list values;
    va_start(values, format);
    vsnprintf(context, sizeof(context), format, values);
    va_end(values);
    memcpy(inner, error->text, sizeof(inner));
    const char *const parts[] = {context, ": ", inner};
    size_t used = 0;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        size_t size = strlen(parts[i]);
        size_t room = sizeof(error->text) - 1 - used;
        memcpy(error->text + used, parts[i], size < room ? size : room);
        used += size < room ? size : room;
    }
    error->text[used] = '\0';
    return false;
}
