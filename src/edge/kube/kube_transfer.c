// SPDX-License-Identifier: Apache-2.0
#include "kube_transfer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    /* Without these, a quiet connection, such as that of a watch, would hang for ever if the peer
       vanished silently. */
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 10,
    USER_TIMEOUT_MS = 30000,
    /* kube-apiserver closes unused connections after 90 s. Close them earlier. */
    IDLE_MAX_S = 60,
};

/* Sets options and keeps the first refusal of libcurl. */
struct setup {
    const struct kube_curl *curl;
    CURL *easy;
    CURLcode code;
};

static void keep(struct setup *setup, CURLcode code) {
    if (setup->code == CURLE_OK) {
        setup->code = code;
    }
}

static void set_number(struct setup *setup, CURLoption option, long value) {
    keep(setup, setup->curl->easy_setopt(setup->easy, option, value));
}

static void set_pointer(struct setup *setup, CURLoption option, const void *value) {
    keep(setup, setup->curl->easy_setopt(setup->easy, option, value));
}

static void set_pem(struct setup *setup, CURLoption option, const char *pem) {
    struct curl_blob blob = {
        .data = (void *)(uintptr_t)pem,
        .len = strlen(pem),
        .flags = CURL_BLOB_COPY,
    };
    keep(setup, setup->curl->easy_setopt(setup->easy, option, &blob));
}

static size_t on_header(char *bytes, size_t one, size_t size, void *context) {
    (void)one;
    struct kube_call *call = context;
    kube_incoming_add_header(&call->incoming, bytes, size);
    return size;
}

static size_t on_bytes(char *bytes, size_t one, size_t size, void *context) {
    (void)one;
    struct kube_call *call = context;
    call->incoming.status = kube_call_status(call);
    /* Any number but `size` ends the transfer. */
    return kube_incoming_add(&call->incoming, bytes, size) ? size : size + 1;
}

static int on_socket(void *context, curl_socket_t descriptor, curlsocktype purpose) {
    (void)context;
    (void)purpose;
    unsigned timeout_ms = USER_TIMEOUT_MS;
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof(timeout_ms));
    return CURL_SOCKOPT_OK;
}

static void set_connection(struct setup *setup) {
    set_number(setup, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_pointer(setup, CURLOPT_PROTOCOLS_STR, "http,https");
    set_number(setup, CURLOPT_FOLLOWLOCATION, 0);
    set_number(setup, CURLOPT_PATH_AS_IS, 1);
    set_number(setup, CURLOPT_NOSIGNAL, 1);
    /* Cancelling a request does not wait for its name lookup. */
    set_number(setup, CURLOPT_QUICK_EXIT, 1);
    set_number(setup, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    set_number(setup, CURLOPT_MAXAGE_CONN, IDLE_MAX_S);
    set_number(setup, CURLOPT_TCP_NODELAY, 1);
    set_number(setup, CURLOPT_TCP_KEEPALIVE, 1);
    set_number(setup, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set_number(setup, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    keep(setup, setup->curl->easy_setopt(setup->easy, CURLOPT_SOCKOPTFUNCTION, on_socket));
}

/* An empty text keeps libcurl from the environment, which kube_proxy has read. */
static void set_proxy(struct setup *setup, const struct kube_access *access) {
    set_pointer(setup, CURLOPT_PROXY, access->proxy != NULL ? access->proxy : "");
    set_pointer(setup, CURLOPT_NOPROXY, access->no_proxy != NULL ? access->no_proxy : "");
    /* The answer of the proxy to CONNECT is not the API server's. */
    set_number(setup, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
}

/* Trusts the CAs of the system. Given a file and a folder, libcurl would load the file for each
   connection; given only the file, it caches it. */
static void trust_system(struct setup *setup) {
    char *file = NULL;
    keep(setup, setup->curl->easy_getinfo(setup->easy, CURLINFO_CAINFO, &file));
    if (file != NULL && access(file, R_OK) == 0) {
        set_pointer(setup, CURLOPT_CAPATH, NULL);
    }
}

static void set_trust(struct setup *setup, const struct kube_access *trust) {
    set_number(setup, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    /* A resumed session is not checked against the current CA, and keeps the client certificate of
       the first handshake. */
    set_number(setup, CURLOPT_SSL_SESSIONID_CACHE, 0);
    set_number(setup, CURLOPT_SSL_VERIFYPEER, !trust->is_insecure);
    set_number(setup, CURLOPT_SSL_VERIFYHOST, trust->is_insecure ? 0 : 2);
    if (trust->is_insecure) {
        return;
    }
    if (trust->ca_file == NULL && trust->ca_pem == NULL) {
        trust_system(setup);
        return;
    }
    /* Otherwise libcurl would also trust the CAs of the system. */
    set_pointer(setup, CURLOPT_CAPATH, NULL);
    set_pointer(setup, CURLOPT_CAINFO, trust->ca_file);
    if (trust->ca_file == NULL) {
        set_pem(setup, CURLOPT_CAINFO_BLOB, trust->ca_pem);
    }
    /* The file may be replaced, so each handshake reads it. */
    set_number(setup, CURLOPT_CA_CACHE_TIMEOUT, 0);
}

/* As texts, never as paths: libcurl reuses a connection if the path or the text is the same, and
   kube-apiserver checks the certificate of the connection with each request. A file with the same
   path may have changed. */
static void set_identity(struct setup *setup, const struct kube_identity *identity) {
    if (identity->certificate_pem != NULL) {
        set_pem(setup, CURLOPT_SSLCERT_BLOB, identity->certificate_pem);
    }
    if (identity->key_pem != NULL) {
        set_pem(setup, CURLOPT_SSLKEY_BLOB, identity->key_pem);
    }
}

static void add_header(struct setup *setup, struct kube_call *call, const char *header) {
    struct curl_slist *longer = setup->curl->slist_append(call->headers, header);
    if (longer == NULL) {
        keep(setup, CURLE_OUT_OF_MEMORY);
        return;
    }
    call->headers = longer;
}

static void add_token(struct setup *setup, struct kube_call *call, const char *token) {
    AUTO_FREE_SECRET char *header = memory_format("Authorization: Bearer %s", token);
    add_header(setup, call, header);
}

static void set_url(struct setup *setup, const char *server, const char *path) {
    AUTO_FREE char *url = memory_format("%s%s", server, path);
    set_pointer(setup, CURLOPT_URL, url);
}

static void set_method(struct setup *setup, struct kube_call *call) {
    static const struct {
        const char *method;
        const char *content_type;
    } verbs[] = {
        [KUBE_GET] = {"GET", NULL},
        [KUBE_WATCH] = {"GET", NULL},
        [KUBE_CREATE] = {"POST", "Content-Type: application/json"},
        [KUBE_REPLACE] = {"PUT", "Content-Type: application/json"},
        [KUBE_APPLY] = {"PATCH", "Content-Type: application/apply-patch+yaml"},
        [KUBE_MERGE] = {"PATCH", "Content-Type: application/merge-patch+json"},
        [KUBE_PATCH] = {"PATCH", "Content-Type: application/json-patch+json"},
        [KUBE_DELETE] = {"DELETE", "Content-Type: application/json"},
    };
    enum kube_verb verb = call->request.verb;
    add_header(setup, call, "Accept: application/json");
    if (verbs[verb].content_type == NULL) {
        set_number(setup, CURLOPT_HTTPGET, 1);
        if (verb == KUBE_GET) {
            set_pointer(setup, CURLOPT_ACCEPT_ENCODING, "");
        }
        return;
    }
    keep(setup, setup->curl->easy_setopt(setup->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                         (curl_off_t)call->request.body_size));
    set_pointer(setup, CURLOPT_POSTFIELDS, call->body);
    set_pointer(setup, CURLOPT_CUSTOMREQUEST, verbs[verb].method);
    add_header(setup, call, verbs[verb].content_type);
    /* Otherwise a large body would wait a second for "100 Continue". */
    add_header(setup, call, "Expect:");
}

bool kube_transfer_prepare(struct kube_call *call, const struct kube_transfer_options *options,
                           const struct kube_identity *identity, CURL *easy) {
    struct setup setup = {.curl = call->curl, .easy = easy, .code = CURLE_OK};
    call->reason[0] = '\0';
    set_connection(&setup);
    set_proxy(&setup, options->access);
    set_trust(&setup, options->access);
    set_identity(&setup, identity);
    set_url(&setup, options->target->url, call->path);
    set_method(&setup, call);
    if (identity->token != NULL) {
        add_token(&setup, call, identity->token);
    }
    for (char **header = options->access->impersonation; header != NULL && *header != NULL;
         header++) {
        add_header(&setup, call, *header);
    }
    if (options->target->host_header != NULL) {
        add_header(&setup, call, options->target->host_header);
    }
    set_pointer(&setup, CURLOPT_CONNECT_TO, options->target->connect_to);
    set_pointer(&setup, CURLOPT_HTTPHEADER, call->headers);
    set_pointer(&setup, CURLOPT_USERAGENT, options->user_agent);
    set_pointer(&setup, CURLOPT_PRIVATE, call);
    set_pointer(&setup, CURLOPT_ERRORBUFFER, call->reason);
    set_pointer(&setup, CURLOPT_HEADERDATA, call);
    set_pointer(&setup, CURLOPT_WRITEDATA, call);
    keep(&setup, call->curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
    keep(&setup, call->curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes));
    if (setup.code != CURLE_OK && call->reason[0] == '\0') {
        strcpy(call->reason, call->curl->easy_strerror(setup.code));
    }
    return setup.code == CURLE_OK;
}
