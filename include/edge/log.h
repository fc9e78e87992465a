// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

/*
 * Writes one line per event: a stable name, then fields, as JSON or as text. Only app/ logs. Each
 * line is one write(), and only if the descriptor can take it at once: a log that nobody reads must
 * not hold up a request. Lost lines are counted. A log.lost event reports the count when there is
 * room again.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log {
    int descriptor;
    enum log_format format;
    enum log_level level;  /* events below it are dropped */
    pthread_mutex_t mutex; /* all zero is a valid mutex */
    uint64_t n_lost;       /* under the mutex */
};

/* Formats are "json" and "text", levels "debug", "info", "warn" and "error". Returns false for any
   other. */
bool log_parse_format(const char *text, enum log_format *ret_format) MUST_CHECK;
bool log_parse_level(const char *text, enum log_level *ret_level) MUST_CHECK;

struct log_field {
    const char *name;
    const char *text; /* NULL: use `integer` */
    int64_t integer;
};

/* JSON: {"time":"2026-11-22T10:00:00.123Z","level":"info","event":"review.decided",...}
   Text: 2026-11-22T10:00:00.123Z INFO  review.decided uid=... (values quoted where needed).
   A line is cut to 4 KiB. A value may have any bytes: the line is still valid UTF-8 without control
   characters. If the log is a pipe, the process must ignore SIGPIPE. */
void log_fields(struct log *log, enum log_level level, const char *event,
                const struct log_field *fields, size_t n_fields);

#define LOG_TEXT(name_, value_)                                                                    \
    (struct log_field) {                                                                           \
        .name = (name_), .text = (value_)                                                          \
    }
#define LOG_INTEGER(name_, value_)                                                                 \
    (struct log_field) {                                                                           \
        .name = (name_), .integer = (value_)                                                       \
    }

/* log_event(log, LOG_INFO, "serve.ready", LOG_INTEGER("ms", 4), ...); needs at least one field. */
#define log_event(log_, level_, event_, ...)                                                       \
    log_fields((log_), (level_), (event_), (const struct log_field[]){__VA_ARGS__},                \
               COUNT_OF(((const struct log_field[]){__VA_ARGS__})))

#endif
