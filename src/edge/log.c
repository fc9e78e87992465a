// SPDX-License-Identifier: Apache-2.0
#include "edge/log.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json_write.h"
#include "base/text.h"

/* A line and its newline. Not above PIPE_BUF, so a write to a pipe is all or nothing. */
enum {
    LINE_LIMIT = PIPE_BUF,
    ESCAPED_BYTE_MAX = 6,
    VALUE_LIMIT = ESCAPED_BYTE_MAX * LINE_LIMIT + 2
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
static const char *const level_titles[] = {
    [LOG_DEBUG] = "DEBUG", [LOG_INFO] = "INFO ", [LOG_WARN] = "WARN ", [LOG_ERROR] = "ERROR"};

bool log_parse_format(const char *text, enum log_format *ret_format) {
    bool is_json = strcmp(text, "json") == 0;
    if (!is_json && strcmp(text, "text") != 0) {
        return false;
    }
    *ret_format = is_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
    return true;
}

bool log_parse_level(const char *text, enum log_level *ret_level) {
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void add_time(struct buffer *line) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    char seconds[TEXT_TIME_SIZE];
    text_format_time(seconds, now.tv_sec);
    seconds[TEXT_TIME_SIZE - 2] = '\0';
    buffer_add_format(line, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}

static void encode(const char *text, size_t size, struct buffer *out) {
    struct json_write write;
    buffer_clear(out);
    json_write_begin(&write, out);
    json_write_text_sized(&write, text, size);
}

/* The largest size up to `size` that does not cut a character in two. */
static size_t whole_characters(const char *text, size_t size) {
    for (int i = 0; i < 3 && size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80; i++) {
        size--;
    }
    return size;
}

/* Adds as much of the text as fits, in quotes. */
static void add_quoted(struct buffer *line, const char *text, size_t size, size_t room) {
    AUTO(buffer_fini) struct buffer value;
    buffer_init(&value, VALUE_LIMIT);
    encode(text, size, &value);
    while (value.size > room && size > 0) {
        size_t excess = (value.size - room + ESCAPED_BYTE_MAX - 1) / ESCAPED_BYTE_MAX;
        size = excess < size ? whole_characters(text, size - excess) : 0;
        encode(text, size, &value);
    }
    buffer_add(line, value.bytes, value.size);
}

static bool needs_quotes(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"\\=", text[i]) != NULL) {
            return true;
        }
    }
    return size == 0;
}

static void add_text(struct buffer *line, struct log *log, const char *text, size_t room) {
    size_t size = strnlen(text, LINE_LIMIT);
    if (log->format == LOG_FORMAT_JSON || needs_quotes(text, size)) {
        add_quoted(line, text, size, room);
    } else {
        buffer_add(line, text, MIN(size, room));
    }
}

/* Leaves the field out if there is no room for its name and the shortest value. */
static void add_field(struct buffer *line, struct log *log, const struct log_field *field) {
    enum { VALUE_MIN = 20 }; /* fits any integer */
    bool is_json = log->format == LOG_FORMAT_JSON;
    size_t room = line->limit - line->size;
    size_t around = strlen(field->name) + (is_json ? strlen(",\"\":") : strlen(" ="));
    if (around + VALUE_MIN > room) {
        return;
    }
    buffer_add_format(line, is_json ? ",\"%s\":" : " %s=", field->name);
    if (field->text == NULL) {
        buffer_add_format(line, "%" PRId64, field->integer);
    } else {
        add_text(line, log, field->text, room - around);
    }
}

/* JSON allows DEL and U+0080 to U+009F, but a terminal obeys them. */
static void blank_controls(struct buffer *line) {
    for (size_t i = 0; i < line->size; i++) {
        unsigned char byte = (unsigned char)line->bytes[i];
        unsigned char next = i + 1 < line->size ? (unsigned char)line->bytes[i + 1] : 0;
        if (byte == 0x7F) {
            line->bytes[i] = '?';
        } else if (byte == 0xC2 && next >= 0x80 && next <= 0x9F) {
            line->bytes[i] = '?';
            line->bytes[i + 1] = '?';
        }
    }
}

/* A ready pipe takes PIPE_BUF bytes at once, but only one line. So the mutex covers both the
   question and the write. Returns how many lines were lost before this one, or 0 if it was lost
   too. */
static int64_t write_line(struct log *log, const struct buffer *line) {
    int64_t n_lost = 0;
    pthread_mutex_lock(&log->mutex);
    struct pollfd descriptor = {.fd = log->descriptor, .events = POLLOUT};
    bool is_ready = poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLOUT) != 0;
    if (is_ready && write(log->descriptor, line->bytes, line->size) > 0) {
        n_lost = (int64_t)log->n_lost;
        log->n_lost = 0;
    } else {
        log->n_lost++;
    }
    pthread_mutex_unlock(&log->mutex);
    return n_lost;
}

void log_fields(struct log *log, enum log_level level, const char *event,
                const struct log_field *fields, size_t n_fields) {
    if (level < log->level) {
        return;
    }
    bool is_json = log->format == LOG_FORMAT_JSON;
    const char *end = is_json ? "}\n" : "\n";
    AUTO(buffer_fini) struct buffer line;
    buffer_init(&line, LINE_LIMIT - strlen(end));
    buffer_add_text(&line, is_json ? "{\"time\":\"" : "");
    add_time(&line);
    buffer_add_format(&line, is_json ? "\",\"level\":\"%s\",\"event\":\"%s\"" : " %s %s",
                      is_json ? level_names[level] : level_titles[level], event);
    for (size_t i = 0; i < n_fields; i++) {
        add_field(&line, log, &fields[i]);
    }
    blank_controls(&line);
    line.limit = LINE_LIMIT;
    buffer_add_text(&line, end);
    int64_t n_lost = write_line(log, &line);
    if (n_lost > 0) {
        log_event(
            log, LOG_WARN, "log.lost", LOG_INTEGER("lines", n_lost),
            LOG_TEXT("hint", "whoever reads the log is too slow; requests do not wait for it"));
    }
}
