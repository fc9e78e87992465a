// SPDX-License-Identifier: Apache-2.0
#include "kubeconfig_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "kube_field.h"
#include "kube_text.h"
#include "kubeconfig_exec.h"

/* https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ (Cluster.config) */
#define PLUGIN_EXTENSION "client.authentication.k8s.io/exec"

void kubeconfig_context_fini(struct kubeconfig_context *context) {
    free(context->cluster);
    free(context->user);
    free(context->namespace);
    *context = (struct kubeconfig_context){.cluster = NULL};
}

static void read_namespace(struct kube_field_reader *reader, const char *path, void *target) {
    char **namespace = target;
    kube_field_read_text(reader, path, target);
    if (*namespace != NULL && !text_is_dns_label(*namespace)) {
        kube_field_fail_about(reader, path, *namespace, "is not the name of a namespace");
    }
}

bool kubeconfig_decode_context(const struct kubeconfig_part *part,
                               struct kubeconfig_context *context, struct error *error) {
    static const struct kube_field fields[] = {
        {"cluster", kube_field_read_text, offsetof(struct kubeconfig_context, cluster), NULL},
        {"user", kube_field_read_text, offsetof(struct kubeconfig_context, user), NULL},
        {"namespace", read_namespace, offsetof(struct kubeconfig_context, namespace), NULL},
    };
    struct kube_field_reader reader;
    kube_field_begin(&reader, part, "", error);
    kube_field_read_mapping(&reader, part->path, fields, COUNT_OF(fields), context);
    if (context->cluster == NULL) {
        kube_field_fail_below(&reader, part, "cluster", "must be given");
    }
    return kube_field_finish(&reader);
}

/* What stands behind the host: nothing or ":port". */
static bool is_port(const char *text, size_t size) {
    char digits[8] = "";
    int64_t port;
    if (size < 2 || size > sizeof(digits) || text[0] != ':') {
        return size == 0;
    }
    memcpy(digits, text + 1, size - 1);
    return text_parse_integer(digits, 1, 65535, &port);
}

/* What is wrong with "host:port" and what follows it, or NULL. */
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

static void read_server(struct kube_field_reader *reader, const char *path, void *target) {
    char **server = target;
    kube_field_read_text(reader, path, target);
    if (*server == NULL || reader->has_failed) {
        return;
    }
    size_t size = strlen(*server);
    size_t scheme_size = strncmp(*server, "https://", 8) == 0  ? 8
                         : strncmp(*server, "http://", 7) == 0 ? 7
                                                               : 0;
    if (scheme_size == 0) {
        kube_field_fail(reader, path, "must begin with https:// or http://");
        return;
    }
    while (size > scheme_size && (*server)[size - 1] == '/') {
        (*server)[--size] = '\0';
    }
    const char *fault = find_fault(*server + scheme_size);
    if (fault != NULL) {
        kube_field_fail(reader, path, fault);
    }
}

/* The pair ..._file and ..._pem: what is in the kubeconfig itself is used, as client-go does. */
static void prefer_pem(char **file, const char *pem) {
    if (pem != NULL) {
        free(TAKE(*file));
    }
}

struct extension {
    char *name;
    char *json;
};

static void extension_fini(struct extension *extension) {
    free(extension->name);
    free(extension->json);
}

static void read_json(struct kube_field_reader *reader, const char *path, void *target) {
    char **json = target;
    struct json_text raw;
    (void)path;
    bool is_null = json_peek(&reader->json) == JSON_NULL;
    if (json_read_raw(&reader->json, &raw) && !is_null) {
        free(*json);
        *json = memory_copy(raw.at, raw.size);
    }
}

/* Others have their own meaning for others. */
static void read_extension(struct kube_field_reader *reader, const char *path, void *target) {
    static const struct kube_field fields[] = {
        {"name", kube_field_read_text, offsetof(struct extension, name), NULL},
        {"extension", read_json, offsetof(struct extension, json), NULL},
    };
    AUTO(extension_fini) struct extension extension = {NULL, NULL};
    char **config = target;
    kube_field_read_mapping(reader, path, fields, COUNT_OF(fields), &extension);
    if (extension.name != NULL && strcmp(extension.name, PLUGIN_EXTENSION) == 0) {
        free(*config);
        *config = TAKE(extension.json);
    }
}

static void read_extensions(struct kube_field_reader *reader, const char *path, void *target) {
    kube_field_read_list(reader, path, read_extension, target);
}

bool kubeconfig_decode_cluster(const struct kubeconfig_part *part, const char *folder,
                               struct kube_access *access, struct error *error) {
    static const struct kube_field fields[] = {
        {"server", read_server, offsetof(struct kube_access, server), NULL},
        {"certificate-authority", kube_field_read_file, offsetof(struct kube_access, ca_file),
         NULL},
        {"certificate-authority-data", kube_field_read_pem, offsetof(struct kube_access, ca_pem),
         NULL},
        {"insecure-skip-tls-verify", kube_field_read_bool,
         offsetof(struct kube_access, is_insecure), NULL},
        {"tls-server-name", kube_field_read_text, offsetof(struct kube_access, tls_server_name),
         NULL},
        {"extensions", read_extensions, offsetof(struct kube_access, plugin_config), NULL},
        {"proxy-url", NULL, 0, "a proxy is not supported"},
    };
    struct kube_field_reader reader;
    kube_field_begin(&reader, part, folder, error);
    kube_field_read_mapping(&reader, part->path, fields, COUNT_OF(fields), access);
    if (access->server == NULL) {
        kube_field_fail_below(&reader, part, "server", "must be given");
    }
    prefer_pem(&access->ca_file, access->ca_pem);
    if (access->is_insecure && (access->ca_file != NULL || access->ca_pem != NULL)) {
        kube_field_fail_below(
            &reader, part, NULL,
            "specifying a root certificates file with the insecure flag is not allowed");
    }
    return kube_field_finish(&reader);
}

static void read_token(struct kube_field_reader *reader, const char *path, void *target) {
    char **token = target;
    kube_field_read_text(reader, path, target);
    if (*token != NULL && !kube_text_is_token(*token)) {
        kube_field_fail(reader, path, "has a blank or a character that no token can have");
    }
}

static void check_pair(struct kube_field_reader *reader, const struct kubeconfig_part *part,
                       const struct kube_access *access) {
    bool has_certificate = access->certificate_file != NULL || access->certificate_pem != NULL;
    bool has_key = access->key_file != NULL || access->key_pem != NULL;
    if (has_certificate && !has_key) {
        kube_field_fail_below(reader, part, NULL,
                              "there is a client-certificate and no client-key");
    } else if (has_key && !has_certificate) {
        kube_field_fail_below(reader, part, NULL,
                              "there is a client-key and no client-certificate");
    }
}

bool kubeconfig_decode_user(const struct kubeconfig_part *part, const char *folder,
                            struct kube_access *access, struct error *error) {
    static const char basic[] = "a user name and a password are not supported, since no API server "
                                "takes them any more; use a token, a client certificate or exec";
    static const char impersonation[] = "impersonation is not supported";
    static const struct kube_field fields[] = {
        {"client-certificate", kube_field_read_file, offsetof(struct kube_access, certificate_file),
         NULL},
        {"client-certificate-data", kube_field_read_pem,
         offsetof(struct kube_access, certificate_pem), NULL},
        {"client-key", kube_field_read_file, offsetof(struct kube_access, key_file), NULL},
        {"client-key-data", kube_field_read_pem, offsetof(struct kube_access, key_pem), NULL},
        {"token", read_token, offsetof(struct kube_access, token), NULL},
        {"tokenFile", kube_field_read_file, offsetof(struct kube_access, token_file), NULL},
        {"exec", kubeconfig_read_exec, offsetof(struct kube_access, plugin), NULL},
        {"username", NULL, 0, basic},
        {"password", NULL, 0, basic},
        {"auth-provider", NULL, 0, "an auth-provider is not supported; use exec"},
        {"as", NULL, 0, impersonation},
        {"as-uid", NULL, 0, impersonation},
        {"as-groups", NULL, 0, impersonation},
        {"as-user-extra", NULL, 0, impersonation},
    };
    struct kube_field_reader reader;
    kube_field_begin(&reader, part, folder, error);
    kube_field_read_mapping(&reader, part->path, fields, COUNT_OF(fields), access);
    prefer_pem(&access->certificate_file, access->certificate_pem);
    prefer_pem(&access->key_file, access->key_pem);
    check_pair(&reader, part, access);
    return kube_field_finish(&reader);
}
