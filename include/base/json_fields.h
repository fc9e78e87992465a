// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_JSON_FIELDS_H
#define BASE_JSON_FIELDS_H

/*
 * Reads a JSON object into a struct by a table. A row names a key, the kind of its value, and the
 * member that takes it:
 *
 *     static const struct json_field rows[] = {
 *         JSON_TEXT("name", struct pet, name),
 *         JSON_INTEGER("age", struct pet, age, 0, 30),
 *         JSON_OBJECT("owner", struct pet, owner, &owner_fields),
 *     };
 *     static const struct json_fields pet_fields = JSON_FIELDS(rows);
 *
 * Each field has one of three outcomes: absent (there is no such key, or its value is null), set,
 * or unusable (another type, too long, out of range). A member is written only if its key is there;
 * it becomes empty (0, "", false) if the value is null or unusable. So begin with a zeroed struct.
 * If an object has a key twice, the last one counts, as in Go.
 *
 * Lenient reading is for objects of an API server: it skips keys without a row, and only the member
 * for the state shows that a value was unusable. Strict reading is for files that a person wrote,
 * and for values that must not be misread: see struct json_strict. Faults of the JSON itself stay
 * in the reader until json_finish(). Only JSON_STRING and JSON_BASE64 allocate.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attribute.h"
#include "base/error.h"
#include "base/json.h"

enum presence { PRESENCE_ABSENT, PRESENCE_SET, PRESENCE_UNUSABLE };

enum { JSON_PATH_SIZE = 192 };

/* Strict reading stops at the first fault and skips the rest. Any unusable value is a fault, and so
   is an empty JSON_TEXT. The error has the path of the value, the problem, and the offset. */
struct json_strict {
    struct error *error;
    bool has_failed;
    bool knows_all;   /* a key without a row is a fault */
    bool null_keeps;  /* a key with null behind it leaves its member as it is */
    bool takes_empty; /* an empty JSON_TEXT is none */
    const char *root; /* the path of the whole value; NULL or "" at the top of a document */
    size_t offset;    /* of the reader's first byte; added to the offset in the error */
    char path[JSON_PATH_SIZE]; /* of the value at fault; "": the whole document */
};

struct json_place;

/* One reading. */
struct json_walk {
    struct json_reader *reader;
    struct json_strict *strict; /* NULL: lenient */
    void *context;              /* for the functions of JSON_READ and JSON_LIST */
    const struct json_place *place;
    size_t at; /* strict: the offset of the value in hand */
};

/* Reads the value that is due: all of it, and nothing more. `at` is the member. */
typedef void json_read(struct json_walk *walk, void *at);

/* A word that a text may be, and the value of an enum that it means. */
struct json_word {
    const char *text;
    int value;
};

struct json_fields;

enum json_field_kind {
    JSON_FIELD_TEXT,
    JSON_FIELD_STRING,
    JSON_FIELD_BASE64,
    JSON_FIELD_VIEW,
    JSON_FIELD_RAW,
    JSON_FIELD_BOOL,
    JSON_FIELD_INTEGER,
    JSON_FIELD_IS,
    JSON_FIELD_WORD,
    JSON_FIELD_THERE,
    JSON_FIELD_OBJECT,
    JSON_FIELD_LIST,
    JSON_FIELD_READ,
    JSON_FIELD_REFUSED,
};

enum { JSON_NO_STATE = UINT16_MAX }; /* no member takes the field's state */

struct json_field {
    const char *key;
    size_t key_size;
    enum json_field_kind kind;
    uint16_t state; /* the offset of an enum presence, or JSON_NO_STATE */
    uint32_t at;    /* the offset of the member */
    union {
        size_t capacity; /* of a text, with its NUL */
        struct {
            int64_t low;
            int64_t high;
        };
        const char *literal;
        const struct json_word *words; /* up to one whose text is NULL, which has the default */
        const struct json_fields *inside;
        json_read *read;
    };
    bool (*is_valid)(const char *text); /* strict, for a text or a string; NULL: any is valid */
    const char *problem;                /* strict: the error about one that is not */
};

struct json_fields {
    const struct json_field *rows;
    size_t n_rows;
};

/* clang-format off */
#define JSON_FIELDS(array) {(array), COUNT_OF(array)}

#define JSON_ROW_(key_, kind_, at_, state_, ...) \
    {.key = (key_), .key_size = sizeof(key_) - 1, .kind = JSON_FIELD_##kind_, \
     .at = (uint32_t)(at_), .state = (uint16_t)(state_), __VA_ARGS__}
#define JSON_CAPACITY_(type, member) .capacity = sizeof(((type *)NULL)->member)

/* A text, decoded: a char array. With a state, and with a check. */
#define JSON_TEXT(key, type, member) \
    JSON_ROW_(key, TEXT, offsetof(type, member), JSON_NO_STATE, JSON_CAPACITY_(type, member))
#define JSON_TEXT_STATE(key, type, member, state_member) \
    JSON_ROW_(key, TEXT, offsetof(type, member), offsetof(type, state_member), \
              JSON_CAPACITY_(type, member))
#define JSON_TEXT_VALID(key, type, member, is_valid_, problem_) \
    JSON_ROW_(key, TEXT, offsetof(type, member), JSON_NO_STATE, JSON_CAPACITY_(type, member), \
              .is_valid = (is_valid_), .problem = (problem_))

/* A text of any length: a char *, which the caller frees. NULL unless it is set and not empty.
   Reading frees the old value of the member. JSON_BASE64 decodes it; bytes with a NUL are unusable.
 */
#define JSON_STRING(key, type, member) \
    JSON_ROW_(key, STRING, offsetof(type, member), JSON_NO_STATE, .read = NULL)
#define JSON_STRING_VALID(key, type, member, is_valid_, problem_) \
    JSON_ROW_(key, STRING, offsetof(type, member), JSON_NO_STATE, \
              .is_valid = (is_valid_), .problem = (problem_))
#define JSON_BASE64(key, type, member) \
    JSON_ROW_(key, BASE64, offsetof(type, member), JSON_NO_STATE, .read = NULL)

/* A text, or the bytes of any value, borrowed from the input: a struct json_text. An empty one is
   "". */
#define JSON_VIEW(key, type, member) \
    JSON_ROW_(key, VIEW, offsetof(type, member), JSON_NO_STATE, .read = NULL)
#define JSON_VIEW_STATE(key, type, member, state_member) \
    JSON_ROW_(key, VIEW, offsetof(type, member), offsetof(type, state_member), .read = NULL)
#define JSON_RAW(key, type, member) \
    JSON_ROW_(key, RAW, offsetof(type, member), JSON_NO_STATE, .read = NULL)

#define JSON_BOOL(key, type, member) \
    JSON_ROW_(key, BOOL, offsetof(type, member), JSON_NO_STATE, .read = NULL)
#define JSON_BOOL_STATE(key, type, member, state_member) \
    JSON_ROW_(key, BOOL, offsetof(type, member), offsetof(type, state_member), .read = NULL)

/* An integer from `low` to `high`: an int64_t. */
#define JSON_INTEGER(key, type, member, low_, high_) \
    JSON_ROW_(key, INTEGER, offsetof(type, member), JSON_NO_STATE, .low = (low_), .high = (high_))
#define JSON_INTEGER_STATE(key, type, member, state_member, low_, high_) \
    JSON_ROW_(key, INTEGER, offsetof(type, member), offsetof(type, state_member), \
              .low = (low_), .high = (high_))

/* True if it is this text: a bool. NULL: true if it is any text. */
#define JSON_IS(key, type, member, literal_) \
    JSON_ROW_(key, IS, offsetof(type, member), JSON_NO_STATE, .literal = (literal_))
#define JSON_IS_STATE(key, type, member, state_member, literal_) \
    JSON_ROW_(key, IS, offsetof(type, member), offsetof(type, state_member), .literal = (literal_))

/* True if there is any value but null: a bool. */
#define JSON_THERE(key, type, member) \
    JSON_ROW_(key, THERE, offsetof(type, member), JSON_NO_STATE, .read = NULL)

/* One of some words: an enum. Strict: `problem` is the error about another word. */
#define JSON_WORD(key, type, member, words_, problem_) \
    JSON_ROW_(key, WORD, offsetof(type, member), JSON_NO_STATE, \
              .words = (words_), .problem = (problem_))

/* An object. JSON_INSIDE: its rows go to the same struct; JSON_OBJECT: to a struct that is a member. */
#define JSON_INSIDE(key, inside_) JSON_ROW_(key, OBJECT, 0, JSON_NO_STATE, .inside = (inside_))
#define JSON_INSIDE_STATE(key, type, state_member, inside_) \
    JSON_ROW_(key, OBJECT, 0, offsetof(type, state_member), .inside = (inside_))
#define JSON_OBJECT(key, type, member, inside_) \
    JSON_ROW_(key, OBJECT, offsetof(type, member), JSON_NO_STATE, .inside = (inside_))

/* A list: `read` is called for each item. It gets the member; with JSON_LIST_WHOLE, the struct. */
#define JSON_LIST(key, type, member, read_) \
    JSON_ROW_(key, LIST, offsetof(type, member), JSON_NO_STATE, .read = (read_))
#define JSON_LIST_WHOLE(key, read_) JSON_ROW_(key, LIST, 0, JSON_NO_STATE, .read = (read_))

/* Any other value, by a function that gets the member; with JSON_READ_WHOLE, the struct. */
#define JSON_READ(key, type, member, read_) \
    JSON_ROW_(key, READ, offsetof(type, member), JSON_NO_STATE, .read = (read_))
#define JSON_READ_WHOLE(key, read_) JSON_ROW_(key, READ, 0, JSON_NO_STATE, .read = (read_))

/* Strict: a value that is not empty is refused, with the problem. */
#define JSON_REFUSED(key, problem_) JSON_ROW_(key, REFUSED, 0, JSON_NO_STATE, .problem = (problem_))
/* clang-format on */

/* Reads the value that is due, leniently: an object into the struct at `into`. */
enum presence json_read_fields(struct json_reader *reader, const struct json_fields *fields,
                               void *into);

/* Reads a whole document, leniently. False if it is not sound JSON. `ret_presence` tells whether it
   is an object. */
bool json_read_document(const char *json, size_t size, const struct json_fields *fields, void *into,
                        enum presence *ret_presence, struct error *error) MUST_CHECK;

/* For the functions of JSON_READ and JSON_LIST, and to begin a strict reading. Each reads the value
   that is due; a strict walk fails if it is unusable. */
enum presence json_walk_object(struct json_walk *walk, const struct json_fields *fields,
                               void *into);
enum presence json_walk_items(struct json_walk *walk, json_read *read, void *at);
enum presence json_walk_text(struct json_walk *walk, char *out, size_t capacity);
enum presence json_walk_view(struct json_walk *walk, struct json_text *ret_text);
enum presence json_walk_string(struct json_walk *walk, char **string);
enum presence json_walk_base64(struct json_walk *walk, char **string);

/* Ends a strict reading: false, and the error, after a fault of a value or of the JSON. */
bool json_walk_finish(struct json_walk *walk) MUST_CHECK;

/* Makes a strict walk fail with a problem of the value in hand: "must be a list"; or with
   "'value' is not known". A lenient walk goes on. */
void json_walk_fail(struct json_walk *walk, const char *problem);
void json_walk_fail_about(struct json_walk *walk, const char *value, const char *problem);

/* The same about a missing key of the object in hand. */
void json_walk_fail_below(struct json_walk *walk, const char *key, const char *problem);

#endif
