// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "core/cluster/scaler.h"

#define HPA(name, labels, kind, target)                                                            \
    "{\"metadata\":{\"name\":\"" name "\"" labels                                                  \
    "},\"spec\":{\"scaleTargetRef\":{\"kind\":\"" kind "\",\"name\":\"" target "\"}}}"
#define KEDA ",\"labels\":{\"scaledobject.keda.sh/name\":\"mine\"}"

static void test_scaler__is_the_one_whose_target_is_the_deployment(void **state) {
    static const struct {
        const char *json;
        const char *name; /* NULL: none */
        const char *scaled_object;
    } rows[] = {
        {"{\"items\":[" HPA("h", "", "Deployment", "one") "]}", "h", ""},
        {"{\"items\":[" HPA("keda-hpa-mine", KEDA, "Deployment", "one") "]}", "keda-hpa-mine",
         "mine"},
        {"{\"items\":[" HPA("a", KEDA, "Deployment", "two") "," HPA("b", "", "Deployment",
                                                                    "one") "]}",
         "b", ""},
        {"{\"items\":[" HPA("a", "", "Deployment", "one") "," HPA("b", "", "Deployment",
                                                                  "one") "]}",
         "a", ""},
        {"{\"items\":[" HPA("h", "", "StatefulSet", "one") "]}", NULL, ""},
        {"{\"items\":[" HPA("h", "", "Deployment", "ones") "]}", NULL, ""},
        {"{\"items\":[null,1,[],{\"spec\":2}," HPA("h", "", "Deployment", "one") "]}", "h", ""},
        {"{\"items\":[{\"metadata\":{\"name\":\"h\"},\"spec\":{\"scaleTargetRef\":{\"kind\":"
         "\"Deployment\",\"apiVersion\":\"example.com/v1\",\"name\":\"one\"}}}]}",
         NULL, ""},
        {"{\"items\":[]}", NULL, ""},
        {"{\"items\":[" HPA("h", "", "Deployment", "one"), NULL, ""},
        {"{\"kind\":\"Status\"}", NULL, ""},
        {"<html>", NULL, ""},
        {"", NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct scaler scaler;
        bool is_found = scaler_find(rows[i].json, strlen(rows[i].json), "one", &scaler);
        if (is_found != (rows[i].name != NULL)) {
            fail_msg("row %zu", i);
        }
        if (is_found) {
            assert_string_equal(scaler.name, rows[i].name);
            assert_string_equal(scaler.scaled_object, rows[i].scaled_object);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaler__is_the_one_whose_target_is_the_deployment),
    };
    return cmocka_run_group_tests_name("core/scaler", tests, NULL, NULL);
}
