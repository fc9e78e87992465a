// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

/*
 * One line an event: a stable name, then fields, as JSON or as text. Only app/ logs. A line is one
 * write(), made only if the descriptor has room for it at once: a log that nobody reads must not
 * hold up a request. What is lost is counted, and said when there is room again (log.lost).
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
    pthread_mutex_t mutex; /* all zero is a good one */
    uint64_t n_lost;       /* under the mutex */
};

/* False if there is no such format ("json", "text") or level ("debug", "info", "warn", "error"). */
bool log_parse_format(const char *text, enum log_format *ret_format) MUST_CHECK;
bool log_parse_level(const char *text, enum log_level *ret_level) MUST_CHECK;

struct log_field {
    const char *name;
    const char *text; /* NULL: the integer is meant */
    int64_t integer;
};

/* JSON: {"time":"2026-11-22T10:00:00.123Z","level":"info","event":"review.decided",...}
   Text: 2026-11-22T10:00:00.123Z INFO  review.decided uid=... (values quoted where needed).
   A line is cut to 4 KiB. Any bytes may stand in a value: the line is valid UTF-8 without control
   characters all the same. (For a pipe whose reader has gone, the process must ignore SIGPIPE.) */
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

/* log_event(log, LOG_INFO, "serve.ready", LOG_INTEGER("ms", 4), ...); at least one field. */
#define log_event(log_, level_, event_, ...)                                                       \
    log_fields((log_), (level_), (event_), (const struct log_field[]){__VA_ARGS__},                \
               COUNT_OF(((const struct log_field[]){__VA_ARGS__})))

#endif
