// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/admission/review.h"
#include "core/core_fixtures.h"

static bool decode(const char *text, struct review *ret_review, struct error *error) {
    AUTO_FREE char *json = make_json(text);
    return review_decode(json, strlen(json), ret_review, error);
}

static void decode_good(const char *text, struct review *ret_review) {
    struct error error;
    if (!decode(text, ret_review, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
}

/* A valid review, except for these members of its request. */
static void decode_request(const char *members, struct review *ret_review) {
    char text[4096];
    int size = snprintf(text, sizeof(text),
                        "{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1',"
                        "'request':{'uid':'u'%s}}",
                        members);
    assert_in_range(size, 1, sizeof(text) - 1);
    decode_good(text, ret_review);
}

#define DEPLOYMENT_NAMES                                                                           \
    "'kind':{'group':'apps','version':'v1','kind':'Deployment'},"                                  \
    "'resource':{'group':'apps','version':'v1','resource':'deployments'}"

/* A shortened review of kube-apiserver 1.36. */
static const char sample[] =
    "{\n 'kind': 'AdmissionReview',\n 'apiVersion': 'admission.k8s.io/v1',\n 'request': {\n"
    "  'uid': '0b624e0d-c13e-4a53-b4bd-1cdabb83f873',\n  " DEPLOYMENT_NAMES ",\n"
    "  'requestKind': {'group': 'apps', 'version': 'v1', 'kind': 'Deployment'},\n"
    "  'requestResource': {'group': 'apps', 'version': 'v1', 'resource': 'deployments'},\n"
    "  'name': 'github',\n  'namespace': 'default',\n  'operation': 'UPDATE',\n"
    "  'userInfo': {'username': 'system:serviceaccount:a:b', 'uid': 'x', 'groups': ['y']},\n"
    "  'object': {'kind': 'Deployment', 'apiVersion': 'apps/v1', 'metadata': {'name': 'github',"
    " 'namespace': 'default', 'uid': '67b9e8c2', 'managedFields': [{'fieldsV1': {'f:spec':"
    " {'f:replicas': {}}}}]}, 'spec': {'replicas': 3, 'template': {'spec': {'containers':"
    " [{'args': ['a\\'b\\u00e4\\ud83d\\ude00', -1.5e-3, true, null]}]}}}},\n"
    "  'oldObject': {'kind': 'Deployment', 'apiVersion': 'apps/v1', 'metadata': {'name': 'github'},"
    " 'spec': {'replicas': 1}},\n"
    "  'dryRun': false,\n  'options': {'kind': 'UpdateOptions', 'apiVersion': 'meta.k8s.io/v1'}\n"
    " }\n}\n";

static void check_sample(const struct review *review) {
    assert_string_equal(review->uid, "0b624e0d-c13e-4a53-b4bd-1cdabb83f873");
    assert_int_equal(review->kind, OBJECT_DEPLOYMENT);
    assert_string_equal(review->kind_text, "Deployment");
    assert_int_equal(review->operation, REVIEW_UPDATE);
    assert_string_equal(review->namespace, "default");
    assert_string_equal(review->name, "github");
    assert_string_equal(review->user, "system:serviceaccount:a:b");
    assert_true(review->has_object);
    assert_string_equal(review->object.uid, "67b9e8c2");
    assert_true(number_is(&review->object.replicas, 3));
    assert_true(review->has_old);
    assert_true(number_is(&review->old.replicas, 1));
}

static void test_review__is_read(void **state) {
    (void)state;
    struct review review;
    decode_good(sample, &review);
    check_sample(&review);
}

static void test_review__is_read_in_any_order(void **state) {
    (void)state;
    struct review review;
    decode_good("{'request':{'oldObject':{'spec':{'replicas':1}},'object':{'spec':{'replicas':3},"
                "'metadata':{'uid':'67b9e8c2','name':'other'},'apiVersion':'apps/v1',"
                "'kind':'Deployment'},'userInfo':{'username':'system:serviceaccount:a:b'},"
                "'operation':'UPDATE','namespace':'default','name':'github','resource':{"
                "'resource':'deployments','group':'apps'},'kind':{'kind':'Deployment',"
                "'group':'apps'},'uid':'0b624e0d-c13e-4a53-b4bd-1cdabb83f873'},"
                "'apiVersion':'admission.k8s.io/v1','kind':'AdmissionReview'}",
                &review);
    check_sample(&review);
}

static void test_review__refuses_every_truncation(void **state) {
    (void)state;
    AUTO_FREE char *json = make_json(sample);
    size_t size = strlen(json);
    for (size_t i = 0; i < size - 1; i++) {
        AUTO_FREE char *part = copy_exactly(json, i);
        struct review review;
        struct error error;
        if (review_decode(part, i, &review, &error)) {
            fail_msg("cut at %zu", i);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

/* Any changed byte gives an answer or an error, and never a read outside of the bytes. */
static void test_review__survives_every_spoiled_byte(void **state) {
    (void)state;
    static const char spoilers[] = {'\0', '"', '{', '}', ']', ',', '\\', '9', '\x80', '\xff'};
    AUTO_FREE char *json = make_json(sample);
    size_t size = strlen(json);
    for (size_t i = 0; i < size; i++) {
        for (size_t k = 0; k < COUNT_OF(spoilers); k++) {
            AUTO_FREE char *spoiled = copy_exactly(json, size);
            struct review review;
            struct error error = {.text = ""};
            spoiled[i] = spoilers[k];
            bool is_read = review_decode(spoiled, size, &review, &error);
            assert_true(is_read ? review.uid[0] != '\0' : error.text[0] != '\0');
        }
    }
}

#define V1 "'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1'"

#define NO_REVIEW  "not an AdmissionReview of admission.k8s.io/v1"
#define NO_REQUEST "the AdmissionReview has no request"
#define NO_UID     "request.uid is missing, empty, no string or longer than 256 bytes"

static const struct {
    const char *text;
    const char *expected;
} refused[] = {
    {"", "the input ends too early"},
    {" \n", "the input ends too early"},
    {"hello", "a value is expected"},
    {"<html>", "a value is expected"},
    {"{" V1 ",'request':{'uid':'u'}} x", "more follows the value"},
    {"{" V1 ",'request':{'uid':'u'}}{}", "more follows the value"},
    {"\xef\xbb\xbf{" V1 ",'request':{'uid':'u'}}", "a value is expected"},
    {"null", NO_REVIEW},
    {"[]", NO_REVIEW},
    {"7", NO_REVIEW},
    {"'AdmissionReview'", NO_REVIEW},
    {"{}", NO_REVIEW},
    {"{'request':{'uid':'u'}}", NO_REVIEW},
    {"{'kind':'AdmissionReview','request':{'uid':'u'}}", NO_REVIEW},
    {"{'apiVersion':'admission.k8s.io/v1','request':{'uid':'u'}}", NO_REVIEW},
    {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v1beta1','request':{'uid':'u'}}",
     NO_REVIEW},
    {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/v2','request':{'uid':'u'}}",
     NO_REVIEW},
    {"{'kind':'AdmissionReview','apiVersion':'admission.k8s.io/V1','request':{'uid':'u'}}",
     NO_REVIEW},
    {"{'kind':'AdmissionReview','apiVersion':1,'request':{'uid':'u'}}", NO_REVIEW},
    {"{'kind':'admissionreview','apiVersion':'admission.k8s.io/v1','request':{'uid':'u'}}",
     NO_REVIEW},
    {"{'kind':'ConversionReview','apiVersion':'admission.k8s.io/v1','request':{'uid':'u'}}",
     NO_REVIEW},
    {"{'Kind':'AdmissionReview','ApiVersion':'admission.k8s.io/v1','request':{'uid':'u'}}",
     NO_REVIEW},
    {"{" V1 ",'kind':'ConversionReview','request':{'uid':'u'}}", NO_REVIEW},
    {"{" V1 "}", NO_REQUEST},
    {"{" V1 ",'request':null}", NO_REQUEST},
    {"{" V1 ",'request':7}", NO_REQUEST},
    {"{" V1 ",'request':'u'}", NO_REQUEST},
    {"{" V1 ",'request':[{'uid':'u'}]}", NO_REQUEST},
    {"{" V1 ",'Request':{'uid':'u'}}", NO_REQUEST},
    {"{" V1 ",'response':{'uid':'u'}}", NO_REQUEST},
    {"{" V1 ",'request':{'uid':'u'},'request':null}", NO_REQUEST},
    {"{" V1 ",'request':{}}", NO_UID},
    {"{" V1 ",'request':{'uid':''}}", NO_UID},
    {"{" V1 ",'request':{'uid':null}}", NO_UID},
    {"{" V1 ",'request':{'uid':7}}", NO_UID},
    {"{" V1 ",'request':{'uid':['u']}}", NO_UID},
    {"{" V1 ",'request':{'uid':'a\\u0000b'}}", NO_UID},
    {"{" V1 ",'request':{'UID':'u'}}", NO_UID},
    {"{" V1 ",'request':{'object':{'uid':'u'}}}", NO_UID},
    {"{" V1 ",'request':{'uid':'u','uid':7}}", NO_UID},
    {"{" V1 ",'request':{'uid':'u\xff'}}", ""},
    {"{" V1 ",'request':{'uid':'u','name':'\xed\xa0\x80'}}", ""},
    {"{" V1 ",'request':{'uid':'u','object':{'a':'\xc0\xaf'}}}", ""},
    {"{" V1 ",'request':{'uid':'u','object':{'a':'\n'}}}", ""},
    {"{" V1 ",'request':{'uid':'u','object':{'a':'\\ud800'}}}", ""},
};

static void test_review__refuses_what_it_cannot_answer(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct review review;
        struct error error;
        bool is_read = decode(refused[i].text, &review, &error);
        if (is_read || error.kind != ERROR_INVALID ||
            strncmp(error.text, refused[i].expected, strlen(refused[i].expected)) != 0) {
            fail_msg("%s: %s", refused[i].text, is_read ? "is read" : error.text);
        }
    }
}

static void test_review__takes_a_uid_of_256_bytes_and_no_more(void **state) {
    (void)state;
    for (size_t size = 255; size <= 257; size++) {
        char uid[258];
        char text[512];
        struct review review;
        struct error error;
        snprintf(text, sizeof(text), "{" V1 ",'request':{'uid':'%s'}}", fill(uid, size));
        assert_int_equal(decode(text, &review, &error), size <= 256);
        assert_string_equal(review.uid, size <= 256 ? uid : "");
    }
}

static void test_review__the_last_of_two_equal_keys_counts(void **state) {
    (void)state;
    struct review review;
    decode_request(",'uid':'v','operation':'CREATE','operation':'UPDATE','object':{'spec':{"
                   "'replicas':1},'metadata':{'name':'a'}},'object':{'spec':{'replicas':2}},"
                   "'oldObject':{},'oldObject':null,'name':'x','name':'y'",
                   &review);
    assert_string_equal(review.uid, "v");
    assert_int_equal(review.operation, REVIEW_UPDATE);
    assert_true(number_is(&review.object.replicas, 2));
    assert_string_equal(review.object.name, "");
    assert_string_equal(review.name, "y");
    assert_false(review.has_old);
}

/* `depth` levels of arrays below the request's object. */
static char *make_deep(size_t depth) {
    static const char before[] = "{" V1 ",'request':{'uid':'u','object':";
    size_t used = strlen(before);
    char *text = memory_new(used + 2 * depth + 3, 1);
    memcpy(text, before, used);
    memset(text + used, '[', depth);
    memset(text + used + depth, ']', depth);
    memcpy(text + used + 2 * depth, "}}", 2);
    return text;
}

static void test_review__reads_nesting_up_to_the_limit(void **state) {
    (void)state;
    static const size_t depths[] = {9900, JSON_DEPTH_MAX - 2, JSON_DEPTH_MAX - 1, 100000};
    for (size_t i = 0; i < COUNT_OF(depths); i++) {
        AUTO_FREE char *text = make_deep(depths[i]);
        struct review review;
        struct error error;
        bool is_read = decode(text, &review, &error);
        assert_int_equal(is_read, depths[i] + 2 <= JSON_DEPTH_MAX);
        assert_true(is_read || error.kind == ERROR_TOO_LARGE);
    }
}

static void test_review__its_kind_is_told_by_group_kind_and_subresource(void **state) {
    (void)state;
    static const struct {
        const char *members;
        enum object_kind expected;
    } rows[] = {
        {DEPLOYMENT_NAMES, OBJECT_DEPLOYMENT},
        {DEPLOYMENT_NAMES ",'subResource':''", OBJECT_DEPLOYMENT},
        {DEPLOYMENT_NAMES ",'subResource':null", OBJECT_DEPLOYMENT},
        {DEPLOYMENT_NAMES ",'subResource':'status'", OBJECT_OTHER},
        {DEPLOYMENT_NAMES ",'subResource':'scale'", OBJECT_OTHER},
        {"'kind':{'group':'apps','version':'v9','kind':'Deployment'}", OBJECT_DEPLOYMENT},
        {"'kind':{'group':'extensions','kind':'Deployment'}", OBJECT_OTHER},
        {"'kind':{'kind':'Deployment'}", OBJECT_OTHER},
        {"'kind':'Deployment'", OBJECT_OTHER},
        {"'kind':null", OBJECT_OTHER},
        {"'requestKind':{'group':'apps','kind':'Deployment'}", OBJECT_OTHER},
        {"'object':{'apiVersion':'apps/v1','kind':'Deployment'}", OBJECT_OTHER},
        {"'kind':{'group':'apps','kind':'StatefulSet'}", OBJECT_OTHER},
        {"'kind':{'group':'','kind':'Pod'}", OBJECT_OTHER},
        {"'kind':{'group':'toolhive.stacklok.dev','kind':'MCPServer'}", OBJECT_MCPSERVER},
        {"'kind':{'group':'toolhive.stacklok.dev','kind':'MCPServer'},'subResource':'status'",
         OBJECT_OTHER},
        {"'kind':{'group':'autoscaling','kind':'Scale'},'resource':{'group':'apps',"
         "'resource':'deployments'},'subResource':'scale'",
         OBJECT_SCALE},
        {"'subResource':'scale','resource':{'resource':'deployments','group':'apps'},"
         "'kind':{'kind':'Scale','group':'autoscaling'}",
         OBJECT_SCALE},
        {"'kind':{'group':'autoscaling','kind':'Scale'},'resource':{'group':'apps',"
         "'resource':'statefulsets'},'subResource':'scale'",
         OBJECT_OTHER},
        {"'kind':{'group':'autoscaling','kind':'Scale'},'resource':{"
         "'group':'toolhive.stacklok.dev','resource':'mcpservers'},'subResource':'scale'",
         OBJECT_OTHER},
        {"'kind':{'group':'autoscaling','kind':'Scale'},'subResource':'scale'", OBJECT_OTHER},
        {"'kind':{'group':'autoscaling','kind':'Scale'},'resource':{'group':'apps',"
         "'resource':'deployments'}",
         OBJECT_OTHER},
        {"'x':1", OBJECT_OTHER},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[512];
        struct review review;
        snprintf(members, sizeof(members), ",%s", rows[i].members);
        decode_request(members, &review);
        if (review.kind != rows[i].expected) {
            fail_msg("%s", rows[i].members);
        }
    }
}

static void test_review__operations_other_than_create_and_update_are_other(void **state) {
    (void)state;
    static const struct {
        const char *value;
        enum review_operation expected;
    } rows[] = {
        {"'CREATE'", REVIEW_CREATE},  {"'UPDATE'", REVIEW_UPDATE}, {"'DELETE'", REVIEW_OTHER},
        {"'CONNECT'", REVIEW_OTHER},  {"'create'", REVIEW_OTHER},  {"'*'", REVIEW_OTHER},
        {"''", REVIEW_OTHER},         {"null", REVIEW_OTHER},      {"7", REVIEW_OTHER},
        {"['CREATE']", REVIEW_OTHER},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[64];
        struct review review;
        snprintf(members, sizeof(members), ",'operation':%s", rows[i].value);
        decode_request(members, &review);
        assert_int_equal(review.operation, rows[i].expected);
    }
    struct review review;
    decode_request("", &review);
    assert_int_equal(review.operation, REVIEW_OTHER);
}

static void test_review__an_object_that_is_none_reads_as_absent(void **state) {
    (void)state;
    static const char *const values[] = {"null", "7", "'x'", "true", "[]", "[{}]"};
    struct review review;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char members[64];
        snprintf(members, sizeof(members), ",'object':%s,'oldObject':%s", values[i], values[i]);
        decode_request(members, &review);
        assert_false(review.has_object);
        assert_false(review.has_old);
    }
    decode_request("", &review);
    assert_false(review.has_object);
    assert_false(review.has_old);
    decode_request(",'object':{},'oldObject':{}", &review);
    assert_true(review.has_object);
    assert_true(review.has_old);
}

static void test_review__names_come_from_the_request_or_else_from_the_object(void **state) {
    (void)state;
    static const struct {
        const char *members;
        const char *namespace;
        const char *name;
    } rows[] = {
        {"'name':'a','namespace':'n'", "n", "a"},
        {"'name':'a','namespace':'n','object':{'metadata':{'name':'b','namespace':'m'}}", "n", "a"},
        {"'object':{'metadata':{'name':'b','namespace':'m'}},'name':'a'", "m", "a"},
        {"'object':{'metadata':{'name':'b','namespace':'m'}},'name':''", "m", "b"},
        {"'name':'a','object':{'metadata':{'generateName':'b-'}}", "", "a"},
        {"'object':{'metadata':{'generateName':'b-'}},'namespace':'n'", "n", ""},
        {"'name':7,'namespace':null,'object':{}", "", ""},
        {"'name':7,'namespace':7,'object':{'metadata':{'name':'b','namespace':'m'}}", "", ""},
        {"'oldObject':{'metadata':{'name':'b','namespace':'m'}}", "", ""},
        {"'name':'\\u202ea\\nb'", "",
         "\xe2\x80\xae"
         "a\nb"},
        {"'name':'a\\u0000b'", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[256];
        struct review review;
        snprintf(members, sizeof(members), ",%s", rows[i].members);
        decode_request(members, &review);
        if (strcmp(review.namespace, rows[i].namespace) != 0 ||
            strcmp(review.name, rows[i].name) != 0) {
            fail_msg("%s: %s/%s", rows[i].members, review.namespace, review.name);
        }
    }
}

static void test_review__a_user_that_does_not_fit_is_empty(void **state) {
    (void)state;
    for (size_t size = 511; size <= 512; size++) {
        char user[513];
        char members[600];
        struct review review;
        snprintf(members, sizeof(members), ",'userInfo':{'groups':['a'],'username':'%s'}",
                 fill(user, size));
        decode_request(members, &review);
        assert_string_equal(review.user, size == 511 ? user : "");
    }
    static const char *const rows[] = {"null",           "'admin'", "{}",
                                       "{'username':7}", "[]",      "{'Username':'admin'}"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char members[64];
        struct review review;
        snprintf(members, sizeof(members), ",'userInfo':%s", rows[i]);
        decode_request(members, &review);
        assert_string_equal(review.user, "");
    }
}

static void test_review__wrong_counts_are_read_and_marked(void **state) {
    (void)state;
    static const char *const values[] = {"-1", "1.5", "'2'", "true", "[]", "{}", "2147483648"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char members[64];
        struct review review;
        snprintf(members, sizeof(members), ",'object':{'spec':{'replicas':%s}}", values[i]);
        decode_request(members, &review);
        assert_true(review.has_object);
        assert_int_equal(review.object.replicas.state, PRESENCE_UNUSABLE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_review__is_read),
        cmocka_unit_test(test_review__is_read_in_any_order),
        cmocka_unit_test(test_review__refuses_every_truncation),
        cmocka_unit_test(test_review__survives_every_spoiled_byte),
        cmocka_unit_test(test_review__refuses_what_it_cannot_answer),
        cmocka_unit_test(test_review__takes_a_uid_of_256_bytes_and_no_more),
        cmocka_unit_test(test_review__the_last_of_two_equal_keys_counts),
        cmocka_unit_test(test_review__reads_nesting_up_to_the_limit),
        cmocka_unit_test(test_review__its_kind_is_told_by_group_kind_and_subresource),
        cmocka_unit_test(test_review__operations_other_than_create_and_update_are_other),
        cmocka_unit_test(test_review__an_object_that_is_none_reads_as_absent),
        cmocka_unit_test(test_review__names_come_from_the_request_or_else_from_the_object),
        cmocka_unit_test(test_review__a_user_that_does_not_fit_is_empty),
        cmocka_unit_test(test_review__wrong_counts_are_read_and_marked),
    };
    return cmocka_run_group_tests_name("core/review", tests, NULL, NULL);
}
