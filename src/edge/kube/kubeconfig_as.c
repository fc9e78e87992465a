// SPDX-License-Identifier: Apache-2.0
#include "kubeconfig_as.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "kube_text.h"

#define USER_HEADER "Impersonate-User"

enum { KEY_MAX = 512 };

/* Go takes the bytes of UTF-8 for a header's value as they are. */
static bool is_header_value(const char *text) {
    for (const char *at = text; *at != '\0'; at++) {
        if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f) {
            return false;
        }
    }
    return true;
}

static void add_header(struct json_walk *walk, char ***headers, const char *name) {
    AUTO_FREE char *value = NULL;
    (void)json_walk_string(walk, &value);
    if (value == NULL) {
        return;
    }
    if (!is_header_value(value)) {
        json_walk_fail(walk, "has a character that no header can have");
        return;
    }
    kube_text_list_add(headers, memory_format("%s: %s", name, value));
}

void kubeconfig_read_as(struct json_walk *walk, void *headers) {
    add_header(walk, headers, USER_HEADER);
}

void kubeconfig_read_as_uid(struct json_walk *walk, void *headers) {
    add_header(walk, headers, "Impersonate-Uid");
}

static void read_group(struct json_walk *walk, void *headers) {
    add_header(walk, headers, "Impersonate-Group");
}

void kubeconfig_read_as_groups(struct json_walk *walk, void *headers) {
    (void)json_walk_items(walk, read_group, headers);
}

/* As client-go writes the key into the name of a header: what no name can have, and the percent
   sign, as %XX. */
static void add_key(struct buffer *out, const char *key) {
    for (const char *at = key; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        bool is_plain = byte < 0x80 && (isalnum(byte) || strchr("!#$&'*+-.^_`|~", byte) != NULL);
        if (is_plain) {
            buffer_add_byte(out, *at);
        } else {
            buffer_add_format(out, "%%%02X", byte);
        }
    }
}

/* The list that is being read, and the name of its headers. */
struct extra {
    char ***headers;
    const char *name;
};

static void read_extra_value(struct json_walk *walk, void *at) {
    const struct extra *extra = at;
    add_header(walk, extra->headers, extra->name);
}

static void read_extra(struct json_walk *walk, const struct json_text *key, char ***headers) {
    AUTO(buffer_fini) struct buffer name;
    char text[KEY_MAX];
    buffer_init(&name, SIZE_MAX);
    if (!json_text_copy(key, text, sizeof(text))) {
        json_walk_fail(walk, "has a key that is too long");
        return;
    }
    buffer_add_text(&name, "Impersonate-Extra-");
    add_key(&name, text);
    struct extra extra = {headers, buffer_text(&name)};
    (void)json_walk_items(walk, read_extra_value, &extra);
}

void kubeconfig_read_as_extra(struct json_walk *walk, void *headers) {
    struct json_text key;
    if (json_peek(walk->reader) == JSON_NULL) {
        json_skip(walk->reader);
        return;
    }
    if (!json_enter_object(walk->reader)) {
        json_walk_fail(walk, "must be a mapping");
        return;
    }
    while (json_next_member(walk->reader, &key)) {
        read_extra(walk, &key, headers);
    }
}

void kubeconfig_check_as(struct json_walk *walk, char **headers) {
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
        if (strncmp(headers[i], USER_HEADER ": ", strlen(USER_HEADER ": ")) == 0) {
            return;
        }
    }
    if (headers != NULL) {
        json_walk_fail_below(walk, "as", "must be given beside as-uid, as-groups or as-user-extra");
    }
}
