// SPDX-License-Identifier: Apache-2.0
#include "base/json_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base64.h"

enum { KEY_SIZE = 64, PROBLEM_SIZE = 224, VALUE_SHOWN = 64 };

/* The place of a strict walk: a key or an item, and the place around it. */
struct json_place {
    const struct json_place *up;
    const struct json_text *key; /* NULL: an item */
    size_t index;
};

static bool has_failed(const struct json_walk *walk) {
    return walk->strict != NULL && walk->strict->has_failed;
}

/* Appends to the path, and cuts the text if it does not fit. */
static void extend(char path[JSON_PATH_SIZE], const char *text) {
    size_t size = strlen(path);
    (void)text_copy(path + size, JSON_PATH_SIZE - size, text);
}

static void add_key(char path[JSON_PATH_SIZE], const struct json_text *key) {
    char name[KEY_SIZE];
    if (!json_text_copy(key, name, sizeof(name))) {
        (void)text_copy(name, sizeof(name), "(a long key)");
    } else if (name[0] == '\0') {
        (void)text_copy(name, sizeof(name), "(an empty key)");
    }
    extend(path, path[0] == '\0' ? "" : ".");
    extend(path, name);
}

static void add_place(char path[JSON_PATH_SIZE], const struct json_place *place) {
    char index[24];
    if (place == NULL) {
        return;
    }
    add_place(path, place->up);
    if (place->key != NULL) {
        add_key(path, place->key);
    } else {
        snprintf(index, sizeof(index), "[%zu]", place->index);
        extend(path, index);
    }
}

/* Keys and values are quoted in errors, and may have anything in them. */
static void keep_one_line(char *text) {
    for (; *text != '\0'; text++) {
        bool is_control = (unsigned char)*text < 0x20 || *text == 0x7f;
        *text = is_control ? '?' : *text;
    }
}

static void fail(struct json_walk *walk, const char *key, const char *problem) {
    struct json_strict *strict = walk->strict;
    bool is_unsound = walk->reader->fault != NULL; /* json_finish() tells what is wrong */
    if (strict == NULL || strict->has_failed || is_unsound) {
        return;
    }
    strict->path[0] = '\0';
    extend(strict->path, strict->root == NULL ? "" : strict->root);
    add_place(strict->path, walk->place);
    if (key != NULL) {
        add_key(strict->path, &(struct json_text){.at = key, .size = strlen(key)});
    }
    error_set_at(strict->error, ERROR_INVALID, strict->offset + walk->at, "%s: %s",
                 strict->path[0] == '\0' ? "the document" : strict->path, problem);
    keep_one_line(strict->path);
    keep_one_line(strict->error->text);
    strict->has_failed = true;
}

void json_walk_fail(struct json_walk *walk, const char *problem) {
    fail(walk, NULL, problem);
}

void json_walk_fail_about(struct json_walk *walk, const char *value, const char *problem) {
    char text[PROBLEM_SIZE];
    snprintf(text, sizeof(text), "'%.*s' %s", VALUE_SHOWN, value, problem);
    fail(walk, NULL, text);
}

void json_walk_fail_below(struct json_walk *walk, const char *key, const char *problem) {
    fail(walk, key, problem);
}

static void fail_unknown(struct json_walk *walk, const struct json_fields *fields,
                         const struct json_text *key) {
    char text[PROBLEM_SIZE] = "unknown key; known here: ";
    for (size_t i = 0; i < fields->n_rows; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s%s", i == 0 ? "" : ", ", fields->rows[i].key);
    }
    walk->at = (size_t)(key->at - 1 - walk->reader->start);
    fail(walk, NULL, text);
}

static void fail_range(struct json_walk *walk, const struct json_field *field) {
    char text[PROBLEM_SIZE];
    if (walk->strict == NULL) {
        return;
    }
    snprintf(text, sizeof(text), "must be an integer from %lld to %lld", (long long)field->low,
             (long long)field->high);
    fail(walk, NULL, text);
}

/* Skips a null that counts as absent. Called for every value, hence the first test: in compact JSON
   the next byte is the value's first, which tells without a call. */
static inline bool is_null(struct json_walk *walk) {
    const struct json_reader *reader = walk->reader;
    char byte = ' ';
    if (reader->at < reader->end) {
        byte = *reader->at;
    }
    bool is_other = byte > ' ' && byte != 'n';
    if (is_other || json_peek(walk->reader) != JSON_NULL) {
        return false;
    }
    json_skip(walk->reader);
    return true;
}

static enum presence refuse(struct json_walk *walk, const char *problem) {
    fail(walk, NULL, problem);
    return PRESENCE_UNUSABLE;
}

enum presence json_walk_text(struct json_walk *walk, char *out, size_t capacity) {
    struct json_text text;
    out[0] = '\0';
    if (is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    if (!json_read_text(walk->reader, &text)) {
        return refuse(walk, "must be a string");
    }
    if (!json_text_copy(&text, out, capacity)) {
        return refuse(walk, "is too long, or has a zero byte");
    }
    if (walk->strict != NULL && !walk->strict->takes_empty && out[0] == '\0') {
        return refuse(walk, "must not be empty");
    }
    return PRESENCE_SET;
}

enum presence json_walk_string(struct json_walk *walk, char **string) {
    struct json_text text;
    memory_free_secret(TAKE(*string));
    if (is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    if (!json_read_text(walk->reader, &text)) {
        return refuse(walk, "must be a string");
    }
    AUTO_FREE_SECRET char *copy = memory_new(text.size + 1, 1);
    if (!json_text_copy(&text, copy, text.size + 1)) {
        return refuse(walk, "has a zero byte");
    }
    if (copy[0] != '\0') {
        *string = TAKE(copy);
    }
    return PRESENCE_SET;
}

enum presence json_walk_base64(struct json_walk *walk, char **string) {
    enum presence presence = json_walk_string(walk, string);
    size_t size;
    if (*string == NULL) {
        return presence;
    }
    size_t n_digits = strlen(*string);
    bool is_base64 = base64_decode(*string, &size);
    if (is_base64 && strlen(*string) == size) {
        return PRESENCE_SET;
    }
    memory_wipe(*string, n_digits); /* decoded bytes may be zero */
    free(TAKE(*string));
    return refuse(walk, is_base64 ? "has a zero byte once it is decoded" : "is not base64");
}

enum presence json_walk_view(struct json_walk *walk, struct json_text *ret_text) {
    *ret_text = (struct json_text){.at = ""};
    if (is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    if (!json_read_text(walk->reader, ret_text)) {
        return refuse(walk, "must be a string");
    }
    return PRESENCE_SET;
}

static enum presence read_raw(struct json_walk *walk, struct json_text *raw) {
    *raw = (struct json_text){.at = ""};
    return !is_null(walk) && json_read_raw(walk->reader, raw) ? PRESENCE_SET : PRESENCE_ABSENT;
}

static enum presence read_bool(struct json_walk *walk, bool *value) {
    *value = false;
    if (is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    if (!json_read_bool(walk->reader, value)) {
        return refuse(walk, "must be true or false");
    }
    return PRESENCE_SET;
}

static enum presence read_integer(struct json_walk *walk, const struct json_field *field,
                                  int64_t *value) {
    int64_t found;
    *value = 0;
    if (is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    if (!json_read_integer(walk->reader, &found) || found < field->low || found > field->high) {
        fail_range(walk, field);
        return PRESENCE_UNUSABLE;
    }
    *value = found;
    return PRESENCE_SET;
}

static enum presence read_is(struct json_walk *walk, const struct json_field *field, bool *is) {
    struct json_text text;
    enum presence presence = json_walk_view(walk, &text);
    *is =
        presence == PRESENCE_SET && (field->literal == NULL || json_text_is(&text, field->literal));
    return presence;
}

static enum presence read_word(struct json_walk *walk, const struct json_field *field, int *value) {
    const struct json_word *word = field->words;
    struct json_text text;
    char copy[KEY_SIZE];
    enum presence presence = json_walk_view(walk, &text);
    while (word->text != NULL && !(presence == PRESENCE_SET && json_text_is(&text, word->text))) {
        word++;
    }
    *value = word->value;
    if (presence == PRESENCE_SET && word->text == NULL) {
        if (!json_text_copy(&text, copy, sizeof(copy))) {
            return refuse(walk, "is too long, or has a zero byte");
        }
        json_walk_fail_about(walk, copy, field->problem);
        return PRESENCE_UNUSABLE;
    }
    return presence;
}

/* Programs write an empty value for one that they do not have: it is not refused. */
static void read_refused(struct json_walk *walk, const char *problem) {
    static const char *const nothing[] = {"null", "\"\"", "[]", "{}"};
    struct json_text raw;
    if (!json_read_raw(walk->reader, &raw)) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(nothing); i++) {
        if (raw.size == strlen(nothing[i]) && memcmp(raw.at, nothing[i], raw.size) == 0) {
            return;
        }
    }
    fail(walk, NULL, problem);
}

static enum presence read_value(struct json_walk *walk, const struct json_field *field, void *at) {
    switch (field->kind) {
    case JSON_FIELD_TEXT:
        return json_walk_text(walk, at, field->capacity);
    case JSON_FIELD_STRING:
        return json_walk_string(walk, at);
    case JSON_FIELD_BASE64:
        return json_walk_base64(walk, at);
    case JSON_FIELD_VIEW:
        return json_walk_view(walk, at);
    case JSON_FIELD_RAW:
        return read_raw(walk, at);
    case JSON_FIELD_BOOL:
        return read_bool(walk, at);
    case JSON_FIELD_INTEGER:
        return read_integer(walk, field, at);
    case JSON_FIELD_IS:
        return read_is(walk, field, at);
    case JSON_FIELD_WORD:
        return read_word(walk, field, at);
    case JSON_FIELD_THERE:
        *(bool *)at = json_peek(walk->reader) != JSON_NULL;
        json_skip(walk->reader);
        break;
    case JSON_FIELD_OBJECT:
        return json_walk_object(walk, field->inside, at);
    case JSON_FIELD_LIST:
        return json_walk_items(walk, field->read, at);
    case JSON_FIELD_READ:
        field->read(walk, at);
        break;
    case JSON_FIELD_REFUSED:
        read_refused(walk, field->problem);
        break;
    }
    return PRESENCE_SET;
}

static enum presence read_field(struct json_walk *walk, const struct json_field *field,
                                void *into) {
    if (walk->strict != NULL && walk->strict->null_keeps && is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    enum presence presence = read_value(walk, field, (char *)into + field->at);
    if (field->state != JSON_NO_STATE) {
        *(enum presence *)(void *)((char *)into + field->state) = presence;
    }
    return presence;
}

static bool is_key(const struct json_field *row, const struct json_text *key) {
    return row->key_size == key->size && *row->key == *key->at &&
           memcmp(row->key, key->at, key->size) == 0;
}

static const struct json_field *find_escaped(const struct json_fields *fields,
                                             const struct json_text *key) {
    for (size_t i = 0; i < fields->n_rows; i++) {
        if (json_text_decodes_to(key, fields->rows[i].key)) {
            return &fields->rows[i];
        }
    }
    return NULL;
}

/* The row of a key. API servers write keys in an order that hardly changes, and tables have the
   same order: so the search begins behind the row that was found last. */
static inline const struct json_field *find(const struct json_fields *fields,
                                            const struct json_field *from,
                                            const struct json_text *key) {
    if (key->is_escaped) {
        return find_escaped(fields, key);
    }
    for (const struct json_field *row = from; row < fields->rows + fields->n_rows; row++) {
        if (is_key(row, key)) {
            return row;
        }
    }
    for (const struct json_field *row = fields->rows; row < from; row++) {
        if (is_key(row, key)) {
            return row;
        }
    }
    return NULL;
}

/* Refuses a text or a string for which the row's is_valid() is false. */
static void check(struct json_walk *walk, const struct json_field *field, const void *at) {
    const char *text = field->kind == JSON_FIELD_STRING ? *(char *const *)at : at;
    if (field->is_valid != NULL && text != NULL && !has_failed(walk) && !field->is_valid(text)) {
        json_walk_fail_about(walk, text, field->problem);
    }
}

static void read_strictly(struct json_walk *walk, const struct json_fields *fields,
                          const struct json_text *key, void *into) {
    const struct json_place place = {.up = walk->place, .key = key};
    const struct json_field *field = find(fields, fields->rows, key);
    walk->place = &place;
    if (field == NULL && walk->strict->knows_all) {
        fail_unknown(walk, fields, key);
    }
    if (field == NULL || walk->strict->has_failed) {
        json_skip(walk->reader);
    } else {
        walk->at = json_offset(walk->reader);
        if (read_field(walk, field, into) == PRESENCE_SET) {
            check(walk, field, (const char *)into + field->at);
        }
    }
    walk->place = place.up;
}

enum presence json_walk_object(struct json_walk *walk, const struct json_fields *fields,
                               void *into) {
    const struct json_field *next = fields->rows;
    struct json_text key;
    size_t at = walk->at;
    if (is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    if (!json_enter_object(walk->reader)) {
        return refuse(walk, "must be a mapping");
    }
    while (json_next_member(walk->reader, &key)) {
        if (walk->strict != NULL) {
            read_strictly(walk, fields, &key, into);
            continue;
        }
        const struct json_field *field = find(fields, next, &key);
        if (field == NULL) {
            json_skip(walk->reader);
        } else {
            (void)read_field(walk, field, into);
            next = field + 1;
        }
    }
    walk->at = at;
    return PRESENCE_SET;
}

enum presence json_walk_items(struct json_walk *walk, json_read *read, void *at) {
    struct json_place place = {.up = walk->place};
    if (is_null(walk)) {
        return PRESENCE_ABSENT;
    }
    if (!json_enter_array(walk->reader)) {
        return refuse(walk, "must be a list");
    }
    size_t list_at = walk->at;
    walk->place = &place;
    for (; json_next_item(walk->reader); place.index++) {
        if (walk->strict != NULL) {
            walk->at = json_offset(walk->reader);
        }
        if (has_failed(walk)) {
            json_skip(walk->reader);
        } else {
            read(walk, at);
        }
    }
    walk->place = place.up;
    walk->at = list_at;
    return PRESENCE_SET;
}

enum presence json_read_fields(struct json_reader *reader, const struct json_fields *fields,
                               void *into) {
    struct json_walk walk = {.reader = reader};
    return json_walk_object(&walk, fields, into);
}

bool json_read_document(const char *json, size_t size, const struct json_fields *fields, void *into,
                        enum presence *ret_presence, struct error *error) {
    struct json_reader reader;
    json_begin(&reader, json, size);
    *ret_presence = json_read_fields(&reader, fields, into);
    return json_finish(&reader, error);
}

bool json_walk_finish(struct json_walk *walk) {
    struct json_strict *strict = walk->strict;
    if (strict->has_failed) {
        return false;
    }
    if (!json_finish(walk->reader, strict->error)) {
        strict->error->offset += strict->offset;
        return false;
    }
    return true;
}
