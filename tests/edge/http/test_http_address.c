// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attribute.h"
#include "http/http_address.h"

static bool can_connect(int family, uint16_t port) {
    const struct sockaddr_in ipv4 = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    const struct sockaddr_in6 ipv6 = {
        .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons(port)};
    int fd = socket(family, SOCK_STREAM, 0);
    int status = family == AF_INET ? connect(fd, (const struct sockaddr *)&ipv4, sizeof ipv4)
                                   : connect(fd, (const struct sockaddr *)&ipv6, sizeof ipv6);
    close(fd);
    return status == 0;
}

static bool has_ipv6(void) {
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = bind(fd, (const struct sockaddr *)&loopback, sizeof loopback) == 0;
    close(fd);
    return has;
}

static void test_http_address__listens_on_the_given_address(void **state) {
    (void)state;
    static const struct {
        const char *address;
        bool on_ipv4;
        bool on_ipv6;
        bool needs_ipv6;
    } rows[] = {
        {"127.0.0.1:0", true, false, false}, {"0.0.0.0:0", true, false, false},
        {":0", true, true, false},           {"[::]:0", true, true, true},
        {"[::1]:0", false, true, true},      {"localhost:0", true, false, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int fd;
        struct error error;
        if (rows[i].needs_ipv6 && !has_ipv6()) {
            continue;
        }
        if (!http_address_listen(rows[i].address, &fd, &error)) {
            fail_msg("%s", error.text);
        }
        uint16_t port = http_address_port(fd);
        assert_int_not_equal(port, 0);
        if (can_connect(AF_INET, port) != rows[i].on_ipv4 ||
            can_connect(AF_INET6, port) != (rows[i].on_ipv6 && has_ipv6())) {
            fail_msg("%s", rows[i].address);
        }
        close(fd);
    }
}

/* As in a kernel without IPv6: socket(AF_INET6, ...) fails. */
static bool lose_ipv6(void) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = COUNT_OF(program), .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 &&
           socket(AF_INET6, SOCK_STREAM, 0) < 0 && errno == EAFNOSUPPORT;
}

enum { GOOD, NO_FILTER, NO_IPV4, IPV6_TAKEN };

static int try_without_ipv6(void) {
    struct error error;
    int fd;
    if (!lose_ipv6()) {
        return NO_FILTER;
    }
    if (!http_address_listen(":0", &fd, &error) || !can_connect(AF_INET, http_address_port(fd))) {
        return NO_IPV4;
    }
    /* An address of IPv6 by name is another matter. */
    bool is_taken = http_address_listen("[::]:0", &fd, &error) || error.kind != ERROR_UNAVAILABLE;
    return is_taken ? IPV6_TAKEN : GOOD;
}

static void test_http_address__is_content_with_ipv4_if_there_is_no_ipv6(void **state) {
    int status;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(try_without_ipv6());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), GOOD);
}

static void test_http_address__refuses_invalid_addresses(void **state) {
    (void)state;
    static const char *const addresses[] = {
        "",
        "9443",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "1.2.3:1",
        "::1:1",
        "[::1:1",
        "[::1]",
        "localhost.localdomain:1",
        "[1.2.3.4]:1",
        "x[::1]:1",
        "127.0.0.1:-1",
        "127.0.0.1:1 ",
        "[::1%lo]:1",
        "[]:1",
        "[:1",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1",
    };
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        int fd;
        struct error error;
        if (http_address_listen(addresses[i], &fd, &error)) {
            fail_msg("'%s' was taken", addresses[i]);
        }
        assert_int_equal(error.kind, ERROR_INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_address__listens_on_the_given_address),
        cmocka_unit_test(test_http_address__is_content_with_ipv4_if_there_is_no_ipv6),
        cmocka_unit_test(test_http_address__refuses_invalid_addresses),
    };
    return cmocka_run_group_tests_name("http_address", tests, NULL, NULL);
}
