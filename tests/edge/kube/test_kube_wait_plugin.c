// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "edge/file.h"
#include "kube_site.h"

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define UNAUTHORIZED                                                                               \
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 26\r\n\r\n{\"message\":\"Unauthorized\"}"

/* The credential plugin is a shell script that counts its runs in a file. */

struct plugin_site {
    struct kube_site site;
    struct kube_plugin plugin;
    char counter[32];
    char script[512];
    char *command[4];
    char *environment[1];
};

static void open_with_plugin(struct plugin_site *plugin, const char *first) {
    strcpy(plugin->counter, "/tmp/test-kube-XXXXXX");
    int fd = mkstemp(plugin->counter);
    assert_true(fd >= 0);
    close(fd);
    snprintf(plugin->script, sizeof(plugin->script),
             "%s; echo run >>%s; printf '{\"apiVersion\":\"client.authentication.k8s.io/v1\","
             "\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t%%s\"}}' $(wc -l <%s)",
             first, plugin->counter, plugin->counter);
    static char shell[] = "/bin/sh";
    static char option[] = "-c";
    static char version[] = "client.authentication.k8s.io/v1";
    char *const command[] = {shell, option, plugin->script, NULL};
    memcpy(plugin->command, command, sizeof(command));
    plugin->environment[0] = NULL;
    plugin->plugin = (struct kube_plugin){
        .api_version = version, .command = plugin->command, .environment = plugin->environment};
    kube_site_init(&plugin->site, &(struct script_options){0});
    plugin->site.access.plugin = &plugin->plugin;
    kube_site_start(&plugin->site);
}

static void close_with_plugin(struct plugin_site *plugin) {
    kube_site_stop(&plugin->site);
    unlink(plugin->counter);
}

static size_t count_runs(const struct plugin_site *plugin) {
    struct buffer content;
    struct error error;
    buffer_init(&content, 4096);
    assert_true(file_read(plugin->counter, &content, &error));
    size_t n = content.size / strlen("run\n");
    buffer_fini(&content);
    return n;
}

static void test_kube_wait_plugin__waits_for_a_plugin(void **state) {
    (void)state;
    enum { N = 3 };
    struct plugin_site plugin;
    struct kube_heard heard[N];
    open_with_plugin(&plugin, ":");
    script_server_answer(plugin.site.server, "/a", 0, OK_EMPTY);
    for (size_t i = 0; i < N; i++) {
        struct kube_request request = kube_site_request(KUBE_GET, "/a", &heard[i]);
        kube_site_begin(&plugin.site, &request, &heard[i]);
    }
    for (size_t i = 0; i < N; i++) {
        kube_site_finish(&plugin.site, &heard[i]);
        assert_true(heard[i].is_good);
        assert_non_null(
            strstr(script_server_request(plugin.site.server, i), "Authorization: Bearer t1\r\n"));
        kube_heard_fini(&heard[i]);
    }
    assert_int_equal(count_runs(&plugin), 1);
    close_with_plugin(&plugin);
}

static void test_kube_wait_plugin__does_not_wait_for_ever_for_a_plugin(void **state) {
    (void)state;
    struct plugin_site plugin;
    struct kube_heard heard;
    open_with_plugin(&plugin, "exec sleep 60");
    struct kube_request request = kube_site_request(KUBE_GET, "/a", &heard);
    request.timeout_ms = 50;
    kube_site_begin(&plugin.site, &request, &heard);
    kube_site_finish(&plugin.site, &heard);
    assert_int_equal(heard.error.kind, ERROR_TIMEOUT);
    assert_int_equal(script_server_n_requests(plugin.site.server), 0);
    kube_heard_fini(&heard);
    close_with_plugin(&plugin);
}

static void test_kube_wait_plugin__runs_a_plugin_once_for_several_answers_401(void **state) {
    (void)state;
    enum { N = 4 };
    static const struct script_step refusal[] = {{SCRIPT_WAIT, NULL, 0, 0},
                                                 {SCRIPT_SEND, UNAUTHORIZED, 0, 0}};
    struct plugin_site plugin;
    struct kube_heard heard[N];
    open_with_plugin(&plugin, ":");
    script_server_play(plugin.site.server, "/a", N, refusal, COUNT_OF(refusal));
    script_server_answer(plugin.site.server, "/a", 0, OK_EMPTY);
    for (size_t i = 0; i < N; i++) {
        struct kube_request request = kube_site_request(KUBE_GET, "/a", &heard[i]);
        kube_site_begin(&plugin.site, &request, &heard[i]);
    }
    KUBE_SITE_UNTIL(&plugin.site, script_server_n_requests(plugin.site.server) == N);
    script_server_release(plugin.site.server);
    /* The first request is sent again before the others learn that their old token is refused. */
    KUBE_SITE_UNTIL(&plugin.site, script_server_n_requests(plugin.site.server) == N + 1);
    for (size_t i = 1; i < N; i++) {
        script_server_release(plugin.site.server);
    }
    for (size_t i = 0; i < N; i++) {
        kube_site_finish(&plugin.site, &heard[i]);
        assert_true(heard[i].is_good);
        assert_non_null(strstr(script_server_request(plugin.site.server, N + i), "Bearer t2\r\n"));
        kube_heard_fini(&heard[i]);
    }
    assert_int_equal(count_runs(&plugin), 2);
    close_with_plugin(&plugin);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kube_wait_plugin__waits_for_a_plugin),
        cmocka_unit_test(test_kube_wait_plugin__does_not_wait_for_ever_for_a_plugin),
        cmocka_unit_test(test_kube_wait_plugin__runs_a_plugin_once_for_several_answers_401),
    };
    return cmocka_run_group_tests_name("edge/kube_wait_plugin", tests, NULL, NULL);
}
