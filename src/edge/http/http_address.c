// SPDX-License-Identifier: Apache-2.0
#include "http_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

/* "[", an IPv6 address with an IPv4 tail, "]", and a NUL. */
enum { HOST_MAX = INET6_ADDRSTRLEN + 2 };

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    };
    socklen_t size;
    bool has_host; /* the text gives one */
};

static void set_ipv4(struct address *address, struct in_addr host, uint16_t port) {
    address->ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = host};
    address->ipv4.sin_port = htons(port);
    address->size = sizeof address->ipv4;
}

static void set_ipv6(struct address *address, struct in6_addr host, uint16_t port) {
    address->ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = host};
    address->ipv6.sin6_port = htons(port);
    address->size = sizeof address->ipv6;
}

static bool parse_host(char *host, uint16_t port, struct address *address) {
    struct in_addr ipv4;
    struct in6_addr ipv6;
    size_t size = strlen(host);
    address->has_host = size > 0;
    if (!address->has_host) {
        set_ipv6(address, in6addr_any, port);
        return true;
    }
    if (host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, &ipv6) != 1) {
            return false;
        }
        set_ipv6(address, ipv6, port);
        return true;
    }
    /* The only name that is accepted: it needs no resolver. */
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &ipv4) != 1) {
        return false;
    }
    set_ipv4(address, ipv4, port);
    return true;
}

static bool parse(const char *text, struct address *ret_address, struct error *error) {
    struct address address = {0};
    char host[HOST_MAX];
    int64_t port = 0;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host ||
        !text_parse_integer(colon + 1, 0, UINT16_MAX, &port)) {
        return error_set(error, ERROR_INVALID,
                         "bind address '%s' is not ADDRESS:PORT, with a port from 0 to 65535",
                         text);
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (!parse_host(host, (uint16_t)port, &address)) {
        return error_set(error, ERROR_INVALID,
                         "bind address '%s' does not begin with an IPv4 address, with an IPv6 "
                         "address in brackets, or with the colon",
                         text);
    }
    *ret_address = address;
    return true;
}

static int open_socket(struct address *address) {
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(address->any.sa_family, type, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && !address->has_host) {
        const struct in_addr all = {.s_addr = htonl(INADDR_ANY)};
        set_ipv4(address, all, ntohs(address->ipv6.sin6_port));
        fd = socket(AF_INET, type, 0);
    }
    return fd;
}

bool http_address_listen(const char *text, int *ret_fd, struct error *error) {
    struct address address;
    if (!parse(text, &address, error)) {
        return false;
    }
    const int yes = 1;
    const int no = 0;
    int fd = open_socket(&address);
    bool is_listening = fd >= 0 &&
                        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                        (address.any.sa_family != AF_INET6 ||
                         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0) &&
                        bind(fd, &address.any, address.size) == 0 && listen(fd, SOMAXCONN) == 0;
    if (!is_listening) {
        int reason = errno;
        if (fd >= 0) {
            close(fd);
        }
        return error_set(error, ERROR_UNAVAILABLE, "cannot listen on '%s': %s", text,
                         strerror(reason));
    }
    *ret_fd = fd;
    return true;
}

uint16_t http_address_port(int fd) {
    struct address bound = {.size = sizeof bound.ipv6};
    getsockname(fd, &bound.any, &bound.size);
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.ipv6.sin6_port : bound.ipv4.sin_port);
}
