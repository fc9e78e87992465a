// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attribute.h"
#include "base/json_write.h"
#include "base/text.h"
#include "core/facts/object.h"

/* https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/events.go */
enum { NOTE_MAX = 1024, INSTANCE_MAX = 128 };

enum { SUFFIX_SIZE = 32 };

/* The size of the text, or of its longest part of at most `max` bytes that ends with a character.
 */
static size_t cut(const char *text, size_t max) {
    size_t size = strlen(text);
    if (size <= max) {
        return size;
    }
    for (size = max; size > 0 && ((unsigned char)text[size] & 0xC0) == 0x80;) {
        size--;
    }
    return size;
}

/* In a name, the part before a dot must end with a letter or a digit. */
static size_t cut_name(const char *name, size_t max) {
    size_t size = cut(name, max);
    while (size > 0 && (name[size - 1] == '-' || name[size - 1] == '.')) {
        size--;
    }
    return size;
}

static void make_name(const struct event *event, char out[OBJECT_NAME_SIZE]) {
    char suffix[SUFFIX_SIZE];
    int suffix_size = event->once != 0
                          ? snprintf(suffix, sizeof(suffix), ".%016" PRIx64, event->once)
                          : snprintf(suffix, sizeof(suffix), ".%" PRIx64 "%08" PRIx32,
                                     (uint64_t)event->wall_us, event->random);
    size_t size = cut_name(event->name, OBJECT_NAME_SIZE - 1 - (size_t)suffix_size);
    memcpy(out, event->name, size);
    memcpy(out + size, suffix, (size_t)suffix_size + 1);
}

void event_write(const struct event *event, struct buffer *out) {
    char name[OBJECT_NAME_SIZE];
    char time[TEXT_MICRO_TIME_SIZE];
    struct json_write write;
    make_name(event, name);
    text_format_micro_time(time, event->wall_us);
    json_write_begin(&write, out);
    json_write_open(&write, '{');
    json_write_member_text(&write, "apiVersion", "events.k8s.io/v1");
    json_write_member_text(&write, "kind", "Event");
    json_write_member_open(&write, "metadata", '{');
    json_write_member_text(&write, "name", name);
    json_write_member_text(&write, "namespace", event->namespace);
    json_write_close(&write, '}');
    json_write_member_text(&write, "eventTime", time);
    json_write_member_text(&write, "reportingController", "capstan.dev/capstan");
    json_write_key(&write, "reportingInstance");
    json_write_text_sized(&write, event->instance, cut(event->instance, INSTANCE_MAX));
    json_write_member_text(&write, "action", event->action);
    json_write_member_text(&write, "reason", event->reason);
    json_write_member_open(&write, "regarding", '{');
    json_write_member_text(&write, "apiVersion", event->api_version);
    json_write_member_text(&write, "kind", event->kind);
    json_write_member_text(&write, "namespace", event->namespace);
    json_write_member_text(&write, "name", event->name);
    json_write_member_text(&write, "uid", event->uid);
    json_write_close(&write, '}');
    json_write_key(&write, "note");
    json_write_text_sized(&write, event->note, cut(event->note, NOTE_MAX));
    json_write_member_text(&write, "type", event->type);
    json_write_close(&write, '}');
}
