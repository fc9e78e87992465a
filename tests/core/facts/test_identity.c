// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/core_fixtures.h"

enum { LONG = 40000 };

/* Puts the value in place of the @ in the JSON, and reads the result. */
static void read_with(const char *json, const char *value, struct object *ret_object) {
    size_t size = strlen(json) + strlen(value) + 1;
    const char *at = strchr(json, '@');
    AUTO_FREE char *text = memory_new(size, 1);
    assert_non_null(at);
    snprintf(text, size, "%.*s%s%s", (int)(at - json), json, value, at + 1);
    read_object(text, ret_object);
}

#define GROUP "'apiVersion':'toolhive.stacklok.dev/v1beta1'"
#define OURS  GROUP ",'kind':'MCPServer','name':'a','uid':'1'"

enum outcome { NOBODY, OTHER, SERVER, UNUSABLE };

static enum outcome outcome_of(const struct owner *owner) {
    if (!owner->is_controlled) {
        return NOBODY;
    }
    if (owner->is_unusable) {
        return UNUSABLE;
    }
    return owner->kind != OBJECT_OTHER ? SERVER : OTHER;
}

static void test_identity__the_owner_is_the_controller(void **state) {
    (void)state;
    static const struct {
        const char *references;
        enum outcome outcome;
        const char *name;
    } rows[] = {
        {"[{" OURS ",'controller':true}]", SERVER, "a"},
        {"[{'controller':true,'kind':'MCPServer','name':'a'," GROUP "}]", SERVER, "a"},
        {"[{'apiVersion':'toolhive.stacklok.dev/v9','kind':'MCPServer','name':'a',"
         "'controller':true}]",
         SERVER, "a"},
        {"[{'apiVersion':'toolhive.stacklok.dev\\/v9','kind':'MCP\\u0053erver','name':'\\u0061',"
         "'controller':true}]",
         SERVER, "a"},
        {"[{" OURS "}]", NOBODY, ""},
        {"[{" OURS ",'controller':false}]", NOBODY, ""},
        {"[{" OURS ",'controller':null}]", NOBODY, ""},
        {"[{" OURS ",'Controller':true}]", NOBODY, ""},
        {"[{'kind':'MCPServer','name':'a','controller':true}]", OTHER, "a"},
        {"[{'apiVersion':'v1','kind':'MCPServer','name':'a','controller':true}]", OTHER, "a"},
        {"[{'apiVersion':'toolhive.stacklok.dev','kind':'MCPServer','name':'a','controller':true}]",
         OTHER, "a"},
        {"[{'apiVersion':'toolhive.stacklok.dev2/v1','kind':'MCPServer','name':'a',"
         "'controller':true}]",
         OTHER, "a"},
        {"[{'apiVersion':'apps/v1','kind':'ReplicaSet','name':'r','controller':true}]", OTHER, "r"},
        {"[{" GROUP ",'kind':'VirtualMCPServer','name':'v','controller':true}]", SERVER, "v"},
        {"[{" GROUP ",'kind':'MCPRemoteProxy','name':'p','controller':true}]", SERVER, "p"},
        {"[{" GROUP ",'kind':'MCPGroup','name':'g','controller':true}]", OTHER, "g"},
        {"[{" OURS "},{'apiVersion':'v1','kind':'Node','name':'n','controller':true}]", OTHER, "n"},
        {"[{'apiVersion':'v1','kind':'Node','name':'n'},{" OURS ",'controller':true}]", SERVER,
         "a"},
        {"[{'kind':'Node','name':'n','controller':true},{" OURS ",'controller':true}]", SERVER,
         "a"},
        {"[{" OURS ",'controller':true},{'kind':'Node','name':'n','controller':true}]", SERVER,
         "a"},
        {"[]", NOBODY, ""},
        {"null", NOBODY, ""},
        {"[null]", NOBODY, ""},
        {"[null,{" OURS ",'controller':true},7]", SERVER, "a"},
        {"[{" OURS ",'controller':true}],'ownerReferences':[]", NOBODY, ""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'metadata':{'ownerReferences':@}}", rows[i].references, &object);
        if (outcome_of(&object.owner) != rows[i].outcome ||
            strcmp(object.owner.name, rows[i].name) != 0) {
            fail_msg("%s", rows[i].references);
        }
    }
}

static void test_identity__an_owner_that_cannot_be_read_is_not_nobody(void **state) {
    (void)state;
    static const struct {
        const char *references;
        enum outcome outcome;
    } rows[] = {
        {"[{" OURS ",'controller':'true'}]", UNUSABLE},
        {"[{" OURS ",'controller':1}]", UNUSABLE},
        {"[{" GROUP ",'kind':'MCPServer','name':7,'controller':true}]", UNUSABLE},
        {"[{" GROUP ",'kind':'MCPServer','name':'a','uid':{},'controller':true}]", UNUSABLE},
        {"[{" GROUP ",'kind':['MCPServer'],'name':'a','controller':true}]", UNUSABLE},
        {"[{'apiVersion':7,'kind':'MCPServer','name':'a','controller':true}]", UNUSABLE},
        {"[{'apiVersion':7,'kind':7,'controller':true}]", UNUSABLE},
        {"[{'kind':'Node','name':'n','controller':true},{" GROUP ",'kind':'MCPServer','name':7,"
         "'controller':true}]",
         UNUSABLE},
        {"{" OURS ",'controller':true}", UNUSABLE},
        {"'a'", UNUSABLE},
        {"[7,'x',[]]", UNUSABLE},
        /* Nobody's concern: it is no MCPServer whatever it says. */
        {"[{'apiVersion':'apps/v1','kind':'MCPServer','name':7,'controller':true}]", OTHER},
        {"[{" GROUP ",'kind':'MCPGroup','name':7,'controller':true}]", OTHER},
        {"[{'apiVersion':7,'kind':'Node','name':'n','controller':true}]", OTHER},
        {"[{'apiVersion':7,'kind':7}]", NOBODY},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'metadata':{'ownerReferences':@}}", rows[i].references, &object);
        if (outcome_of(&object.owner) != rows[i].outcome) {
            fail_msg("%s", rows[i].references);
        }
    }
}

/* Each text of a reference at its limit, one past it, and far past it. */
static void test_identity__a_long_owner_is_not_nobody(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *json; /* the text goes to the @ */
        size_t size;
        enum outcome outcome;
    } rows[] = {
        {"name", "'name':'@'", 253, SERVER},
        {"name", "'name':'@'", 254, UNUSABLE},
        {"name", "'name':'@'", LONG, UNUSABLE},
        {"uid", "'uid':'@'", 128, SERVER},
        {"uid", "'uid':'@'", 129, UNUSABLE},
        {"uid", "'uid':'@'", LONG, UNUSABLE},
        {"version", "'apiVersion':'toolhive.stacklok.dev/@'", 63, SERVER},
        {"version", "'apiVersion':'toolhive.stacklok.dev/@'", LONG, SERVER},
        {"group", "'apiVersion':'@/v1beta1'", LONG, OTHER},
        {"kind", "'kind':'@'", 64, UNUSABLE},
    };
    AUTO_FREE char *text = memory_new(LONG + 1, 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FREE char *reference = memory_new(LONG + 256, 1);
        struct object object;
        const char *at = strchr(rows[i].json, '@');
        snprintf(reference, LONG + 256, "[{" OURS ",'controller':true,%.*s%s%s}]",
                 (int)(at - rows[i].json), rows[i].json, fill(text, rows[i].size), at + 1);
        read_with("{'metadata':{'ownerReferences':@}}", reference, &object);
        if (outcome_of(&object.owner) != rows[i].outcome) {
            fail_msg("%s of %zu bytes", rows[i].name, rows[i].size);
        }
    }
}

#define BOTH "app.kubernetes.io/name=mcpserver,app.kubernetes.io/instance=a"

static enum outcome outcome_of_selection(const struct selection *selection) {
    assert_false(selection_names(selection, OBJECT_MCPSERVER, ""));
    if (selection->is_unusable) {
        assert_false(selection_names(selection, OBJECT_MCPSERVER, selection->instance));
        return UNUSABLE;
    }
    return selection_names(selection, OBJECT_MCPSERVER, "a") ? SERVER : NOBODY;
}

static void test_identity__a_selector_names_a_server_by_two_whole_terms(void **state) {
    (void)state;
    static const struct {
        const char *selector;
        enum outcome outcome;
    } rows[] = {
        {"'" BOTH "'", SERVER},
        {"'x=y," BOTH ",z=1'", SERVER},
        {"',app.kubernetes.io/instance=a,app.kubernetes.io/name=mcpserver,'", SERVER},
        {"'" BOTH ",app.kubernetes.io/name=virtualmcpserver'", SERVER},
        {"'app.kubernetes.io/name=virtualmcpserver," BOTH "'", SERVER},
        {"'app.kubernetes.io\\/name=mcp\\u0073erver,app.kubernetes.io/instance=\\u0061'", SERVER},
        {"'app.kubernetes.io/name=mcpserver'", NOBODY},
        {"'app.kubernetes.io/instance=a'", NOBODY},
        {"'app.kubernetes.io/name=mcpserver2,app.kubernetes.io/instance=a'", NOBODY},
        {"'xapp.kubernetes.io/name=mcpserver,app.kubernetes.io/instance=a'", NOBODY},
        {"'app.kubernetes.io/name!=mcpserver,app.kubernetes.io/instance=a'", NOBODY},
        {"'app.kubernetes.io/name=mcpserver ,app.kubernetes.io/instance=a'", NOBODY},
        {"'app.kubernetes.io/name=MCPServer,app.kubernetes.io/instance=a'", NOBODY},
        {"'app.kubernetes.io/name=mcpserver,app.kubernetes.io/instance=ab'", NOBODY},
        {"'app.kubernetes.io/name=mcpserver,app.kubernetes.io/instance='", NOBODY},
        {"'app.kubernetes.io/name,app.kubernetes.io/instance'", NOBODY},
        {"''", NOBODY},
        {"','", NOBODY},
        {"null", NOBODY},
        {"7", UNUSABLE},
        {"['" BOTH "']", UNUSABLE},
        {"'" BOTH ",app.kubernetes.io/instance=b'", UNUSABLE},
        {"'app.kubernetes.io/instance=a,app.kubernetes.io/instance=b'", NOBODY},
        {"'\\u0000'", UNUSABLE},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'status':{'selector':@}}", rows[i].selector, &object);
        if (outcome_of_selection(&object.scaled) != rows[i].outcome) {
            fail_msg("%s", rows[i].selector);
        }
    }
}

/* kube-apiserver admits selectors of any number of terms. */
static void test_identity__a_selector_may_be_of_any_length(void **state) {
    (void)state;
    static const struct {
        const char *json;
        size_t size;
        enum outcome outcome;
    } rows[] = {
        {"{'status':{'selector':'" BOTH ",x=@'}}", 1024, SERVER},
        {"{'status':{'selector':'x=@," BOTH "'}}", LONG, SERVER},
        {"{'status':{'selector':'\\u0078=@," BOTH "'}}", LONG, SERVER},
        {"{'status':{'selector':'app.kubernetes.io/name=mcpserver,app.kubernetes.io/"
         "instance=@'}}",
         253, NOBODY},
        {"{'status':{'selector':'app.kubernetes.io/name=mcpserver,app.kubernetes.io/"
         "instance=@'}}",
         254, UNUSABLE},
        {"{'status':{'selector':'app.kubernetes.io/name=x,app.kubernetes.io/instance=@'}}", LONG,
         NOBODY},
        {"{'spec':{'selector':{'matchLabels':{'app.kubernetes.io/name':'mcpserver',"
         "'app.kubernetes.io/instance':'@'}}}}",
         253, NOBODY},
        {"{'spec':{'selector':{'matchLabels':{'app.kubernetes.io/name':'mcpserver',"
         "'app.kubernetes.io/instance':'@'}}}}",
         254, UNUSABLE},
        {"{'spec':{'selector':{'matchLabels':{'app.kubernetes.io/name':'mcpserver@',"
         "'app.kubernetes.io/instance':'a'}}}}",
         LONG, NOBODY},
    };
    AUTO_FREE char *text = memory_new(LONG + 1, 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with(rows[i].json, fill(text, rows[i].size), &object);
        bool is_scale = strstr(rows[i].json, "status") != NULL;
        const struct selection *selection = is_scale ? &object.scaled : &object.selection;
        if (outcome_of_selection(selection) != rows[i].outcome) {
            fail_msg("row %zu: %s with %zu bytes", i, rows[i].json, rows[i].size);
        }
    }
}

static void test_identity__match_labels_name_a_server_by_both_labels(void **state) {
    (void)state;
    static const struct {
        const char *selector;
        enum outcome outcome;
    } rows[] = {
        {"{'matchLabels':{'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':'a'}}",
         SERVER},
        {"{'matchLabels':{'x':'y','app.kubernetes.io/instance':'a',"
         "'app.kubernetes.io/name':'mcp\\u0073erver'},'matchExpressions':[]}",
         SERVER},
        {"{'matchLabels':{'app.kubernetes.io/name':'mcpserver'}}", NOBODY},
        {"{'matchLabels':{'app.kubernetes.io/instance':'a'}}", NOBODY},
        {"{'matchLabels':{'app.kubernetes.io/name':'x','app.kubernetes.io/instance':7}}", NOBODY},
        {"{'matchLabels':{'app.kubernetes.io/name':'mcpserver','app.kubernetes.io/instance':7}}",
         UNUSABLE},
        {"{'matchLabels':{'app.kubernetes.io/name':7,'app.kubernetes.io/instance':'a'}}", UNUSABLE},
        {"{'matchLabels':[]}", UNUSABLE},
        {"'" BOTH "'", UNUSABLE},
        {"{'matchLabels':null}", NOBODY},
        {"{'matchExpressions':[{'key':'app.kubernetes.io/name','operator':'In',"
         "'values':['mcpserver']}]}",
         NOBODY},
        {"{}", NOBODY},
        {"null", NOBODY},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct object object;
        read_with("{'spec':{'selector':@}}", rows[i].selector, &object);
        if (outcome_of_selection(&object.selection) != rows[i].outcome) {
            fail_msg("%s", rows[i].selector);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity__the_owner_is_the_controller),
        cmocka_unit_test(test_identity__an_owner_that_cannot_be_read_is_not_nobody),
        cmocka_unit_test(test_identity__a_long_owner_is_not_nobody),
        cmocka_unit_test(test_identity__a_selector_names_a_server_by_two_whole_terms),
        cmocka_unit_test(test_identity__a_selector_may_be_of_any_length),
        cmocka_unit_test(test_identity__match_labels_name_a_server_by_both_labels),
    };
    return cmocka_run_group_tests_name("core/identity", tests, NULL, NULL);
}
