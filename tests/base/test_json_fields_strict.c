// SPDX-License-Identifier: Apache-2.0
#include "base/json_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_fields_fixtures.h"

static bool is_short(const char *text) {
    size_t size = strlen(text);
    return size > 0 && size < 3;
}

struct strict_pet {
    char name[5];
    char nick[9];
    char *note;
    char *key;
    bool is_tame;
    int64_t age;
    bool is_cat;
    enum colour colour;
    struct {
        int64_t floor;
    } home;
    int64_t sum;
};

/* An item that is an object, within the list `homes`. */
static void read_home(struct json_walk *walk, void *at) {
    struct home home = {.floor = 0};
    (void)at;
    if (json_walk_object(walk, &home_fields, &home) == PRESENCE_SET && home.floor == 0) {
        json_walk_fail_below(walk, "floor", "must be given");
    }
    if (home.floor == 7) {
        json_walk_fail_about(walk, "7", "is no home");
    }
}

/* A list that is judged as a whole. */
static void read_counts(struct json_walk *walk, void *at) {
    const int64_t *sum = at;
    (void)json_walk_items(walk, add_item, at);
    if (*sum > 100) {
        json_walk_fail(walk, "must not exceed 100");
    }
}

static const struct json_field strict_rows[] = {
    JSON_TEXT("name", struct strict_pet, name),
    JSON_TEXT_VALID("nick", struct strict_pet, nick, is_short, "is not short"),
    JSON_STRING_VALID("note", struct strict_pet, note, is_short, "is not short"),
    JSON_BASE64("key", struct strict_pet, key),
    JSON_BOOL("tame", struct strict_pet, is_tame),
    JSON_INTEGER("age", struct strict_pet, age, 0, 30),
    JSON_IS("kind", struct strict_pet, is_cat, "cat"),
    JSON_WORD("colour", struct strict_pet, colour, colours, "is no colour"),
    JSON_OBJECT("home", struct strict_pet, home, &home_fields),
    JSON_READ("counts", struct strict_pet, sum, read_counts),
    JSON_LIST("homes", struct strict_pet, sum, read_home),
    JSON_REFUSED("as", "is not supported"),
};
static const struct json_fields strict_fields = JSON_FIELDS(strict_rows);

/* Reads strictly and returns "OFFSET TEXT", or "" if all is well. */
static const char *read_strictly(const char *json, struct json_strict *strict) {
    static char found[600];
    AUTO_FREE char *text = quoted(json);
    struct strict_pet pet = {.name = ""};
    struct error error = {.text = ""};
    struct json_reader reader;
    struct json_walk walk = {.reader = &reader, .strict = strict};
    strict->error = &error;
    json_begin(&reader, text, strlen(text));
    (void)json_walk_object(&walk, &strict_fields, &pet);
    bool is_good = json_walk_finish(&walk);
    free(pet.note);
    free(pet.key);
    found[0] = '\0';
    if (!is_good) {
        assert_int_equal(error.kind, ERROR_INVALID);
        snprintf(found, sizeof(found), "%zu %s", error.offset, error.text);
    }
    return found;
}

static void assert_strict(const char *json, const char *expected) {
    struct json_strict strict = {.root = ""};
    const char *found = read_strictly(json, &strict);
    if (strcmp(found, expected) != 0) {
        fail_msg("%s\n says: %s\n  not: %s", json, found, expected);
    }
}

static void test_json_fields_strict__says_where_and_what(void **state) {
    (void)state;
    static const struct {
        const char *json, *expected;
    } rows[] = {
        {"{'name':'Tom','nick':'T','note':'','key':'YWJj','tame':false,'age':30,'kind':'dog',"
         "'colour':'red','home':{'floor':9},'counts':[],'homes':[{'floor':1}],'other':1}",
         ""},
        {"null", ""},
        {"[]", "0 the document: must be a mapping"},
        {"{'name':1}", "8 name: must be a string"},
        {"{'name': 'abcde'}", "9 name: is too long, or has a zero byte"},
        {"{'name':''}", "8 name: must not be empty"},
        {"{'name':null,'nick':null,'note':null,'as':null}", ""},
        {"{'nick':'abc'}", "8 nick: 'abc' is not short"},
        {"{'note':'abc'}", "8 note: 'abc' is not short"},
        {"{'note':'\\u0000'}", "8 note: has a zero byte"},
        {"{'note':{}}", "8 note: must be a string"},
        {"{'key':'-'}", "7 key: is not base64"},
        {"{'key':'AA=='}", "7 key: has a zero byte once it is decoded"},
        {"{'tame':'true'}", "8 tame: must be true or false"},
        {"{'age':31}", "7 age: must be an integer from 0 to 30"},
        {"{'age':'1'}", "7 age: must be an integer from 0 to 30"},
        {"{'kind':1}", "8 kind: must be a string"},
        {"{'colour':'blue'}", "10 colour: 'blue' is no colour"},
        {"{'colour':5}", "10 colour: must be a string"},
        {"{'home':[]}", "8 home: must be a mapping"},
        {"{'home':{'a':1,'floor':10}}", "23 home.floor: must be an integer from -1 to 9"},
        {"{'counts':{}}", "10 counts: must be a list"},
        {"{'counts':[1,'x']}", "13 counts[1]: must be a number"},
        {"{'counts':[1,99,1]}", "10 counts: must not exceed 100"},
        {"{'homes':[{'floor':1}, 5]}", "23 homes[1]: must be a mapping"},
        {"{'homes':[{'floor':'x'}]}", "19 homes[0].floor: must be an integer from -1 to 9"},
        {"{'homes':[{'floor':1},{}]}", "22 homes[1].floor: must be given"},
        {"{'homes':[{'floor':7}]}", "10 homes[0]: '7' is no home"},
        {"{'as':''}", ""},
        {"{'as':[]}", ""},
        {"{'as':{}}", ""},
        {"{'as':0}", "6 as: is not supported"},
        {"{'as':[0]}", "6 as: is not supported"},
        {"{'a\\u0073':'x'}", "11 as: is not supported"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_strict(rows[i].json, rows[i].expected);
    }
}

static void test_json_fields_strict__keeps_the_first_fault(void **state) {
    (void)state;
    assert_strict("{'age':31,'name':1,'homes':[5]}", "7 age: must be an integer from 0 to 30");
    assert_strict("{'counts':['x',[]],'age':31}", "11 counts[0]: must be a number");
    assert_strict("{'homes':[{'floor':99},{}]}",
                  "19 homes[0].floor: must be an integer from -1 to 9");
    assert_strict("{'age':31,", "7 age: must be an integer from 0 to 30");
}

static void test_json_fields_strict__tells_json_that_is_none(void **state) {
    (void)state;
    assert_strict("{'name':Tom}", "8 a value is expected");
    assert_strict("{'age':01}", "7 malformed number");
    assert_strict("{'homes':[{", "11 the input ends too early");
    assert_strict("{'home':{'floor':", "17 the input ends too early");
    assert_strict("{'counts':[1,]}", "13 a value is expected");
    assert_strict("{'name':'Tom'} x", "15 more follows the value");
    struct json_strict strict = {.root = "part", .offset = 100};
    assert_string_equal(read_strictly("{'age':x}", &strict), "107 a value is expected");
    assert_string_equal(strict.path, "");
}

static void test_json_fields_strict__begins_at_a_root(void **state) {
    (void)state;
    static const struct {
        const char *json, *expected, *path;
    } rows[] = {
        {"{'age':31}", "107 users[0].user.age: must be an integer from 0 to 30",
         "users[0].user.age"},
        {"{'homes':[{}]}", "110 users[0].user.homes[0].floor: must be given",
         "users[0].user.homes[0].floor"},
        {"5", "100 users[0].user: must be a mapping", "users[0].user"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_strict strict = {.root = "users[0].user", .offset = 100};
        assert_string_equal(read_strictly(rows[i].json, &strict), rows[i].expected);
        assert_string_equal(strict.path, rows[i].path);
    }
    struct json_strict rootless = {.offset = 5};
    assert_string_equal(read_strictly("{'age':31}", &rootless),
                        "12 age: must be an integer from 0 to 30");
    assert_string_equal(rootless.path, "age");
}

static void test_json_fields_strict__null_may_keep_what_is_there(void **state) {
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        AUTO_FREE char *text = quoted("{'age':null,'tame':null,'name':null,'home':null}");
        struct strict_pet pet = {.name = "tom", .age = 7, .is_tame = true, .home = {.floor = 3}};
        struct error error = {.text = ""};
        struct json_strict strict = {.error = &error, .root = "", .null_keeps = keeps == 1};
        struct json_reader reader;
        struct json_walk walk = {.reader = &reader, .strict = &strict};
        json_begin(&reader, text, strlen(text));
        (void)json_walk_object(&walk, &strict_fields, &pet);
        assert_true(json_walk_finish(&walk));
        assert_int_equal(pet.age, keeps ? 7 : 0);
        assert_int_equal(pet.is_tame, keeps == 1);
        assert_string_equal(pet.name, keeps ? "tom" : "");
        assert_int_equal(pet.home.floor, 3);
    }
}

static void test_json_fields_strict__may_know_all_keys(void **state) {
    (void)state;
#define FEW "unknown key; known here: floor"
    static const struct {
        const char *json, *expected;
    } rows[] = {
        {"{'home':{'floor':1,'roof':2}}", "19 home.roof: " FEW},
        {"{'home':{'':2}}", "9 home.(an empty key): " FEW},
        {"{'home':{'a\\nb\\u007f':2}}", "9 home.a?b?: " FEW},
        {"{'home':{'a\\u0000':2}}", "9 home.(a long key): " FEW},
        {"{'home':{'123456789012345678901234567890123456789012345678901234567890123':2}}",
         "9 home.123456789012345678901234567890123456789012345678901234567890123: " FEW},
        {"{'home':{'1234567890123456789012345678901234567890123456789012345678901234':2}}",
         "9 home.(a long key): " FEW},
        {"{ 'age' : 1, 'ago' : {'x':1} }",
         "13 ago: unknown key; known here: name, nick, note, key, tame, age, kind, colour, home, "
         "counts, homes, as"},
        {"{'age':1,'colour':'a\\nb'}", "18 colour: 'a?b' is no colour"},
        {"{'age':1,'as':''}", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct json_strict strict = {.root = "", .knows_all = true};
        const char *found = read_strictly(rows[i].json, &strict);
        if (strcmp(found, rows[i].expected) != 0) {
            fail_msg("%s\n says: %s\n  not: %s", rows[i].json, found, rows[i].expected);
        }
    }
#undef FEW
}

/* Paths, values and lists of keys are cut, and nothing is written past their end. */
static void test_json_fields_strict__cuts_long_texts(void **state) {
    (void)state;
    char root[400];
    memset(root, 'r', sizeof(root) - 1);
    root[sizeof(root) - 1] = '\0';
    struct json_strict strict = {.root = root};
    const char *found = read_strictly("{'age':31}", &strict);
    assert_int_equal(strlen(strict.path), JSON_PATH_SIZE - 1);
    assert_memory_equal(strict.path, root, JSON_PATH_SIZE - 1);
    assert_memory_equal(found, "7 rrr", 5);
    char json[400];
    snprintf(json, sizeof(json), "{'note':'%s'}", root + 200);
    char expected[200];
    snprintf(expected, sizeof(expected), "8 note: '%.64s' is not short", root);
    assert_strict(json, expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_fields_strict__says_where_and_what),
        cmocka_unit_test(test_json_fields_strict__keeps_the_first_fault),
        cmocka_unit_test(test_json_fields_strict__tells_json_that_is_none),
        cmocka_unit_test(test_json_fields_strict__begins_at_a_root),
        cmocka_unit_test(test_json_fields_strict__null_may_keep_what_is_there),
        cmocka_unit_test(test_json_fields_strict__may_know_all_keys),
        cmocka_unit_test(test_json_fields_strict__cuts_long_texts),
    };
    return cmocka_run_group_tests_name("base/json_fields_strict", tests, NULL, NULL);
}
