// SPDX-License-Identifier: Apache-2.0
#include "edge/kube.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/memory.h"
#include "edge/clock.h"
#include "kube_call.h"
#include "kube_credential.h"
#include "kube_curl.h"
#include "kube_fault.h"
#include "kube_target.h"
#include "kube_transfer.h"

enum {
    IDLE_HANDLES_MAX = 4,
    /* While a credential plugin runs, kube_wait() checks its time limit this often. */
    CREDENTIAL_LOOK_MS = 1000,
    /* The Date of an answer that took longer is ignored. If this process was stopped meanwhile, the
       answer has waited, and its Date is old. */
    DATED_ANSWER_MAX_MS = 60000,
};

struct kube {
    struct kube_curl curl;
    struct kube_target target;
    struct kube_credential *credential;
    struct kube_transfer_options options;
    size_t connections_max;
    void (*on_exchange)(void *context, const struct kube_exchange *exchange); /* or NULL */
    void *context;

    CURLM *multi;
    CURL *idle[IDLE_HANDLES_MAX];
    size_t n_idle;

    struct kube_call *first; /* in the order of kube_begin() */
    struct kube_call *last;
    size_t n_running;

    bool is_in_wait;
    bool has_happened;          /* kube_wait() returns for it */
    bool is_credential_pending; /* calls wait for a credential */
    uint64_t round;             /* how many credentials were refused */
    bool is_round_hopeful;      /* asking again after the last refusal may help */

    bool has_date;        /* an answer has told the server's time ... */
    int64_t date_at_ms;   /* ... the newest one at this time ... */
    int64_t date_less_ms; /* ... and this is its clock, less clock_boot_ms() */

    struct curl_waitfd *waits;
    size_t waits_size;
};

static bool start_multi(struct kube *kube, struct error *error) {
    const struct kube_curl *curl = &kube->curl;
    kube->multi = curl->multi_init();
    if (kube->multi == NULL) {
        return error_set(error, ERROR_INTERNAL, "libcurl cannot start");
    }
    long max = (long)kube->connections_max;
    curl->multi_setopt(kube->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max);
    curl->multi_setopt(kube->multi, CURLMOPT_MAXCONNECTS, max);
    curl->multi_setopt(kube->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return true;
}

static void auto_free(struct kube **kube) {
    kube_free(*kube);
}

bool kube_new(const struct kube_options *options, struct kube **ret_kube, struct error *error) {
    AUTO(auto_free) struct kube *kube = memory_new(1, sizeof(*kube));
    if (!kube_target_check_files(options->access, error) ||
        !kube_curl_load(KUBE_CURL_LIBRARY, &kube->curl, error) ||
        !kube_target_init(&kube->curl, options->access, &kube->target, error)) {
        return false;
    }
    kube->connections_max = options->connections_max;
    kube->on_exchange = options->on_exchange;
    kube->context = options->context;
    kube->options = (struct kube_transfer_options){
        .access = options->access,
        .target = &kube->target,
        .user_agent = options->user_agent,
    };
    if (!start_multi(kube, error)) {
        return false;
    }
    kube->credential = kube_credential_new(options->access);
    *ret_kube = TAKE(kube);
    return true;
}

/* Takes the call's handle from libcurl. If the transfer is not over, its connection ends too. */
static void stop_transfer(struct kube *kube, struct kube_call *call) {
    if (call->easy != NULL) {
        CURL *easy = TAKE(call->easy);
        kube->curl.multi_remove_handle(kube->multi, easy);
        kube->n_running--;
        if (kube->n_idle < IDLE_HANDLES_MAX) {
            kube->curl.easy_reset(easy);
            kube->idle[kube->n_idle++] = easy;
        } else {
            kube->curl.easy_cleanup(easy);
        }
    }
    if (call->headers != NULL) {
        kube->curl.slist_free_all(TAKE(call->headers));
    }
}

/* A query may hold anything, so nobody is told of it. */
static void tell(const struct kube *kube, const struct kube_call *call, bool is_begin) {
    if (kube->on_exchange == NULL) {
        return;
    }
    AUTO_FREE char *path = memory_copy(call->path, strcspn(call->path, "?"));
    const struct kube_exchange exchange = {
        .is_begin = is_begin,
        .method = kube_fault_verb(call->request.verb),
        .path = path,
        .status = is_begin ? 0 : call->incoming.status,
        .milliseconds = is_begin ? 0 : clock_boot_ms() - call->began_ms,
        .n_bytes = is_begin ? 0 : call->incoming.n_bytes,
    };
    kube->on_exchange(kube->context, &exchange);
}

/* Each call ends here, whether it was answered or cancelled. */
static void free_call(struct kube *kube, struct kube_call *call) {
    tell(kube, call, false);
    stop_transfer(kube, call);
    *(call->previous == NULL ? &kube->first : &call->previous->next) = call->next;
    *(call->next == NULL ? &kube->last : &call->next->previous) = call->previous;
    kube_call_free(call);
}

void kube_free(struct kube *kube) {
    if (kube == NULL) {
        return;
    }
    while (kube->first != NULL) {
        free_call(kube, kube->first);
    }
    while (kube->n_idle > 0) {
        kube->curl.easy_cleanup(kube->idle[--kube->n_idle]);
    }
    if (kube->multi != NULL) {
        kube->curl.multi_cleanup(kube->multi);
    }
    kube_credential_free(kube->credential);
    kube_target_fini(&kube->curl, &kube->target);
    kube_curl_unload(&kube->curl);
    free(kube->waits);
    free(kube);
}

struct kube_call *kube_begin(struct kube *kube, const struct kube_request *request) {
    assert(request->path[0] == '/' && request->done != NULL);
    assert((request->verb == KUBE_WATCH) == (request->line != NULL));
    struct kube_call *call = kube_call_new(&kube->curl, request);
    call->previous = kube->last;
    *(kube->last == NULL ? &kube->first : &kube->last->next) = call;
    kube->last = call;
    if (request->verb == KUBE_WATCH) {
        tell(kube, call, true);
    }
    return call;
}

/* libcurl forbids removing a handle within its own callbacks, which deliver lines. So a call that
   is cancelled there is freed after they have returned. */
void kube_cancel(struct kube *kube, struct kube_call *call) {
    call->is_over = true;
    call->incoming.is_stopped = true;
    if (!kube->is_in_wait) {
        free_call(kube, call);
    }
}

static void free_what_is_over(struct kube *kube) {
    struct kube_call *next = NULL;
    for (struct kube_call *call = kube->first; call != NULL; call = next) {
        next = call->next;
        if (call->is_over) {
            free_call(kube, call);
        }
    }
}

static void start(struct kube *kube, struct kube_call *call, const struct kube_identity *identity) {
    struct error error;
    CURL *easy = kube->n_idle > 0 ? kube->idle[--kube->n_idle] : kube->curl.easy_init();
    if (easy == NULL || !kube_transfer_prepare(call, &kube->options, identity, easy) ||
        kube->curl.multi_add_handle(kube->multi, easy) != CURLM_OK) {
        if (easy != NULL) {
            kube->curl.easy_cleanup(easy);
        }
        error_set(&error, ERROR_INTERNAL, "libcurl: %s",
                  call->reason[0] == '\0' ? "no handle" : call->reason);
        stop_transfer(kube, call);
        kube_call_end_failed(call, &error);
        return;
    }
    call->easy = easy;
    call->state = KUBE_CALL_RUNNING;
    call->round = kube->round;
    call->sent_ms = clock_boot_ms();
    kube->n_running++;
}

static void start_what_waits(struct kube *kube) {
    struct kube_identity identity;
    struct error error;
    kube->is_credential_pending = false;
    for (struct kube_call *call = kube->first; call != NULL; call = call->next) {
        if (kube->n_running >= kube->connections_max) {
            return;
        }
        if (call->state != KUBE_CALL_WAITING) {
            continue;
        }
        switch (kube_credential_get(kube->credential, clock_boot_ms(), &identity, &error)) {
        case KUBE_CREDENTIAL_READY:
            start(kube, call, &identity);
            break;
        case KUBE_CREDENTIAL_FAILED:
            kube_call_end_failed(call, &error);
            break;
        case KUBE_CREDENTIAL_PENDING:
            kube->is_credential_pending = true;
            return;
        }
    }
}

/* Several requests may have used the credential that the first 401 refused. */
static bool is_to_be_retried(struct kube *kube, const struct kube_call *call) {
    if (call->incoming.status != HTTP_STATUS_UNAUTHORIZED || call->is_retried) {
        return false;
    }
    if (call->round == kube->round) {
        kube->is_round_hopeful = kube_credential_refuse(kube->credential);
        kube->round++;
    }
    return kube->is_round_hopeful;
}

static void end(struct kube *kube, struct kube_call *call, CURLcode code) {
    call->incoming.status = kube_call_status(call);
    if (is_to_be_retried(kube, call)) {
        kube_incoming_restart(&call->incoming);
        call->is_retried = true;
        call->state = KUBE_CALL_WAITING;
        kube->has_happened = true;
    } else {
        kube_call_end(call, code);
    }
    stop_transfer(kube, call);
}

static void end_what_is_done(struct kube *kube) {
    const CURLMsg *message = NULL;
    int n_left = 0;
    while ((message = kube->curl.multi_info_read(kube->multi, &n_left)) != NULL) {
        CURLcode code = message->data.result;
        char *call = NULL;
        kube->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
        end(kube, (struct kube_call *)(void *)call, code);
    }
}

static void end_what_is_late(struct kube *kube) {
    int64_t now_ms = clock_boot_ms();
    for (struct kube_call *call = kube->first; call != NULL; call = call->next) {
        if (call->state != KUBE_CALL_ENDED && !call->is_over && call->deadline_ms <= now_ms) {
            kube_call_end_late(call);
            stop_transfer(kube, call);
        }
    }
}

/* The callbacks may begin and cancel calls: new calls go to the end of the list, and cancelled ones
   are freed only later. */
static void answer_what_ended(struct kube *kube) {
    for (struct kube_call *call = kube->first; call != NULL; call = call->next) {
        if (call->state == KUBE_CALL_ENDED && !call->is_over) {
            call->is_over = true;
            kube->has_happened = true;
            kube_call_answer(call);
        }
    }
}

/* Keeps the Date of the newest answer. */
static void note_dates(struct kube *kube) {
    for (const struct kube_call *call = kube->first; call != NULL; call = call->next) {
        const struct kube_incoming *incoming = &call->incoming;
        bool is_quick = incoming->date_at_ms - call->sent_ms <= DATED_ANSWER_MAX_MS;
        bool is_newer = !kube->has_date || incoming->date_at_ms >= kube->date_at_ms;
        if (incoming->has_date && is_quick && is_newer) {
            kube->has_date = true;
            kube->date_at_ms = incoming->date_at_ms;
            kube->date_less_ms = incoming->date_s * 1000 - incoming->date_at_ms;
        }
    }
}

static void turn(struct kube *kube) {
    int n_running = 0;
    free_what_is_over(kube);
    /* If the process was stopped, requests may be late before they are sent. */
    end_what_is_late(kube);
    start_what_waits(kube);
    kube->curl.multi_perform(kube->multi, &n_running);
    note_dates(kube);
    end_what_is_done(kube);
    end_what_is_late(kube);
    for (struct kube_call *call = kube->first; call != NULL; call = call->next) {
        kube->has_happened |= call->incoming.has_called;
        call->incoming.has_called = false;
    }
    answer_what_ended(kube);
    free_what_is_over(kube);
}

static int64_t patience(const struct kube *kube, int64_t timeout_ms) {
    int64_t now_ms = clock_boot_ms();
    int64_t wait_ms = kube->has_happened ? 0 : timeout_ms;
    if (kube->is_credential_pending) {
        wait_ms = MIN(wait_ms, CREDENTIAL_LOOK_MS);
    }
    for (const struct kube_call *call = kube->first; call != NULL; call = call->next) {
        wait_ms = MIN(wait_ms, call->deadline_ms - now_ms);
    }
    return MIN(MAX(wait_ms, 0), INT_MAX);
}

static short wait_events(short events) {
    return (short)((events & POLLIN ? CURL_WAIT_POLLIN : 0) |
                   (events & POLLPRI ? CURL_WAIT_POLLPRI : 0) |
                   (events & POLLOUT ? CURL_WAIT_POLLOUT : 0));
}

static size_t list_waits(struct kube *kube, const struct pollfd *others, size_t n_others) {
    if (kube->waits_size < n_others + 1) {
        kube->waits_size = n_others + 1;
        kube->waits = memory_resize(kube->waits, kube->waits_size, sizeof(*kube->waits));
    }
    size_t n = 0;
    for (size_t i = 0; i < n_others; i++) {
        if (others[i].fd >= 0) {
            kube->waits[n++] =
                (struct curl_waitfd){.fd = others[i].fd, .events = wait_events(others[i].events)};
        }
    }
    int plugin = kube_credential_descriptor(kube->credential);
    if (plugin >= 0) {
        kube->waits[n++] = (struct curl_waitfd){.fd = plugin, .events = CURL_WAIT_POLLIN};
    }
    return n;
}

void kube_wait(struct kube *kube, struct pollfd *others, size_t n_others, int64_t timeout_ms) {
    assert(!kube->is_in_wait);
    kube->is_in_wait = true;
    kube->has_happened = false;
    turn(kube);
    size_t n = list_waits(kube, others, n_others);
    kube->curl.multi_poll(kube->multi, kube->waits, (unsigned)n, (int)patience(kube, timeout_ms),
                          NULL);
    /* libcurl reports fewer events than poll(): neither POLLHUP nor POLLERR. */
    poll(others, n_others, 0);
    turn(kube);
    kube->is_in_wait = false;
}

void kube_wake(struct kube *kube) {
    kube->curl.multi_wakeup(kube->multi);
}

bool kube_server_wall_s(const struct kube *kube, int64_t now_ms, int64_t *ret_seconds) {
    *ret_seconds = kube->has_date ? (now_ms + kube->date_less_ms) / 1000 : 0;
    return kube->has_date;
}

int64_t kube_wall_s(const struct kube *kube, int64_t now_ms) {
    int64_t server_s;
    return kube_server_wall_s(kube, now_ms, &server_s) ? server_s : clock_wall_seconds();
}
