// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/cluster/heal.h"

static const struct fact server = {
    .kind = OBJECT_MCPSERVER, .namespace = "n", .name = "a", .uid = "1", .is_stdio = true};
static const struct fact deployment = {
    .namespace = "n",
    .name = "a",
    .uid = "d1",
    .owner = {.is_controlled = true, .kind = OBJECT_MCPSERVER, .name = "a", .uid = "1"},
    .replicas = {PRESENCE_SET, 2}};

/* One difference from the two objects above, which need healing. */
enum change {
    NOTHING,
    SERVER_SSE,
    SERVER_DELETING,
    SERVER_WITHOUT_UID,
    SERVER_OF_ANOTHER_UID,
    DEPLOYMENT_DELETING,
    DEPLOYMENT_WITHOUT_UID,
    DEPLOYMENT_AT_0,
    DEPLOYMENT_AT_1,
    DEPLOYMENT_WITHOUT_REPLICAS,
    DEPLOYMENT_OF_ANOTHER_NAME,
    DEPLOYMENT_OF_ANOTHER_NAMESPACE,
    OWNER_OF_ANOTHER_KIND,
    OWNER_NO_CONTROLLER,
    OWNER_OF_ANOTHER_NAME,
    SELECTOR_WITHOUT_OWNER,
    SELECTOR_OF_ANOTHER_NAME,
    MODE_IS_OFF,
    MODE_IS_WARN,
    MODE_IS_DENY,
    EXEMPT,
    EXEMPT_NO_MORE,
    EXEMPT_FROM_ANOTHER_RULE,
};

static bool is_due(enum change change) {
    struct fact m = server;
    struct fact d = deployment;
    struct exemption exemption = {.namespace = "n", .ends = 101};
    struct policy *policy = policy_default();
    m.is_stdio = change != SERVER_SSE;
    m.is_deleting = change == SERVER_DELETING;
    d.is_deleting = change == DEPLOYMENT_DELETING;
    d.replicas.state = change == DEPLOYMENT_WITHOUT_REPLICAS ? PRESENCE_ABSENT : PRESENCE_SET;
    d.replicas.value = change == DEPLOYMENT_AT_0 ? 0 : change == DEPLOYMENT_AT_1 ? 1 : 2;
    d.owner.kind = change == OWNER_OF_ANOTHER_KIND ? OBJECT_VIRTUALMCPSERVER : OBJECT_MCPSERVER;
    d.owner.is_controlled = change != OWNER_NO_CONTROLLER;
    d.owner.kind = d.owner.is_controlled ? d.owner.kind : OBJECT_OTHER;
    d.is_selecting = change >= SELECTOR_WITHOUT_OWNER && change <= SELECTOR_OF_ANOTHER_NAME;
    if (d.is_selecting) {
        d.owner = (struct owner){.is_controlled = false};
    }
    strcpy(m.uid, change == SERVER_WITHOUT_UID ? "" : change == SERVER_OF_ANOTHER_UID ? "2" : "1");
    strcpy(d.owner.uid, change == SERVER_WITHOUT_UID ? "" : "1");
    strcpy(d.uid, change == DEPLOYMENT_WITHOUT_UID ? "" : "d1");
    strcpy(d.name, change == DEPLOYMENT_OF_ANOTHER_NAME ? "b" : "a");
    strcpy(d.namespace, change == DEPLOYMENT_OF_ANOTHER_NAMESPACE ? "m" : "n");
    strcpy(d.owner.name, change == OWNER_OF_ANOTHER_NAME ? "b" : "a");
    if (change == SELECTOR_OF_ANOTHER_NAME) {
        strcpy(d.name, "b");
    }
    policy->modes[RULE_STDIO_CAP] = change == MODE_IS_OFF    ? MODE_OFF
                                    : change == MODE_IS_WARN ? MODE_WARN
                                    : change == MODE_IS_DENY ? MODE_DENY
                                                             : MODE_ENFORCE;
    exemption.ends = change == EXEMPT_NO_MORE ? 100 : 101;
    exemption.rules[change == EXEMPT_FROM_ANOTHER_RULE ? RULE_GRACE_PERIOD : RULE_STDIO_CAP] = true;
    bool has_exemption = change >= EXEMPT;
    policy->exemptions = &exemption;
    policy->n_exemptions = has_exemption ? 1 : 0;
    bool result = heal_is_due(policy, &m, &d, 100);
    policy->exemptions = NULL;
    policy->n_exemptions = 0;
    policy_free(policy);
    return result;
}

static void test_heal__is_due_only_for_a_live_stdio_server_under_the_cap(void **state) {
    (void)state;
    static const bool expected[] = {
        [NOTHING] = true,      [SERVER_DELETING] = true, [SELECTOR_WITHOUT_OWNER] = true,
        [MODE_IS_DENY] = true, [EXEMPT_NO_MORE] = true,  [EXEMPT_FROM_ANOTHER_RULE] = true,
    };
    for (int change = NOTHING; change <= EXEMPT_FROM_ANOTHER_RULE; change++) {
        if (is_due((enum change)change) != expected[change]) {
            fail_msg("change %d: %d", change, !expected[change]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heal__is_due_only_for_a_live_stdio_server_under_the_cap),
    };
    return cmocka_run_group_tests_name("core/heal", tests, NULL, NULL);
}
