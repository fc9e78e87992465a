// SPDX-License-Identifier: Apache-2.0

/*
 * Reads any bytes as a page of a list, and as a line of a watch. The reader must accept only JSON.
 * It must accept all JSON as a line, even if an unknown one. Texts must end within their arrays.
 * The type of an event must fit its contents.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "core/cluster/feed.h"

#define CHECK(claim)                                                                               \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define CHECK_ENDS(array) CHECK(memchr((array), '\0', sizeof(array)) != NULL)

/* The number of visited items, and their possible maximum. */
struct visits {
    size_t n;
    size_t n_max;
};

static bool is_json(const char *bytes, size_t size) {
    struct json_reader reader;
    struct error error;
    json_begin(&reader, bytes, size);
    json_skip(&reader);
    return json_finish(&reader, &error);
}

static void check_object(const struct object *object) {
    CHECK_ENDS(object->name);
    CHECK_ENDS(object->namespace);
    CHECK_ENDS(object->uid);
    CHECK_ENDS(object->resource_version);
    CHECK_ENDS(object->instance);
    CHECK_ENDS(object->transport);
    CHECK_ENDS(object->provider);
    CHECK_ENDS(object->selection.instance);
    CHECK_ENDS(object->scaled.instance);
}

static void visit(void *context, const struct object *object) {
    struct visits *visits = context;
    visits->n++;
    CHECK(visits->n <= visits->n_max);
    CHECK(object->kind == OBJECT_MCPSERVER);
    CHECK(object->name[0] != '\0' && object->namespace[0] != '\0');
    check_object(object);
}

static void check_page(const char *bytes, size_t size, bool is_sound) {
    /* The shortest visited object is {"metadata":{"name":"a","namespace":"n"}}. */
    struct visits visits = {.n_max = size / 40};
    struct feed_page page;
    struct error error;
    if (!feed_read_page(bytes, size, OBJECT_MCPSERVER, visit, &visits, &page, &error)) {
        CHECK(!is_sound || error.offset == ERROR_NO_OFFSET);
        CHECK_ENDS(error.text);
        return;
    }
    CHECK(is_sound);
    CHECK_ENDS(page.resource_version);
    CHECK_ENDS(page.continue_token);
    CHECK(page.resource_version[0] != '\0');
}

static void check_event(const char *bytes, size_t size, bool is_sound) {
    struct feed_event event;
    struct error error;
    bool is_read = feed_read_event(bytes, size, OBJECT_DEPLOYMENT, &event, &error);
    CHECK(is_read == is_sound);
    if (!is_read) {
        CHECK(error.offset <= size);
        return;
    }
    CHECK_ENDS(event.resource_version);
    CHECK_ENDS(event.message);
    check_object(&event.object);
    bool has_object = event.type == FEED_UPSERT || event.type == FEED_DELETED;
    if (has_object) {
        CHECK(event.object.kind == OBJECT_DEPLOYMENT);
        CHECK(event.object.name[0] != '\0' && event.object.namespace[0] != '\0');
        CHECK(strcmp(event.object.resource_version, event.resource_version) == 0);
    }
    CHECK((event.resource_version[0] != '\0') == (has_object || event.type == FEED_BOOKMARK));
    CHECK(event.type == FEED_ERROR || (event.code == 0 && event.message[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    bool is_sound = is_json(bytes, size);
    check_page(bytes, size, is_sound);
    check_event(bytes, size, is_sound);
    return 0;
}
