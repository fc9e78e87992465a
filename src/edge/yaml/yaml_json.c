// SPDX-License-Identifier: Apache-2.0
#include "yaml_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "yaml_key.h"

/* A key of an object that is still open. */
struct open_key {
    struct json_text text; /* as written */
    struct yaml_place place;
    size_t decoded;      /* its offset in `decoded`, if it has escapes ... */
    size_t decoded_size; /* ... that a C string can hold; else 0 */
};

struct level {
    bool is_object;
    size_t first_key;    /* index in `keys` */
    size_t decoded_size; /* of `decoded`, when the level was opened */
};

/* Copies one value into a document. */
struct copy {
    struct json_reader reader;
    const char *start; /* where the value begins */
    const char *at;    /* the byte that `place` describes */
    struct yaml_place place;
    struct yaml_document document;
    struct level *levels;
    size_t depth;
    struct open_key *keys;
    size_t n_keys;
    struct buffer decoded; /* keys that have escapes, without them */
};

static void copy_fini(struct copy *copy) {
    yaml_document_fini(&copy->document);
    buffer_fini(&copy->decoded);
    free(copy->levels);
    free(copy->keys);
}

bool yaml_json_check(const char *bytes, size_t size, struct yaml_place *ret_place,
                     struct error *error) {
    const char *at = bytes;
    const char *end = bytes + size;
    struct json_reader reader;
    do {
        json_begin(&reader, at, (size_t)(end - at));
        struct json_text value;
        if (!json_read_raw(&reader, &value) && !json_finish(&reader, error)) {
            error->offset += (size_t)(at - bytes);
            *ret_place = (struct yaml_place){1, 1};
            yaml_place_advance(ret_place, bytes, bytes + error->offset);
            return error_wrap(error, "line %u, column %u", ret_place->line, ret_place->column);
        }
        at += json_offset(&reader);
    } while (at < end);
    return true;
}

void yaml_json_begin(struct yaml_json *json, const char *bytes, size_t size) {
    *json = (struct yaml_json){.at = bytes, .end = bytes + size, .place = {1, 1}};
}

/* Marks the key or value that begins at `at` and is written next. */
static void mark(struct copy *copy, const char *at) {
    yaml_place_advance(&copy->place, copy->at, at);
    copy->at = at;
    yaml_place_mark(copy->place, &copy->document);
}

static void open_level(struct copy *copy, bool is_object) {
    copy->levels = memory_grow(copy->levels, copy->depth, sizeof(*copy->levels));
    buffer_add_byte(&copy->document.json, is_object ? '{' : '[');
    copy->levels[copy->depth++] = (struct level){is_object, copy->n_keys, copy->decoded.size};
}

static void begin_value(struct copy *copy) {
    mark(copy, copy->start + json_offset(&copy->reader));
    struct json_text raw;
    switch (json_peek(&copy->reader)) {
    case JSON_OBJECT:
        if (json_enter_object(&copy->reader)) {
            open_level(copy, true);
        }
        break;
    case JSON_ARRAY:
        if (json_enter_array(&copy->reader)) {
            open_level(copy, false);
        }
        break;
    default:
        if (json_read_raw(&copy->reader, &raw)) {
            buffer_add(&copy->document.json, raw.at, raw.size);
        }
        break;
    }
}

static void add_comma(struct copy *copy) {
    char last = copy->document.json.bytes[copy->document.json.size - 1];
    if (last != '{' && last != '[') {
        buffer_add_byte(&copy->document.json, ',');
    }
}

/* "replic\u0061s" and "replicas" are the same key to a reader of the object. */
static void decode_key(struct copy *copy, struct open_key *key) {
    struct buffer *decoded = &copy->decoded;
    buffer_reserve(decoded, key->text.size + 1);
    char *at = decoded->bytes + decoded->size;
    if (json_text_copy(&key->text, at, key->text.size + 1)) {
        key->decoded = decoded->size;
        key->decoded_size = strlen(at);
        decoded->size += key->decoded_size;
    }
}

static void add_key(struct copy *copy, struct json_text key) {
    copy->keys = memory_grow(copy->keys, copy->n_keys, sizeof(*copy->keys));
    mark(copy, key.at - 1);
    struct open_key *open = &copy->keys[copy->n_keys++];
    *open = (struct open_key){.text = key, .place = copy->place};
    if (key.is_escaped) {
        decode_key(copy, open);
    }
    buffer_add(&copy->document.json, key.at - 1, key.size + 2);
    buffer_add_byte(&copy->document.json, ':');
}

static struct yaml_key *list_keys(const struct copy *copy, const struct open_key *keys, size_t n) {
    struct yaml_key *listed = memory_new(n, sizeof(*listed));
    for (size_t i = 0; i < n; i++) {
        bool is_decoded = keys[i].decoded_size > 0;
        listed[i] = (struct yaml_key){
            .at = is_decoded ? copy->decoded.bytes + keys[i].decoded : keys[i].text.at,
            .size = (uint32_t)(is_decoded ? keys[i].decoded_size : keys[i].text.size),
            .order = (uint32_t)i,
            .place = keys[i].place,
        };
    }
    return listed;
}

/* Checks the keys of the innermost object. */
static bool check_keys(const struct copy *copy, struct error *error) {
    size_t first = copy->levels[copy->depth - 1].first_key;
    size_t n = copy->n_keys - first;
    if (n == 0) {
        return true; /* copy->keys may be NULL */
    }
    AUTO_FREE struct yaml_key *keys = list_keys(copy, copy->keys + first, n);
    return yaml_key_check(keys, n, n, error);
}

static bool close_level(struct copy *copy, struct error *error) {
    if (!check_keys(copy, error)) {
        return false;
    }
    const struct level *level = &copy->levels[--copy->depth];
    copy->n_keys = level->first_key;
    copy->decoded.size = level->decoded_size;
    buffer_add_byte(&copy->document.json, level->is_object ? '}' : ']');
    return true;
}

static bool copy_value(struct copy *copy, struct error *error) {
    begin_value(copy);
    while (copy->depth > 0) {
        struct json_text key;
        bool is_object = copy->levels[copy->depth - 1].is_object;
        if (is_object ? !json_next_member(&copy->reader, &key) : !json_next_item(&copy->reader)) {
            if (!close_level(copy, error)) {
                return false;
            }
            continue;
        }
        add_comma(copy);
        if (is_object) {
            add_key(copy, key);
        }
        begin_value(copy);
    }
    return json_finish(&copy->reader, error);
}

bool yaml_json_next(struct yaml_json *json, struct yaml_document *ret_document, bool *ret_more,
                    struct error *error) {
    *ret_more = json->at < json->end;
    if (!*ret_more) {
        return true;
    }
    struct json_reader reader;
    struct json_text value;
    json_begin(&reader, json->at, (size_t)(json->end - json->at));
    if (!json_read_raw(&reader, &value)) {
        return json_finish(&reader, error);
    }
    AUTO(copy_fini) struct copy copy = {.start = value.at, .at = json->at, .place = json->place};
    buffer_init_secret(&copy.document.json, value.size);
    buffer_init(&copy.decoded, SIZE_MAX);
    buffer_reserve(&copy.document.json, value.size);
    json_begin(&copy.reader, value.at, value.size);
    if (!copy_value(&copy, error)) {
        return false;
    }
    json->at += json_offset(&reader);
    json->place = copy.place;
    yaml_place_advance(&json->place, copy.at, json->at);
    *ret_document = TAKE(copy.document);
    return true;
}
