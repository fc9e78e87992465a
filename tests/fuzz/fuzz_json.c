// SPDX-License-Identifier: Apache-2.0

/*
 * Compares the JSON reader and writer with cJSON and with each other:
 *
 * - skipping a value and entering it give the same verdict, fault and offset;
 * - cJSON and the reader accept and read the same, except for the faults of cJSON named below;
 * - a document that the reader accepts can be written, and reads back equal;
 * - any bytes can be written as a text, and the reader accepts it.
 */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"

#define CHECK(claim)                                                                               \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Facts that decide about cJSON's faults. */
struct facts {
    size_t depth;       /* the deepest level */
    size_t number_size; /* the longest number */
    bool has_nul;       /* a key or a text contains U+0000 */
};

static bool has_nul(const struct json_text *text) {
    AUTO_FREE char *copy = memory_new(text->size + 1, 1);
    return !json_text_copy(text, copy, text->size + 1);
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Reads a value by entering all objects and lists in it. */
static void walk(struct json_reader *reader, size_t depth, struct facts *facts) {
    struct json_text text;
    bool boolean;
    enum json_kind kind = json_peek(reader);
    depth += kind == JSON_OBJECT || kind == JSON_ARRAY;
    facts->depth = larger(facts->depth, depth);
    switch (kind) {
    case JSON_OBJECT:
        if (json_enter_object(reader)) {
            while (json_next_member(reader, &text)) {
                facts->has_nul = facts->has_nul || has_nul(&text);
                walk(reader, depth, facts);
            }
        }
        break;
    case JSON_ARRAY:
        if (json_enter_array(reader)) {
            while (json_next_item(reader)) {
                walk(reader, depth, facts);
            }
        }
        break;
    case JSON_STRING:
        if (json_read_text(reader, &text)) {
            facts->has_nul = facts->has_nul || has_nul(&text);
        }
        break;
    case JSON_NUMBER:
        if (json_read_raw(reader, &text)) {
            facts->number_size = larger(facts->number_size, text.size);
        }
        break;
    case JSON_BOOL:
        json_read_bool(reader, &boolean);
        break;
    default:
        json_skip(reader);
        break;
    }
}

static bool is_accepted(const char *bytes, size_t size, struct error *ret_error,
                        struct facts *ret_facts) {
    struct json_reader reader;
    json_begin(&reader, bytes, size);
    json_skip(&reader);
    bool skipped = json_finish(&reader, ret_error);

    struct error error;
    *ret_facts = (struct facts){0};
    json_begin(&reader, bytes, size);
    walk(&reader, 0, ret_facts);
    CHECK(json_finish(&reader, &error) == skipped);
    if (!skipped) {
        CHECK(error.kind == ret_error->kind);
        CHECK(error.offset == ret_error->offset);
        CHECK(strcmp(error.text, ret_error->text) == 0);
        CHECK(error.offset <= size);
    }
    return skipped;
}

/* cJSON's verdict on the whole input. cJSON stops after the value. This function also checks the
   rest, so that trailing bytes are no exception. */
static cJSON *parse_by_cjson(const char *text, size_t size) {
    const char *stop = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(text, size, &stop, false);
    while (tree != NULL && stop < text + size) {
        if (strchr(" \t\r\n", *stop) == NULL || *stop == '\0') {
            cJSON_Delete(tree);
            return NULL;
        }
        stop++;
    }
    return tree;
}

/* Does the reader refuse something that cJSON 1.7.15 lets pass? */
static bool is_cjson_too_loose(const char *bytes, size_t size, const struct error *error) {
    const char *at = bytes + error->offset;
    size_t left = size - error->offset;
    /* cJSON skips a byte order mark. */
    if (error->offset == 0 && left >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
        return true;
    }
    /* cJSON takes every byte up to 0x20 for white space, and accepts control characters in
       strings. */
    if (left > 0 && (unsigned char)*at < 0x20) {
        return true;
    }
    /* cJSON does not check the UTF-8 of strings. */
    if (strcmp(error->text, "invalid UTF-8 in a string") == 0) {
        return true;
    }
    /* cJSON takes \uXXXX for U+0000 if the X are not hexadecimal digits. */
    if (strcmp(error->text, "invalid escape in a string") == 0 && left > 1 && at[1] == 'u') {
        return true;
    }
    /* cJSON reads numbers with strtod(), which accepts 01, 1. and -.5. */
    return strcmp(error->text, "malformed number") == 0;
}

/* Does the input contain something valid that cJSON 1.7.15 refuses? */
static bool is_cjson_too_strict(const struct facts *facts) {
    /* CJSON_NESTING_LIMIT is 1000. */
    if (facts->depth > CJSON_NESTING_LIMIT) {
        return true;
    }
    /* Without the fix for CVE-2023-26819 (Debian has it) cJSON reads 63 bytes of a number. */
    return facts->number_size > 63;
}

static void compare_texts(const struct json_text *text, const char *expected) {
    /* cJSON's strings end at the first U+0000. */
    if (!has_nul(text)) {
        CHECK(json_text_is(text, expected));
    }
}

static void compare_numbers(struct json_reader *reader, double expected) {
    const double exact_max = 9007199254740992; /* cJSON keeps numbers as doubles */
    struct json_reader again = *reader;
    struct json_text raw;
    int64_t integer;
    bool is_integer = json_read_integer(reader, &integer);
    if (is_integer && fabs(expected) <= exact_max) {
        CHECK((double)integer == expected);
    }
    /* A double shows each of 15 digits. So the double is an integer only if the number is. */
    CHECK(json_read_raw(&again, &raw));
    if (raw.size <= 15 && memchr(raw.at, 'e', raw.size) == NULL &&
        memchr(raw.at, 'E', raw.size) == NULL) {
        CHECK(is_integer == (floor(expected) == expected));
    }
}

/* Walks through the tree and the reader side by side. */
static void compare(struct json_reader *reader, const cJSON *tree) {
    struct json_text text;
    bool boolean;
    const cJSON *child = tree->child;
    switch (json_peek(reader)) {
    case JSON_OBJECT:
        CHECK(cJSON_IsObject(tree) && json_enter_object(reader));
        for (; json_next_member(reader, &text); child = child->next) {
            CHECK(child != NULL);
            compare_texts(&text, child->string);
            compare(reader, child);
        }
        CHECK(child == NULL);
        break;
    case JSON_ARRAY:
        CHECK(cJSON_IsArray(tree) && json_enter_array(reader));
        for (; json_next_item(reader); child = child->next) {
            CHECK(child != NULL);
            compare(reader, child);
        }
        CHECK(child == NULL);
        break;
    case JSON_STRING:
        CHECK(cJSON_IsString(tree) && json_read_text(reader, &text));
        compare_texts(&text, tree->valuestring);
        break;
    case JSON_NUMBER:
        CHECK(cJSON_IsNumber(tree));
        compare_numbers(reader, tree->valuedouble);
        break;
    case JSON_BOOL:
        CHECK(cJSON_IsBool(tree) && json_read_bool(reader, &boolean));
        CHECK(boolean == (bool)cJSON_IsTrue(tree));
        break;
    default:
        CHECK(cJSON_IsNull(tree));
        json_skip(reader);
        break;
    }
}

static void check_against_cjson(const char *bytes, size_t size, bool is_accepted_by_reader,
                                const struct error *error, const struct facts *facts) {
    /* Without the fix for CVE-2023-53154 cJSON reads one byte past some inputs. The copy has a NUL
       there. */
    AUTO_FREE char *text = memory_copy(bytes, size);
    cJSON *tree = parse_by_cjson(text, size);
    if (is_accepted_by_reader && tree != NULL) {
        struct json_reader reader;
        struct error none;
        json_begin(&reader, bytes, size);
        compare(&reader, tree);
        CHECK(json_finish(&reader, &none));
    } else if (is_accepted_by_reader) {
        CHECK(is_cjson_too_strict(facts));
    } else if (tree != NULL) {
        CHECK(is_cjson_too_loose(bytes, size, error));
    }
    cJSON_Delete(tree);
}

static char *decode(const struct json_text *text) {
    char *copy = memory_new(text->size + 1, 1);
    CHECK(json_text_copy(text, copy, text->size + 1));
    return copy;
}

static void rewrite_number_or_null(struct json_reader *reader, struct json_write *write) {
    struct json_reader again = *reader;
    struct json_text text;
    int64_t integer;
    if (json_read_integer(reader, &integer)) {
        json_write_integer(write, integer);
        return;
    }
    CHECK(json_read_raw(&again, &text));
    AUTO_FREE char *raw = memory_copy(text.at, text.size);
    json_write_raw(write, raw);
}

/* Writes each value that the reader reads. */
static void rewrite(struct json_reader *reader, struct json_write *write) {
    struct json_text text;
    bool boolean;
    switch (json_peek(reader)) {
    case JSON_OBJECT:
        json_write_open(write, '{');
        json_enter_object(reader);
        while (json_next_member(reader, &text)) {
            AUTO_FREE char *key = decode(&text);
            json_write_key(write, key);
            rewrite(reader, write);
        }
        json_write_close(write, '}');
        break;
    case JSON_ARRAY:
        json_write_open(write, '[');
        json_enter_array(reader);
        while (json_next_item(reader)) {
            rewrite(reader, write);
        }
        json_write_close(write, ']');
        break;
    case JSON_STRING: {
        CHECK(json_read_text(reader, &text));
        AUTO_FREE char *decoded = decode(&text);
        json_write_text(write, decoded);
        break;
    }
    case JSON_BOOL:
        CHECK(json_read_bool(reader, &boolean));
        json_write_bool(write, boolean);
        break;
    default:
        rewrite_number_or_null(reader, write);
        break;
    }
}

static void check_same_texts(const struct json_text *a, const struct json_text *b) {
    AUTO_FREE char *decoded = decode(a);
    CHECK(json_text_is(b, decoded));
}

/* Compares integers by value, and other numbers by their bytes. */
static void check_same_numbers(struct json_reader *a, struct json_reader *b) {
    struct json_reader again_a = *a;
    struct json_reader again_b = *b;
    struct json_text text_a;
    struct json_text text_b;
    int64_t integer_a;
    int64_t integer_b;
    CHECK(json_read_raw(&again_a, &text_a) && json_read_raw(&again_b, &text_b));
    bool is_integer = json_read_integer(a, &integer_a);
    CHECK(json_read_integer(b, &integer_b) == is_integer);
    CHECK(is_integer
              ? integer_a == integer_b
              : text_a.size == text_b.size && memcmp(text_a.at, text_b.at, text_a.size) == 0);
}

/* Both readers are in front of the same value. */
static void check_same(struct json_reader *a, struct json_reader *b) {
    struct json_text text_a;
    struct json_text text_b;
    enum json_kind kind = json_peek(a);
    CHECK(json_peek(b) == kind);
    switch (kind) {
    case JSON_OBJECT:
        CHECK(json_enter_object(a) && json_enter_object(b));
        while (json_next_member(a, &text_a)) {
            CHECK(json_next_member(b, &text_b));
            check_same_texts(&text_a, &text_b);
            check_same(a, b);
        }
        CHECK(!json_next_member(b, &text_b));
        break;
    case JSON_ARRAY:
        CHECK(json_enter_array(a) && json_enter_array(b));
        while (json_next_item(a)) {
            CHECK(json_next_item(b));
            check_same(a, b);
        }
        CHECK(!json_next_item(b));
        break;
    case JSON_STRING:
        CHECK(json_read_text(a, &text_a) && json_read_text(b, &text_b));
        check_same_texts(&text_a, &text_b);
        break;
    case JSON_NUMBER:
        check_same_numbers(a, b);
        break;
    default:
        CHECK(json_read_raw(a, &text_a) && json_read_raw(b, &text_b));
        CHECK(text_a.size == text_b.size && memcmp(text_a.at, text_b.at, text_a.size) == 0);
        break;
    }
}

static void check_round_trip(const char *bytes, size_t size) {
    AUTO(buffer_fini) struct buffer out;
    struct json_reader reader;
    struct json_reader again;
    struct json_write write;
    struct error error;
    buffer_init(&out, SIZE_MAX);
    json_write_begin(&write, &out);
    json_begin(&reader, bytes, size);
    rewrite(&reader, &write);

    json_begin(&reader, bytes, size);
    json_begin(&again, out.bytes, out.size);
    check_same(&reader, &again);
    CHECK(json_finish(&again, &error));
}

static void check_any_text(const char *bytes, size_t size) {
    AUTO(buffer_fini) struct buffer out;
    struct json_write write;
    struct json_reader reader;
    struct json_text text;
    struct error error;
    buffer_init(&out, SIZE_MAX);
    json_write_begin(&write, &out);
    json_write_text_sized(&write, bytes, size);
    json_begin(&reader, out.bytes, out.size);
    CHECK(json_read_text(&reader, &text));
    CHECK(json_finish(&reader, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *bytes = (const char *)data;
    struct facts facts;
    struct error error;
    bool accepted = is_accepted(bytes, size, &error, &facts);
    check_against_cjson(bytes, size, accepted, &error, &facts);
    /* A C string cannot hold U+0000, and these checks recurse with large frames. */
    if (accepted && !facts.has_nul && facts.depth <= CJSON_NESTING_LIMIT) {
        check_round_trip(bytes, size);
    }
    check_any_text(bytes, size);
    return 0;
}
