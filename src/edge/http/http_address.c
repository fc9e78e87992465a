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
    struct sockaddr_storage socket;
    socklen_t size;
    bool is_any; /* the text gives no host */
};

static void set_ipv4(struct address *address, struct in_addr host, uint16_t port) {
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_addr = host, .sin_port = htons(port)};
    memcpy(&address->socket, &ipv4, sizeof ipv4);
    address->size = sizeof ipv4;
}

static void set_ipv6(struct address *address, struct in6_addr host, uint16_t port) {
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = host};
    ipv6.sin6_port = htons(port);
    memcpy(&address->socket, &ipv6, sizeof ipv6);
    address->size = sizeof ipv6;
}

static bool parse_host(char *host, uint16_t port, struct address *address) {
    struct in_addr ipv4;
    struct in6_addr ipv6;
    size_t size = strlen(host);
    if (size == 0) {
        address->is_any = true;
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

static void use_ipv4(struct address *address) {
    struct sockaddr_in6 ipv6;
    memcpy(&ipv6, &address->socket, sizeof ipv6);
    set_ipv4(address, (struct in_addr){.s_addr = htonl(INADDR_ANY)}, ntohs(ipv6.sin6_port));
}

static int open_socket(struct address *address) {
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(address->socket.ss_family, type, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && address->is_any) {
        use_ipv4(address);
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
                        (address.socket.ss_family != AF_INET6 ||
                         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0) &&
                        bind(fd, (const struct sockaddr *)&address.socket, address.size) == 0 &&
                        listen(fd, SOMAXCONN) == 0;
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
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    getsockname(fd, (struct sockaddr *)&bound, &size);
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
    memcpy(&ipv4, &bound, sizeof ipv4);
    memcpy(&ipv6, &bound, sizeof ipv6);
    return ntohs(bound.ss_family == AF_INET6 ? ipv6.sin6_port : ipv4.sin_port);
}
