// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "core/cluster/event.h"
#include "core/core_fixtures.h"

static const struct event plain = {
    .namespace = "app",
    .name = "github",
    .uid = "5d3c",
    .api_version = "toolhive.stacklok.dev/v1beta1",
    .kind = "MCPServer",
    .type = "Normal",
    .reason = "ReplicasCapped",
    .action = "Scale",
    .note = "live replicas 3 -> 1",
    .instance = "capstan-1_7c9e",
    .wall_us = INT64_C(1795341600123456),
    .random = 0x2a,
};

/* The Event as JSON. Free with cJSON_Delete(). */
static cJSON *write_event(const struct event *event) {
    AUTO(buffer_fini) struct buffer out;
    buffer_init(&out, 65536);
    event_write(event, &out);
    assert_false(out.is_cut);
    cJSON *json = cJSON_Parse(buffer_text(&out));
    assert_non_null(json);
    return json;
}

static const char *text_at(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    assert_non_null(text);
    return text;
}

static void test_event__is_written_as_events_v1(void **state) {
    (void)state;
    AUTO(buffer_fini) struct buffer out;
    AUTO_FREE char *expected = make_json(
        "{'apiVersion':'events.k8s.io/v1','kind':'Event',"
        "'metadata':{'name':'github.660da8a536a400000002a','namespace':'app'},"
        "'eventTime':'2026-11-22T10:00:00.123456Z','reportingController':'capstan.dev/capstan',"
        "'reportingInstance':'capstan-1_7c9e','action':'Scale','reason':'ReplicasCapped',"
        "'regarding':{'apiVersion':'toolhive.stacklok.dev/v1beta1','kind':'MCPServer',"
        "'namespace':'app','name':'github','uid':'5d3c'},"
        "'note':'live replicas 3 -> 1','type':'Normal'}");
    buffer_init(&out, 4096);
    event_write(&plain, &out);
    assert_string_equal(buffer_text(&out), expected);
}

/* The name of the Event is valid for every valid name of the object. */
static void test_event__its_name_is_always_valid(void **state) {
    (void)state;
    enum { NAME_MAX_SIZE = 253 };
    static const char *const ends[] = {"x", "-x", ".x", "--x", "-.x", "xx-xx.x"};
    for (size_t size = 1; size <= NAME_MAX_SIZE; size++) {
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
            /* The dots and dashes come to each place of the cut, one after the other. */
            char name[NAME_MAX_SIZE + 1];
            fill(name, size);
            for (size_t at = 1; at + strlen(ends[i]) < size; at += strlen(ends[i])) {
                memcpy(name + at, ends[i], strlen(ends[i]));
            }
            struct event event = plain;
            event.name = name;
            event.random = UINT32_MAX;
            event.wall_us = i % 2 == 0 ? INT64_MAX : INT64_C(-1);
            if (!text_is_dns_subdomain(name)) {
                continue;
            }
            cJSON *json = write_event(&event);
            const char *written = text_at(cJSON_GetObjectItem(json, "metadata"), "name");
            if (!text_is_dns_subdomain(written)) {
                fail_msg("'%s' for '%s'", written, name);
            }
            assert_string_equal(text_at(cJSON_GetObjectItem(json, "regarding"), "name"), name);
            cJSON_Delete(json);
        }
    }
}

static void test_event__a_long_name_is_cut_no_more_than_it_must(void **state) {
    (void)state;
    enum { SUFFIX = 22 }; /* a dot, 13 digits of this century's times, 8 of the random part */
    static const size_t sizes[] = {253 - SUFFIX - 1, 253 - SUFFIX, 253 - SUFFIX + 1, 253};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char name[OBJECT_NAME_SIZE];
        struct event event = plain;
        event.name = fill(name, sizes[i]);
        cJSON *json = write_event(&event);
        const char *written = text_at(cJSON_GetObjectItem(json, "metadata"), "name");
        size_t kept = sizes[i] < 253 - SUFFIX ? sizes[i] : 253 - SUFFIX;
        assert_int_equal(strlen(written), kept + SUFFIX);
        assert_int_equal(strspn(written, "x"), kept);
        cJSON_Delete(json);
    }
}

static void test_event__names_differ_by_time_and_chance(void **state) {
    (void)state;
    struct event events[] = {plain, plain, plain, plain};
    events[1].random++;
    events[2].wall_us++;
    events[3].random = UINT32_MAX;
    cJSON *jsons[COUNT_OF(events)];
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        jsons[i] = write_event(&events[i]);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(text_at(cJSON_GetObjectItem(jsons[i], "metadata"), "name"),
                                    text_at(cJSON_GetObjectItem(jsons[k], "metadata"), "name"));
        }
    }
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        cJSON_Delete(jsons[i]);
    }
}

/* Two replicas that post about one occasion give it one name, whatever their clocks and chance. */
static void test_event__one_occasion_has_one_name(void **state) {
    (void)state;
    struct event events[] = {plain, plain, plain};
    events[0].once = events[1].once = 7;
    events[1].wall_us++;
    events[1].random++;
    events[2].once = 8;
    cJSON *jsons[COUNT_OF(events)];
    const char *names[COUNT_OF(events)];
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        jsons[i] = write_event(&events[i]);
        names[i] = text_at(cJSON_GetObjectItem(jsons[i], "metadata"), "name");
    }
    assert_string_equal(names[0], "github.0000000000000007");
    assert_string_equal(names[0], names[1]);
    assert_string_not_equal(names[0], names[2]);
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        cJSON_Delete(jsons[i]);
    }
}

/* The text has `n_fill` plain bytes and the ending. Up to the limit it stays unchanged, past it it
   is cut. */
static void test_event__long_texts_are_cut_at_a_characters_end(void **state) {
    (void)state;
    static const struct {
        int under_max; /* the number of plain bytes below the limit */
        const char *ending;
        const char *kept; /* of the ending */
    } rows[] = {
        {0, "", ""},
        {0, "y", ""},
        {1, "y", "y"},
        {1, "yz", "y"},
        {1, "\xc3\xa9", ""},
        {2, "\xc3\xa9", "\xc3\xa9"},
        {2, "\xc3\xa9z", "\xc3\xa9"},
        {2, "\xe2\x82\xac", ""},
        {3, "\xe2\x82\xac", "\xe2\x82\xac"},
        {1, "\xf0\x9f\x98\x80", ""},
        {3, "\xf0\x9f\x98\x80", ""},
        {4, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {0, "\xf0\x9f\x98\x80", ""},
    };
    static const struct {
        const char *key;
        int max;
    } texts[] = {{"note", 1024}, {"reportingInstance", 128}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t k = 0; k < COUNT_OF(texts); k++) {
            char text[1100];
            char expected[1100];
            struct event event = plain;
            int n_fill = texts[k].max - rows[i].under_max;
            fill(text, (size_t)n_fill);
            fill(expected, (size_t)n_fill);
            strcat(text, rows[i].ending);
            strcat(expected, rows[i].kept);
            if (k == 0) {
                event.note = text;
            } else {
                event.instance = text;
            }
            cJSON *json = write_event(&event);
            assert_string_equal(text_at(json, texts[k].key), expected);
            cJSON_Delete(json);
        }
    }
}

static void test_event__foreign_bytes_stay_json(void **state) {
    (void)state;
    struct event event = plain;
    event.note = "a \"quote\"\nand \xff";
    cJSON *json = write_event(&event);
    assert_string_equal(text_at(json, "note"), "a \"quote\"\nand \xef\xbf\xbd");
    cJSON_Delete(json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event__is_written_as_events_v1),
        cmocka_unit_test(test_event__its_name_is_always_valid),
        cmocka_unit_test(test_event__a_long_name_is_cut_no_more_than_it_must),
        cmocka_unit_test(test_event__names_differ_by_time_and_chance),
        cmocka_unit_test(test_event__one_occasion_has_one_name),
        cmocka_unit_test(test_event__long_texts_are_cut_at_a_characters_end),
        cmocka_unit_test(test_event__foreign_bytes_stay_json),
    };
    return cmocka_run_group_tests_name("core/event", tests, NULL, NULL);
}
