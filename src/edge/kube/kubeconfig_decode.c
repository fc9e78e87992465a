// SPDX-License-Identifier: Apache-2.0
#include "kubeconfig_decode.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_fields.h"
#include "base/memory.h"
#include "base/text.h"
#include "kube_proxy.h"
#include "kube_text.h"
#include "kubeconfig_as.h"
#include "kubeconfig_exec.h"

/* https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ (Cluster.config) */
#define PLUGIN_EXTENSION "client.authentication.k8s.io/exec"

void kubeconfig_context_fini(struct kubeconfig_context *context) {
    free(context->cluster);
    free(context->user);
    free(context->namespace);
    *context = (struct kubeconfig_context){.cluster = NULL};
}

/* Reads a part strictly. `check` looks at the whole, and may fail the walk. */
static bool read_part(const struct kubeconfig_part *part, const struct json_fields *fields,
                      void (*check)(struct json_walk *walk, const void *into), void *into,
                      struct error *error) {
    bool is_there = part->json.size > 0;
    struct json_reader reader;
    struct json_strict strict = {.error = error, .root = part->path, .offset = part->offset};
    struct json_walk walk = {.reader = &reader, .strict = &strict};
    json_begin(&reader, is_there ? part->json.at : "null", is_there ? part->json.size : 4);
    (void)json_walk_object(&walk, fields, into);
    check(&walk, into);
    return json_walk_finish(&walk);
}

static void check_context(struct json_walk *walk, const void *into) {
    const struct kubeconfig_context *context = into;
    if (context->cluster == NULL) {
        json_walk_fail_below(walk, "cluster", "must be given");
    }
}

bool kubeconfig_decode_context(const struct kubeconfig_part *part,
                               struct kubeconfig_context *context, struct error *error) {
    static const struct json_field rows[] = {
        JSON_STRING("cluster", struct kubeconfig_context, cluster),
        JSON_STRING("user", struct kubeconfig_context, user),
        JSON_STRING_VALID("namespace", struct kubeconfig_context, namespace, text_is_dns_label,
                          "is not the name of a namespace"),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    return read_part(part, &fields, check_context, context, error);
}

/* Is the text behind the host empty, or ":port"? */
static bool is_port(const char *text, size_t size) {
    char digits[8] = "";
    int64_t port;
    if (size < 2 || size > sizeof(digits) || text[0] != ':') {
        return size == 0;
    }
    memcpy(digits, text + 1, size - 1);
    return text_parse_integer(digits, 1, 65535, &port);
}

/* The fault of "host:port/path", or NULL. */
static const char *find_fault(const char *address) {
    size_t size = strcspn(address, "/");
    size_t host_size = strcspn(address, ":/");
    if (address[0] == '[') {
        host_size = strcspn(address, "]/");
        host_size += address[host_size] == ']';
        if (host_size < 3 || address[host_size - 1] != ']') {
            return "has a [ that does not enclose an address";
        }
    }
    for (const char *at = address; *at != '\0'; at++) {
        if (*at <= 0x20 || *at >= 0x7f || strchr("?#@\\", *at) != NULL) {
            return "may have a host, a port and a path, and nothing else";
        }
    }
    if (host_size == 0) {
        return "has no host";
    }
    return is_port(address + host_size, size - host_size) ? NULL : "has an impossible port";
}

/* The size of "https://" or "http://" at the front, or 0. */
static size_t scheme_size(const char *server) {
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t size = strlen(schemes[i]);
        if (strncasecmp(server, schemes[i], size) == 0) {
            return size;
        }
    }
    return 0;
}

static void read_server(struct json_walk *walk, void *at) {
    char **server = at;
    (void)json_walk_string(walk, server);
    if (*server == NULL) {
        return;
    }
    size_t size = strlen(*server);
    size_t begin = scheme_size(*server);
    if (begin == 0) {
        json_walk_fail(walk, "must begin with https:// or http://");
        return;
    }
    for (size_t i = 0; i < begin; i++) {
        (*server)[i] = (char)tolower((unsigned char)(*server)[i]);
    }
    while (size > begin && (*server)[size - 1] == '/') {
        (*server)[--size] = '\0';
    }
    const char *fault = find_fault(*server + begin);
    if (fault != NULL) {
        json_walk_fail(walk, fault);
    }
}

static void read_proxy(struct json_walk *walk, void *at) {
    char **proxy = at;
    (void)json_walk_string(walk, proxy);
    const char *fault = *proxy == NULL ? NULL : kube_proxy_fault(*proxy);
    if (fault != NULL) {
        json_walk_fail(walk, fault);
    } else if (*proxy != NULL) {
        kube_proxy_normalize(proxy);
    }
}

/* A PEM in the kubeconfig itself wins over a file, as with client-go. */
static void prefer_pem(char **file, const char *pem) {
    if (pem != NULL) {
        free(TAKE(*file));
    }
}

static void read_pem(struct json_walk *walk, void *at) {
    char **pem = at;
    (void)json_walk_base64(walk, pem);
    if (*pem != NULL && !kube_text_is_pem(*pem)) {
        json_walk_fail(walk, "is not PEM once it is decoded");
    }
}

struct extension {
    bool is_ours;
    struct json_text json;
};

/* Other names have a meaning for other programs. */
static void read_extension(struct json_walk *walk, void *at) {
    static const struct json_field rows[] = {
        JSON_IS("name", struct extension, is_ours, PLUGIN_EXTENSION),
        JSON_RAW("extension", struct extension, json),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    struct extension extension = {.is_ours = false};
    char **config = at;
    (void)json_walk_object(walk, &fields, &extension);
    if (extension.is_ours) {
        free(TAKE(*config));
    }
    if (extension.is_ours && extension.json.size > 0) {
        *config = memory_copy(extension.json.at, extension.json.size);
    }
}

static void check_cluster(struct json_walk *walk, const void *into) {
    const struct kube_access *access = into;
    if (access->server == NULL) {
        json_walk_fail_below(walk, "server", "must be given");
    }
    if (access->is_insecure && (access->ca_file != NULL || access->ca_pem != NULL)) {
        json_walk_fail(walk,
                       "specifying a root certificates file with the insecure flag is not allowed");
    }
}

bool kubeconfig_decode_cluster(const struct kubeconfig_part *part, const char *folder,
                               struct kube_access *access, struct error *error) {
    static const struct json_field rows[] = {
        JSON_READ("server", struct kube_access, server, read_server),
        JSON_STRING("certificate-authority", struct kube_access, ca_file),
        JSON_READ("certificate-authority-data", struct kube_access, ca_pem, read_pem),
        JSON_BOOL("insecure-skip-tls-verify", struct kube_access, is_insecure),
        JSON_STRING("tls-server-name", struct kube_access, tls_server_name),
        JSON_LIST("extensions", struct kube_access, plugin_config, read_extension),
        JSON_READ("proxy-url", struct kube_access, proxy, read_proxy),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    bool is_good = read_part(part, &fields, check_cluster, access, error);
    prefer_pem(&access->ca_file, access->ca_pem);
    kube_text_resolve(folder, &access->ca_file);
    return is_good;
}

static void read_token(struct json_walk *walk, void *at) {
    char **token = at;
    (void)json_walk_string(walk, token);
    if (*token != NULL && !kube_text_is_token(*token)) {
        json_walk_fail(walk, "has a blank or a character that no token can have");
    }
}

static void check_user(struct json_walk *walk, const void *into) {
    const struct kube_access *access = into;
    bool has_certificate = access->certificate_file != NULL || access->certificate_pem != NULL;
    bool has_key = access->key_file != NULL || access->key_pem != NULL;
    if (has_certificate && !has_key) {
        json_walk_fail(walk, "there is a client-certificate and no client-key");
    } else if (has_key && !has_certificate) {
        json_walk_fail(walk, "there is a client-key and no client-certificate");
    }
    kubeconfig_check_as(walk, access->impersonation);
}

#define BASIC                                                                                      \
    "a user name and a password are not supported, since no API server takes them any more; "      \
    "use a token, a client certificate or exec"

bool kubeconfig_decode_user(const struct kubeconfig_part *part, const char *folder,
                            struct kube_access *access, struct error *error) {
    static const struct json_field rows[] = {
        JSON_STRING("client-certificate", struct kube_access, certificate_file),
        JSON_READ("client-certificate-data", struct kube_access, certificate_pem, read_pem),
        JSON_STRING("client-key", struct kube_access, key_file),
        JSON_READ("client-key-data", struct kube_access, key_pem, read_pem),
        JSON_READ("token", struct kube_access, token, read_token),
        JSON_STRING("tokenFile", struct kube_access, token_file),
        JSON_READ("exec", struct kube_access, plugin, kubeconfig_read_exec),
        JSON_REFUSED("username", BASIC),
        JSON_REFUSED("password", BASIC),
        JSON_REFUSED("auth-provider", "an auth-provider is not supported; use exec"),
        JSON_READ("as", struct kube_access, impersonation, kubeconfig_read_as),
        JSON_READ("as-uid", struct kube_access, impersonation, kubeconfig_read_as_uid),
        JSON_READ("as-groups", struct kube_access, impersonation, kubeconfig_read_as_groups),
        JSON_READ("as-user-extra", struct kube_access, impersonation, kubeconfig_read_as_extra),
    };
    static const struct json_fields fields = JSON_FIELDS(rows);
    bool is_good = read_part(part, &fields, check_user, access, error);
    prefer_pem(&access->certificate_file, access->certificate_pem);
    prefer_pem(&access->key_file, access->key_pem);
    kube_text_resolve(folder, &access->certificate_file);
    kube_text_resolve(folder, &access->key_file);
    kube_text_resolve(folder, &access->token_file);
    kubeconfig_resolve_plugin(folder, access->plugin);
    return is_good;
}
