// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Room for a path of 4096 bytes and a few words. */
enum { CONTEXT_MAX = 4608 };

PRINTF_LIKE(4, 0)
static void set(struct error *error, enum error_kind kind, size_t offset, const char *format,
                va_list values) {
    vsnprintf(error->text, sizeof(error->text), format, values);
    error->kind = kind;
    error->offset = offset;
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...) {
    va_list values;
    va_start(values, format);
    set(error, kind, ERROR_NO_OFFSET, format, values);
    va_end(values);
    return false;
}

bool error_set_at(struct error *error, enum error_kind kind, size_t offset, const char *format,
                  ...) {
    va_list values;
    va_start(values, format);
    set(error, kind, offset, format, values);
    va_end(values);
    return false;
}

/* Cuts the beginning of a context that is too long: the end of a path, and the line and column
   behind it, say more. */
static void shorten(char *context, size_t room) {
    static const char mark[] = "...";
    size_t size = strlen(context);
    if (size > room) {
        size_t kept = room - strlen(mark);
        memmove(context + strlen(mark), context + size - kept, kept + 1);
        memcpy(context, mark, strlen(mark));
    }
}

bool error_wrap(struct error *error, const char *format, ...) {
    char context[CONTEXT_MAX];
    char inner[sizeof(error->text)];
    va_list values;
    va_start(values, format);
    vsnprintf(context, sizeof(context), format, values);
    va_end(values);
    memcpy(inner, error->text, sizeof(inner));
    size_t room = sizeof(error->text) - sizeof(": ");
    size_t inner_size = strlen(inner);
    shorten(context, inner_size < room / 2 ? room - inner_size : room - room / 2);
    size_t size = strlen(context);
    memcpy(error->text, context, size);
    memcpy(error->text + size, ": ", 2);
    text_copy(error->text + size + 2, sizeof(error->text) - size - 2, inner);
    return false;
}
