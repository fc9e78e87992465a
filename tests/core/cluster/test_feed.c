// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "core/cluster/feed.h"
#include "core/core_fixtures.h"

static const char *const kinds[] = {
    [OBJECT_OTHER] = "other",
    [OBJECT_MCPSERVER] = "mcpserver",
    [OBJECT_DEPLOYMENT] = "deployment",
    [OBJECT_SCALE] = "scale",
};

/* Adds each visited object as "mcpserver n/a@7 ". */
static void note(void *context, const struct object *object) {
    buffer_add_format(context, "%s %s/%s@%s ", kinds[object->kind], object->namespace, object->name,
                      object->resource_version);
}

static bool read_page(const char *text, enum object_kind kind, struct buffer *out,
                      struct feed_page *page, struct error *error) {
    AUTO_FREE char *json = make_json(text);
    AUTO_FREE char *bytes = copy_exactly(json, strlen(json));
    buffer_init(out, 65536);
    return feed_read_page(bytes, strlen(json), kind, note, out, page, error);
}

#define ITEM(name) "{'metadata':{'name':'" name "','namespace':'n','resourceVersion':'7'}}"

static void test_feed__a_page_has_items_and_metadata_in_any_order(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum object_kind kind;
        const char *expected;
        const char *version;
        const char *token;
    } rows[] = {
        {"{'kind':'DeploymentList','apiVersion':'apps/v1','metadata':{'resourceVersion':'9',"
         "'continue':'abc','remainingItemCount':5},'items':[" ITEM("a") "," ITEM("b") "]}",
         OBJECT_DEPLOYMENT, "deployment n/a@7 deployment n/b@7 ", "9", "abc"},
        {"{'apiVersion':'toolhive.stacklok.dev/v1beta1','items':[{'apiVersion':"
         "'toolhive.stacklok.dev/v1beta1','kind':'MCPServer','metadata':{'name':'a',"
         "'namespace':'n','resourceVersion':'7'}}],'kind':'MCPServerList',"
         "'metadata':{'continue':'','resourceVersion':'9'}}",
         OBJECT_MCPSERVER, "mcpserver n/a@7 ", "9", ""},
        /* The kind is the requested one, even if an item says another. */
        {"{'items':[{'kind':'Pod','metadata':{'name':'a','namespace':'n'}}],'metadata':"
         "{'resourceVersion':'9','continue':null}}",
         OBJECT_MCPSERVER, "mcpserver n/a@ ", "9", ""},
        {"{'metadata':{'resourceVersion':'opaque/+='},'items':[]}", OBJECT_MCPSERVER, "",
         "opaque/+=", ""},
        {"{'metadata':{'resourceVersion':'9'},'items':null}", OBJECT_MCPSERVER, "", "9", ""},
        {"{'metadata':{'resourceVersion':'9','continue':'a\\u002fb'},'items':[null,7,[],{}]}",
         OBJECT_MCPSERVER, "", "9", "a/b"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct feed_page page;
        struct error error;
        if (!read_page(rows[i].json, rows[i].kind, &out, &page, &error)) {
            fail_msg("%s: %s", rows[i].json, error.text);
        }
        assert_string_equal(buffer_text(&out), rows[i].expected);
        assert_string_equal(page.resource_version, rows[i].version);
        assert_string_equal(page.continue_token, rows[i].token);
    }
}

static void test_feed__items_without_a_name_or_namespace_are_passed_over(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    struct feed_page page;
    struct error error;
    assert_true(read_page("{'items':[{'metadata':{'name':'a'}},{'metadata':{'namespace':'n'}},{},"
                          "{'metadata':null},{'metadata':{'name':7,'namespace':'n'}},'x'," ITEM(
                              "b") "],'metadata':{'resourceVersion':'9'}}",
                          OBJECT_MCPSERVER, &out, &page, &error));
    assert_string_equal(buffer_text(&out), "mcpserver n/b@7 ");
}

static void test_feed__refuses_a_page_that_is_no_list(void **state) {
    (void)state;
    static const struct {
        const char *json;
        const char *expected;
    } rows[] = {
        {"7", "not a list: it has no items"},
        {"[]", "not a list: it has no items"},
        {"null", "not a list: it has no items"},
        {"{}", "not a list: it has no items"},
        {"{'metadata':{'resourceVersion':'9'}}", "not a list: it has no items"},
        {"{'items':{},'metadata':{'resourceVersion':'9'}}", "not a list: it has no items"},
        {"{'items':'x','metadata':{'resourceVersion':'9'}}", "not a list: it has no items"},
        {"{'items':[]}", "not a list: it has no metadata.resourceVersion"},
        {"{'items':[],'metadata':null}", "not a list: it has no metadata.resourceVersion"},
        {"{'items':[],'metadata':'9'}", "not a list: it has no metadata.resourceVersion"},
        {"{'items':[],'metadata':{'resourceVersion':''}}",
         "not a list: it has no metadata.resourceVersion"},
        {"{'items':[],'metadata':{'resourceVersion':9}}",
         "not a list: it has no metadata.resourceVersion"},
        {"{'items':[],'resourceVersion':'9'}", "not a list: it has no metadata.resourceVersion"},
        {"{'items':[],'metadata':{'resourceVersion':'9','continue':7}}",
         "metadata.continue is not a text"},
        {"{'items':[],'metadata':{'resourceVersion':'9','continue':['x']}}",
         "metadata.continue is not a text"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        struct feed_page page;
        struct error error;
        if (read_page(rows[i].json, OBJECT_MCPSERVER, &out, &page, &error)) {
            fail_msg("%s was read", rows[i].json);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
        assert_string_equal(error.text, rows[i].expected);
    }
}

static void test_feed__refuses_every_truncation_of_a_page(void **state) {
    (void)state;
    AUTO_FREE char *json = make_json("{'items':[" ITEM("a") ",null],'metadata':"
                                                            "{'resourceVersion':'9'}}");
    size_t size = strlen(json);
    for (size_t i = 0; i < size; i++) {
        AUTO(buffer_fini) struct buffer out;
        AUTO_FREE char *part = copy_exactly(json, i);
        struct feed_page page;
        struct error error;
        buffer_init(&out, 65536);
        if (feed_read_page(part, i, OBJECT_MCPSERVER, note, &out, &page, &error)) {
            fail_msg("cut at %zu", i);
        }
        assert_in_range(error.offset, 0, i);
    }
}

static void test_feed__tokens_and_versions_are_taken_up_to_their_sizes(void **state) {
    (void)state;
    static const struct {
        size_t version_size, token_size;
        bool is_read;
        enum error_kind kind;
    } rows[] = {
        {FEED_VERSION_SIZE - 1, FEED_CONTINUE_SIZE - 1, true, 0},
        {FEED_VERSION_SIZE, FEED_CONTINUE_SIZE - 1, false, ERROR_INVALID},
        {FEED_VERSION_SIZE - 1, FEED_CONTINUE_SIZE, false, ERROR_TOO_LARGE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(buffer_fini) struct buffer out;
        char version[FEED_VERSION_SIZE + 1];
        char token[FEED_CONTINUE_SIZE + 1];
        char json[4096];
        struct feed_page page;
        struct error error;
        snprintf(json, sizeof(json),
                 "{'metadata':{'continue':'%s','resourceVersion':'%s'},'items':[]}",
                 fill(token, rows[i].token_size), fill(version, rows[i].version_size));
        assert_int_equal(read_page(json, OBJECT_MCPSERVER, &out, &page, &error), rows[i].is_read);
        if (rows[i].is_read) {
            assert_string_equal(page.resource_version, version);
            assert_string_equal(page.continue_token, token);
        } else {
            assert_int_equal(error.kind, rows[i].kind);
        }
    }
}

static bool read_event(const char *text, struct feed_event *event, struct error *error) {
    AUTO_FREE char *json = make_json(text);
    AUTO_FREE char *bytes = copy_exactly(json, strlen(json));
    return feed_read_event(bytes, strlen(json), OBJECT_DEPLOYMENT, event, error);
}

static void read_event_that_is_sound(const char *text, struct feed_event *event) {
    struct error error;
    if (!read_event(text, event, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
}

static void test_feed__an_event_has_type_and_object_in_any_order(void **state) {
    (void)state;
    static const struct {
        const char *json;
        enum feed_event_type type;
        const char *version;
    } rows[] = {
        {"{'type':'ADDED','object':" ITEM("a") "}", FEED_UPSERT, "7"},
        {"{'type':'MODIFIED','object':" ITEM("a") "}", FEED_UPSERT, "7"},
        {"{'object':" ITEM("a") ",'type':'MODIFIED'}", FEED_UPSERT, "7"},
        {"{'type':'DELETED','object':" ITEM("a") "}", FEED_DELETED, "7"},
        {" { 'object' : " ITEM("a") " , 'more' : [ ] , 'type' : 'DELETED' } ", FEED_DELETED, "7"},
        {"{'type':'ADD\\u0045D','object':" ITEM("a") "}", FEED_UPSERT, "7"},
        {"{'type':'BOOKMARK','object':{'kind':'Deployment','apiVersion':'apps/v1','metadata':"
         "{'resourceVersion':'1161'}}}",
         FEED_BOOKMARK, "1161"},
        {"{'object':{'metadata':{'resourceVersion':'1161'}},'type':'BOOKMARK'}", FEED_BOOKMARK,
         "1161"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct feed_event event;
        read_event_that_is_sound(rows[i].json, &event);
        assert_int_equal(event.type, rows[i].type);
        assert_string_equal(event.resource_version, rows[i].version);
        if (rows[i].type != FEED_BOOKMARK) {
            assert_int_equal(event.object.kind, OBJECT_DEPLOYMENT);
            assert_string_equal(event.object.name, "a");
            assert_string_equal(event.object.namespace, "n");
        }
    }
}

static void test_feed__an_error_has_the_code_and_message_of_its_status(void **state) {
    (void)state;
    static const struct {
        const char *json;
        int64_t code;
        const char *message;
    } rows[] = {
        {"{'type':'ERROR','object':{'kind':'Status','apiVersion':'v1','metadata':{},'status':"
         "'Failure','message':'too old resource version: 1 (271)','reason':'Expired','code':410}}",
         410, "too old resource version: 1 (271)"},
        {"{'object':{'code':500,'message':'x'},'type':'ERROR'}", 500, "x"},
        {"{'type':'ERROR','object':{'code':'410','message':7}}", 0, ""},
        {"{'type':'ERROR','object':{'code':410,'code':null}}", 0, ""},
        {"{'type':'ERROR','object':{}}", 0, ""},
        {"{'type':'ERROR','object':null}", 0, ""},
        {"{'type':'ERROR'}", 0, ""},
        {"{'type':'ERROR','object':{'code':1,'message':'a\\u0000b'}}", 1, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct feed_event event;
        read_event_that_is_sound(rows[i].json, &event);
        assert_int_equal(event.type, FEED_ERROR);
        assert_int_equal(event.code, rows[i].code);
        assert_string_equal(event.message, rows[i].message);
        assert_string_equal(event.resource_version, "");
    }
}

static void test_feed__a_long_message_is_cut_between_characters(void **state) {
    (void)state;
    static const struct {
        size_t n_plain;
        const char *tail;
        size_t expected; /* bytes */
    } rows[] = {
        {159, "", 159},
        {159, "y", 159},
        {160, "", 159},
        {157, "\xC3\xA4", 159},
        {158, "\xC3\xA4", 158},
        {155, "\xF0\x9F\x98\x80", 159},
        {156, "\xF0\x9F\x98\x80", 156},
        {158, "\xF0\x9F\x98\x80", 158},
        {156, "\\ud83d\\ude00", 156},
        {158, "\\n", 159},
        {158, "\\n\\n", 159},
        {5000, "", 159},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char plain[5001];
        char json[5200];
        struct feed_event event;
        snprintf(json, sizeof(json), "{'type':'ERROR','object':{'message':'%s%s'}}",
                 fill(plain, rows[i].n_plain), rows[i].tail);
        read_event_that_is_sound(json, &event);
        if (strlen(event.message) != rows[i].expected) {
            fail_msg("row %zu: %zu bytes", i, strlen(event.message));
        }
        assert_memory_equal(event.message, plain,
                            rows[i].n_plain < 159 ? rows[i].n_plain : (size_t)159);
    }
}

static void test_feed__what_cannot_be_used_is_unknown_and_no_failure(void **state) {
    (void)state;
    static const char *const rows[] = {
        "{'type':'ADDED','object':null}",
        "{'type':'ADDED'}",
        "{'type':'ADDED','object':7}",
        "{'type':'ADDED','object':[]}",
        "{'type':'DELETED','object':{}}",
        "{'type':'MODIFIED','object':{'metadata':{'name':'a','resourceVersion':'7'}}}",
        "{'type':'MODIFIED','object':{'metadata':{'namespace':'n','resourceVersion':'7'}}}",
        "{'type':'MODIFIED','object':{'metadata':{'name':'a','namespace':'n'}}}",
        "{'type':'BOOKMARK','object':{'metadata':{}}}",
        "{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':''}}}",
        "{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':7}}}",
        "{'type':'BOOKMARK','object':{}}",
        "{'type':'BOOKMARK','object':null}",
        "{'type':'BOOKMARK'}",
        "{'type':'added','object':" ITEM("a") "}",
        "{'type':'SYNC','object':" ITEM("a") "}",
        "{'type':null,'object':" ITEM("a") "}",
        "{'Type':'ADDED','object':" ITEM("a") "}",
        "{'object':" ITEM("a") "}",
        "{}",
        "null",
        "7",
        "[{'type':'ADDED'}]",
        "'ADDED'",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct feed_event event;
        read_event_that_is_sound(rows[i], &event);
        if (event.type != FEED_UNKNOWN) {
            fail_msg("%s: %d", rows[i], event.type);
        }
        assert_string_equal(event.resource_version, "");
        assert_string_equal(event.object.name, "");
    }
}

static void test_feed__refuses_a_line_that_is_not_json(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "x",
        "404 page not found",
        "{'type':'ADDED','object':" ITEM("a") "}}",
        "{'type':'ADDED','object':" ITEM("a") "} {}",
        "{'type':'ADDED','object':{'metadata':{'name':'\xFF'}}}",
        "{'type':'ADDED','object':{'deep':[01]}}",
        "{'type':'HUH','object':{]}}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct feed_event event;
        struct error error;
        if (read_event(rows[i], &event, &error)) {
            fail_msg("%s was read", rows[i]);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

static void test_feed__refuses_every_truncation_of_a_line(void **state) {
    (void)state;
    AUTO_FREE char *json = make_json("{'type':'ADDED','object':" ITEM("\\u00e4") "}");
    size_t size = strlen(json);
    for (size_t i = 0; i < size; i++) {
        AUTO_FREE char *part = copy_exactly(json, i);
        struct feed_event event;
        struct error error;
        if (feed_read_event(part, i, OBJECT_MCPSERVER, &event, &error)) {
            fail_msg("cut at %zu", i);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed__a_page_has_items_and_metadata_in_any_order),
        cmocka_unit_test(test_feed__items_without_a_name_or_namespace_are_passed_over),
        cmocka_unit_test(test_feed__refuses_a_page_that_is_no_list),
        cmocka_unit_test(test_feed__refuses_every_truncation_of_a_page),
        cmocka_unit_test(test_feed__tokens_and_versions_are_taken_up_to_their_sizes),
        cmocka_unit_test(test_feed__an_event_has_type_and_object_in_any_order),
        cmocka_unit_test(test_feed__an_error_has_the_code_and_message_of_its_status),
        cmocka_unit_test(test_feed__a_long_message_is_cut_between_characters),
        cmocka_unit_test(test_feed__what_cannot_be_used_is_unknown_and_no_failure),
        cmocka_unit_test(test_feed__refuses_a_line_that_is_not_json),
        cmocka_unit_test(test_feed__refuses_every_truncation_of_a_line),
    };
    return cmocka_run_group_tests_name("core/feed", tests, NULL, NULL);
}
