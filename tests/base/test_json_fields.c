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

/* A member for each kind of row. */
struct pet {
    char name[5];
    enum presence name_state;
    char *note;
    char *key;
    struct json_text view;
    struct json_text raw;
    bool is_tame;
    int64_t age;
    enum presence age_state;
    bool is_cat;
    bool has_alias;
    bool is_there;
    enum colour colour;
    char owner[8];
    enum presence owner_state;
    struct {
        int64_t floor;
    } home;
    int64_t sum;
    int64_t square;
};

static void pet_fini(struct pet *pet) {
    free(pet->note);
    free(pet->key);
}

static void read_square(struct json_walk *walk, void *at) {
    int64_t *square = at;
    int64_t value = 0;
    (void)json_read_integer(walk->reader, &value);
    *square = value * value;
}

static const struct json_field owner_rows[] = {
    JSON_TEXT("name", struct pet, owner),
};
static const struct json_fields owner_fields = JSON_FIELDS(owner_rows);

static const struct json_field pet_rows[] = {
    JSON_TEXT_STATE("name", struct pet, name, name_state),
    JSON_STRING("note", struct pet, note),
    JSON_BASE64("key", struct pet, key),
    JSON_VIEW("view", struct pet, view),
    JSON_RAW("raw", struct pet, raw),
    JSON_BOOL("tame", struct pet, is_tame),
    JSON_INTEGER_STATE("age", struct pet, age, age_state, 0, 30),
    JSON_IS("kind", struct pet, is_cat, "cat"),
    JSON_IS("alias", struct pet, has_alias, NULL),
    JSON_THERE("there", struct pet, is_there),
    JSON_WORD("colour", struct pet, colour, colours, "is no colour"),
    JSON_INSIDE_STATE("owner", struct pet, owner_state, &owner_fields),
    JSON_OBJECT("home", struct pet, home, &home_fields),
    JSON_LIST("counts", struct pet, sum, add_item),
    JSON_READ("square", struct pet, square, read_square),
};
static const struct json_fields pet_fields = JSON_FIELDS(pet_rows);

/* Reads leniently, as one line of text: what is empty is left out. */
static void describe(const char *json, char *out, size_t capacity) {
    static const char *const states[] = {"absent", "set", "unusable"};
    AUTO_FREE char *text = quoted(json);
    AUTO(pet_fini) struct pet pet = {.name = ""};
    enum presence presence;
    struct error error;
    if (!json_read_document(text, strlen(text), &pet_fields, &pet, &presence, &error)) {
        snprintf(out, capacity, "%zu: %s", error.offset, error.text);
        return;
    }
    snprintf(out, capacity,
             "%s name=%s,%s note=%s key=%s view=%.*s raw=%.*s age=%d,%s sum=%d square=%d floor=%d "
             "owner=%s,%s colour=%d%s%s%s%s",
             states[presence], pet.name, states[pet.name_state],
             pet.note == NULL ? "NULL" : pet.note, pet.key == NULL ? "NULL" : pet.key,
             (int)pet.view.size, pet.view.at == NULL ? "" : pet.view.at, (int)pet.raw.size,
             pet.raw.at == NULL ? "" : pet.raw.at, (int)pet.age, states[pet.age_state],
             (int)pet.sum, (int)pet.square, (int)pet.home.floor, pet.owner, states[pet.owner_state],
             (int)pet.colour, pet.is_tame ? " tame" : "", pet.is_cat ? " cat" : "",
             pet.has_alias ? " alias" : "", pet.is_there ? " there" : "");
}

#define EMPTY                                                                                      \
    "set name=,absent note=NULL key=NULL view= raw= age=0,absent sum=0 square=0 floor=0 "          \
    "owner=,absent colour=0"

static void assert_reads(const char *json, const char *expected) {
    char found[600];
    describe(json, found, sizeof(found));
    if (strcmp(found, expected) != 0) {
        fail_msg("%s\n reads: %s\n   not: %s", json, found, expected);
    }
}

static void test_json_fields__reads_each_kind_of_row(void **state) {
    (void)state;
    static const char all[] =
        "set name=Tom,set note=long enough key=abc view=v raw=[1, {}] age=30,set sum=6 square=9 "
        "floor=-1 owner=Ann,set colour=2 tame cat alias there";
    assert_reads("{'name':'Tom','note':'long enough','key':'YWJj','view':'v','raw':[1, {}],"
                 "'tame':true,'age':30,'kind':'cat','alias':'','there':0,'colour':'green',"
                 "'owner':{'name':'Ann'},'home':{'floor':-1},'counts':[1,2,3],'square':3}",
                 all);
    assert_reads(" { 'square' : 3 , 'counts' : [ 1 , 2 , 3 ] , 'other' : [ { 'name' : 1 } ] , "
                 "'home' : { 'x' : 0 , 'floor' : -1 } , 'owner' : { 'name' : 'Ann' } , "
                 "'colour' : 'green' , 'there' : 0 , 'alias' : '' , 'kind' : 'cat' , 'age' : 30 , "
                 "'tame' : true , 'raw' : [1, {}] , 'view' : 'v' , 'key' : 'YWJj' , "
                 "'note' : 'long enough' , 'name' : 'Tom' } ",
                 all);
    assert_reads("{}", EMPTY);
}

static void test_json_fields__null_is_absent_and_empties_the_member(void **state) {
    (void)state;
    assert_reads("{'name':null,'note':null,'key':null,'view':null,'raw':null,'tame':null,"
                 "'age':null,'kind':null,'alias':null,'there':null,'colour':null,'owner':null,"
                 "'home':null,'counts':null,'square':null}",
                 EMPTY);
    assert_reads("{'name':'Tom','name':null,'note':'a','note':null,'key':'YWJj','key':null,"
                 "'view':'v','view':null,'raw':1,'raw':null,'tame':true,'tame':null,'age':3,"
                 "'age':null,'kind':'cat','kind':null,'there':1,'there':null,'colour':'red',"
                 "'colour':null,'name' : null}",
                 EMPTY);
}

static void test_json_fields__an_empty_view_can_be_compared(void **state) {
    (void)state;
    static const char *const values[] = {"null", "1", "\"\""};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char json[64];
        struct pet pet = {.name = ""};
        enum presence presence;
        struct error error;
        snprintf(json, sizeof(json), "{\"view\":%s,\"raw\":null}", values[i]);
        assert_true(json_read_document(json, strlen(json), &pet_fields, &pet, &presence, &error));
        assert_string_equal(pet.raw.at, "");
        assert_non_null(pet.view.at);
        assert_true(json_text_is(&pet.view, ""));
    }
}

static void test_json_fields__another_type_is_unusable(void **state) {
    (void)state;
    static const char *const values[] = {"5", "true", "[5]", "{'name':'x'}", "'x'"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char json[80];
        char expected[400];
        bool is_text = values[i][0] == '\'';
        bool is_integer = values[i][0] == '5';
        bool is_object = values[i][0] == '{';
        snprintf(json, sizeof(json), "{'name':%s,'age':%s,'owner':%s}", values[i], values[i],
                 values[i]);
        snprintf(expected, sizeof(expected),
                 "set name=%s,%s note=NULL key=NULL view= raw= age=%d,%s sum=0 square=0 floor=0 "
                 "owner=%s,%s colour=0",
                 is_text ? "x" : "", is_text ? "set" : "unusable", is_integer ? 5 : 0,
                 is_integer ? "set" : "unusable", is_object ? "x" : "",
                 is_object ? "set" : "unusable");
        assert_reads(json, expected);
    }
    assert_reads("{'note':1,'key':[],'view':{},'tame':'true','kind':1,'alias':[],'colour':7,"
                 "'home':[{'floor':1}],'counts':{'a':1}}",
                 EMPTY);
    assert_reads("{'note':'a','note':1,'key':'YWJj','key':1,'view':'v','view':1,'tame':true,"
                 "'tame':1,'kind':'cat','kind':'dog','colour':'red','colour':'blue'}",
                 EMPTY);
}

static void test_json_fields__has_limits(void **state) {
    (void)state;
    static const struct {
        const char *json, *name, *name_state;
        int age;
        const char *age_state;
    } rows[] = {
        {"{'name':'abcd','age':0}", "abcd", "set", 0, "set"},
        {"{'name':'abcde','age':-1}", "", "unusable", 0, "unusable"},
        {"{'name':'','age':30}", "", "set", 30, "set"},
        {"{'name':'a\\u0000','age':31}", "", "unusable", 0, "unusable"},
        {"{'name':'ab\\u00e9','age':1.5}", "ab\xC3\xA9", "set", 0, "unusable"},
        {"{'name':'abc\\u00e9','age':3e1}", "", "unusable", 30, "set"},
        {"{'name':'\\u0061','age':9223372036854775808}", "a", "set", 0, "unusable"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char expected[400];
        snprintf(expected, sizeof(expected),
                 "set name=%s,%s note=NULL key=NULL view= raw= age=%d,%s sum=0 square=0 floor=0 "
                 "owner=,absent colour=0",
                 rows[i].name, rows[i].name_state, rows[i].age, rows[i].age_state);
        assert_reads(rows[i].json, expected);
    }
    assert_reads("{'home':{'floor':10}}", EMPTY);
    assert_reads("{'home':{'floor':-2}}", EMPTY);
}

static void test_json_fields__decodes_base64(void **state) {
    (void)state;
    static const char *const unusable[] = {"'YWJj='", "'YWJ'", "'Y W J j'", "'AA=='",     "'YQBj'",
                                           "''",      "'-'",   "5",         "'a\\u0000b'"};
    assert_reads(
        "{'key':'YW\\nJj'}",
        "set name=,absent note=NULL key=abc view= raw= age=0,absent sum=0 square=0 floor=0 "
        "owner=,absent colour=0");
    for (size_t i = 0; i < COUNT_OF(unusable); i++) {
        char json[64];
        snprintf(json, sizeof(json), "{'key':'YWJj','key':%s}", unusable[i]);
        assert_reads(json, EMPTY);
    }
}

/* The last of two keys counts; escaped keys are compared decoded. */
static void test_json_fields__reads_keys_in_any_order_and_form(void **state) {
    (void)state;
#define AGED(age)                                                                                  \
    "set name=Tom,set note=NULL key=NULL view= raw= age=" age ",set sum=0 square=0 floor=0 "       \
    "owner=,absent colour=0"
    assert_reads("{'name':'Tim','age':1,'name':'Tom','age':2}", AGED("2"));
    assert_reads("{'age':1,'name':'Tim','age':'x','name':[],'age':3,'name':'Tom'}", AGED("3"));
    assert_reads("{'n\\u0061me':'Tom','\\u0061\\u0067\\u0065':4}", AGED("4"));
    assert_reads("{'name':'Tom','Age':1,'ag':1,'agee':1,'':1,'age\\u0000':1,'aga':1,'age':5}",
                 AGED("5"));
    char json[4096] = "{'age':1";
    for (int i = 0; i < 200; i++) {
        size_t used = strlen(json);
        snprintf(json + used, sizeof(json) - used, ",'k%d':[%d]", i, i);
    }
    strcat(json, ",'name':'Tom','age':6}");
    assert_reads(json, AGED("6"));
#undef AGED
}

static void test_json_fields__of_two_objects_the_members_add_up(void **state) {
    (void)state;
    assert_reads(
        "{'owner':{'name':'Ann'},'owner':{},'home':{'floor':1},'home':{'floor':2}}",
        "set name=,absent note=NULL key=NULL view= raw= age=0,absent sum=0 square=0 floor=2 "
        "owner=Ann,set colour=0");
}

static void test_json_fields__tells_a_document_that_is_no_object(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum presence presence;
    } rows[] = {
        {"null", PRESENCE_ABSENT},  {" null ", PRESENCE_ABSENT}, {"[]", PRESENCE_UNUSABLE},
        {"'a'", PRESENCE_UNUSABLE}, {"0", PRESENCE_UNUSABLE},    {"{}", PRESENCE_SET},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *text = quoted(rows[i].json);
        struct pet pet = {.name = ""};
        enum presence presence;
        struct error error;
        assert_true(json_read_document(text, strlen(text), &pet_fields, &pet, &presence, &error));
        assert_int_equal(presence, rows[i].presence);
    }
}

static void test_json_fields__leaves_faults_of_the_json_to_the_reader(void **state) {
    (void)state;
    static const struct {
        const char *json, *expected;
    } rows[] = {
        {"", "0: the input ends too early"},
        {"{'name':'Tom'", "13: the input ends too early"},
        {"{'name':'T", "10: the input ends inside a string"},
        {"{'name':Tom}", "8: a value is expected"},
        {"{'age':01}", "7: malformed number"},
        {"{'age' 1}", "7: a colon is expected"},
        {"{'counts':[1 2]}", "13: a comma or ']' is expected"},
        {"{'home':{'floor':1]}", "18: a comma or '}' is expected"},
        {"{} {}", "3: more follows the value"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_reads(rows[i].json, rows[i].expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_fields__reads_each_kind_of_row),
        cmocka_unit_test(test_json_fields__null_is_absent_and_empties_the_member),
        cmocka_unit_test(test_json_fields__an_empty_view_can_be_compared),
        cmocka_unit_test(test_json_fields__another_type_is_unusable),
        cmocka_unit_test(test_json_fields__has_limits),
        cmocka_unit_test(test_json_fields__decodes_base64),
        cmocka_unit_test(test_json_fields__reads_keys_in_any_order_and_form),
        cmocka_unit_test(test_json_fields__of_two_objects_the_members_add_up),
        cmocka_unit_test(test_json_fields__tells_a_document_that_is_no_object),
        cmocka_unit_test(test_json_fields__leaves_faults_of_the_json_to_the_reader),
    };
    return cmocka_run_group_tests_name("base/json_fields", tests, NULL, NULL);
}
