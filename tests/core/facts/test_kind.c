// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "core/facts/kind.h"

static void test_kind__kinds_are_told_by_group_and_kind(void **state) {
    (void)state;
    static const struct {
        const char *group;
        const char *kind;
        enum object_kind expected;
    } rows[] = {
        {"toolhive.stacklok.dev", "MCPServer", OBJECT_MCPSERVER},
        {"toolhive.stacklok.dev", "MCPRemoteProxy", OBJECT_MCPREMOTEPROXY},
        {"toolhive.stacklok.dev", "VirtualMCPServer", OBJECT_VIRTUALMCPSERVER},
        {"apps", "Deployment", OBJECT_DEPLOYMENT},
        {"autoscaling", "Scale", OBJECT_SCALE},
        {"autoscaling", "HorizontalPodAutoscaler", OBJECT_HPA},
        {"keda.sh", "ScaledObject", OBJECT_SCALEDOBJECT},
        {"keda.sh", "ScaledJob", OBJECT_OTHER},
        {"apps", "ScaledObject", OBJECT_OTHER},
        {"toolhive.stacklok.dev", "MCPGroup", OBJECT_OTHER},
        {"toolhive.stacklok.dev", "MCPServerList", OBJECT_OTHER},
        {"toolhive.stacklok.dev", "mcpserver", OBJECT_OTHER},
        {"Toolhive.stacklok.dev", "MCPServer", OBJECT_OTHER},
        {"toolhive.stacklok.dev.example.com", "MCPServer", OBJECT_OTHER},
        {"apps", "MCPServer", OBJECT_OTHER},
        {"apps", "VirtualMCPServer", OBJECT_OTHER},
        {"apps", "StatefulSet", OBJECT_OTHER},
        {"extensions", "Deployment", OBJECT_OTHER},
        {"apps", "Scale", OBJECT_OTHER},
        {"", "Scale", OBJECT_OTHER},
        {"", "", OBJECT_OTHER},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(kind_find(rows[i].group, rows[i].kind), rows[i].expected);
    }
}

static void test_kind__labels_are_compared_as_a_whole(void **state) {
    (void)state;
    static const struct {
        const char *label;
        enum object_kind expected;
    } rows[] = {
        {"mcpserver", OBJECT_MCPSERVER},
        {"mcpremoteproxy", OBJECT_MCPREMOTEPROXY},
        {"virtualmcpserver", OBJECT_VIRTUALMCPSERVER},
        {"mcpserve", OBJECT_OTHER},
        {"mcpservers", OBJECT_OTHER},
        {"MCPServer", OBJECT_OTHER},
        {"embeddingserver", OBJECT_OTHER},
        {"", OBJECT_OTHER},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(kind_of_label(rows[i].label, strlen(rows[i].label)), rows[i].expected);
    }
    assert_int_equal(kind_of_label("mcpserver,more", strlen("mcpserver")), OBJECT_MCPSERVER);
}

/* Everything that walks the family, or asks for a trait, relies on these. */
static void test_kind__the_rows_agree_with_each_other(void **state) {
    (void)state;
    for (int i = OBJECT_OTHER; i < OBJECT_KIND_COUNT; i++) {
        enum object_kind kind = (enum object_kind)i;
        bool is_within = i >= OBJECT_FAMILY_FIRST && i <= OBJECT_FAMILY_LAST;
        assert_int_equal(kind_is_family(kind), is_within);
        assert_int_equal(kind_rows[i].label != NULL, is_within);
        assert_int_equal(kind_of_family(kind_rows[i].kind), is_within ? kind : OBJECT_OTHER);
        if (!is_within) {
            assert_null(kind_rows[i].transport);
            assert_false(kind_has(kind, KIND_HAS_BACKENDS | KIND_HAS_CONDITIONS));
        }
    }
    assert_string_equal(kind_rows[OBJECT_MCPSERVER].transport, "stdio");
    assert_true(kind_is_autoscaler(OBJECT_HPA) && kind_is_autoscaler(OBJECT_SCALEDOBJECT));
    assert_false(kind_is_autoscaler(OBJECT_DEPLOYMENT) || kind_is_autoscaler(OBJECT_OTHER));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kind__kinds_are_told_by_group_and_kind),
        cmocka_unit_test(test_kind__labels_are_compared_as_a_whole),
        cmocka_unit_test(test_kind__the_rows_agree_with_each_other),
    };
    return cmocka_run_group_tests_name("core/kind", tests, NULL, NULL);
}
