// SPDX-License-Identifier: Apache-2.0
#include "elect.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"
#include "api.h"
#include "base/http_status.h"
#include "base/memory.h"
#include "chance.h"
#include "complaint_log.h"
#include "core/cluster/lease.h"
#include "edge/clock.h"

#define LEASES_PATH "/apis/coordination.k8s.io/v1/namespaces/%s/leases"

enum { ANSWER_MAX = 1 << 20, BODY_MAX = 16 * 1024 };

struct elect {
    struct kube *kube;
    const char *namespace;
    bool is_alone;
    struct log *log;
    struct metrics *metrics;
    struct lease lease;
    char identity[LEASE_HOLDER_SIZE];
    bool did_lead; /* as the log last said */
    bool is_releasing;
    struct complaint complaint;
};

struct elect *elect_new(struct kube *kube, const char *namespace, bool is_alone, struct log *log,
                        struct metrics *metrics) {
    struct elect *elect = memory_new(1, sizeof(*elect));
    char host[65] = "";
    elect->kube = kube;
    elect->namespace = namespace;
    elect->is_alone = is_alone;
    elect->log = log;
    elect->metrics = metrics;
    (void)gethostname(host, sizeof(host) - 1);
    snprintf(elect->identity, sizeof(elect->identity), "%s_%08x%08x", host, chance_draw(),
             chance_draw());
    lease_init(&elect->lease, elect->identity);
    metrics_set(metrics, METRIC_LEADER, is_alone);
    return elect;
}

void elect_free(struct elect *elect) {
    free(elect);
}

static void log_leadership(struct elect *elect, int64_t now_ms) {
    bool leads = elect_leads(elect, now_ms);
    if (leads == elect->did_lead) {
        return;
    }
    elect->did_lead = leads;
    metrics_set(elect->metrics, METRIC_LEADER, leads);
    if (leads || elect->is_releasing) {
        log_event(elect->log, LOG_INFO, leads ? "leader.elected" : "leader.released",
                  LOG_TEXT("identity", elect->identity), LOG_TEXT("namespace", elect->namespace));
    } else {
        log_event(elect->log, LOG_WARN, "leader.lost", LOG_TEXT("identity", elect->identity),
                  LOG_TEXT("namespace", elect->namespace), LOG_TEXT("holder", elect_holder(elect)),
                  LOG_TEXT("hint", "this replica writes nothing until it holds the Lease again; if "
                                   "this comes often, see whether the API server is slow"));
    }
}

/* A conflict is a lost election, and 404 is the beginning of the first one: neither is a failure.
 */
static void log_failure(struct elect *elect, const struct kube_answer *answer, bool is_read,
                        const char *problem) {
    bool is_usual =
        answer->status == HTTP_STATUS_CONFLICT || answer->status == HTTP_STATUS_NOT_FOUND;
    if (is_usual || (answer->is_good && is_read)) {
        complaint_settle(&elect->complaint);
        return;
    }
    int64_t times = complaint_raise(&elect->complaint, "", clock_boot_ms());
    if (times > 0) {
        log_event(elect->log, LOG_WARN, "leader.failed",
                  LOG_TEXT("problem", answer->is_good ? problem : answer->error.text),
                  LOG_INTEGER("times", times),
                  LOG_TEXT("hint",
                           "without the Lease this replica writes nothing; see to its right "
                           "to get, create and update leases, and to what is in the "
                           "Lease " ELECT_LEASE_NAME));
    }
}

static void on_answer(void *context, const struct kube_answer *answer) {
    struct elect *elect = context;
    struct lease_record record;
    struct error error = {.text = ""};
    bool is_lease = answer_shows(answer, "Lease", ELECT_LEASE_NAME);
    bool is_usable = is_lease && lease_read(answer->body, answer->body_size, &record, &error);
    /* The answer to a write that shows another record is none. */
    bool is_read = is_usable && lease_is_shown(&elect->lease, &record);
    int64_t now_ms = clock_boot_ms();
    log_failure(elect, answer, is_read, is_lease && !is_usable ? error.text : ANSWER_FOREIGN);
    /* Somebody has written nonsense into it. It must not hold the Lease for ever. */
    is_read = is_read || (is_lease && !is_usable &&
                          lease_read_unusable(answer->body, answer->body_size, &record));
    lease_answer(&elect->lease, now_ms, chance_draw(), answer->status, is_read ? &record : NULL);
    log_leadership(elect, now_ms);
}

static void ask(struct elect *elect, const struct lease_order *order) {
    static const enum kube_verb verbs[] = {
        [LEASE_GET] = KUBE_GET, [LEASE_CREATE] = KUBE_CREATE, [LEASE_REPLACE] = KUBE_REPLACE};
    AUTO(buffer_fini) struct buffer body;
    char path[API_PATH_SIZE];
    bool has_name = order->verb != LEASE_CREATE;
    snprintf(path, sizeof(path), LEASES_PATH "%s", elect->namespace,
             has_name ? "/" ELECT_LEASE_NAME : "");
    buffer_init(&body, BODY_MAX);
    if (order->verb != LEASE_GET) {
        lease_write(&order->record, elect->namespace, ELECT_LEASE_NAME, &body);
    }
    const struct kube_request request = {
        .verb = verbs[order->verb],
        .path = path,
        .body = body.bytes,
        .body_size = body.size,
        .timeout_ms = order->timeout_ms,
        .answer_max = ANSWER_MAX,
        .done = on_answer,
        .context = elect,
    };
    kube_begin(elect->kube, &request);
}

int64_t elect_step(struct elect *elect, int64_t now_ms) {
    struct lease_order order;
    if (elect->is_alone) {
        return INT64_MAX;
    }
    log_leadership(elect, now_ms);
    complaint_log_over(&elect->complaint, elect->log, "leader.recovered", "leases", now_ms);
    lease_step(&elect->lease, now_ms, clock_wall_us(), &order);
    if (order.verb != LEASE_WAIT) {
        ask(elect, &order);
    }
    int64_t next_ms = order.verb == LEASE_WAIT ? order.at_ms : INT64_MAX;
    /* Steps at the deadline, to notice the loss at once even while a renewal hangs. */
    bool ends_first = elect->did_lead && lease_deadline_ms(&elect->lease) < next_ms;
    return ends_first ? lease_deadline_ms(&elect->lease) : next_ms;
}

bool elect_leads(const struct elect *elect, int64_t now_ms) {
    return elect->is_alone || lease_is_held(&elect->lease, now_ms);
}

int64_t elect_deadline_ms(const struct elect *elect) {
    return elect->is_alone ? INT64_MAX : lease_deadline_ms(&elect->lease);
}

const char *elect_identity(const struct elect *elect) {
    return elect->identity;
}

const char *elect_holder(const struct elect *elect) {
    return elect->is_alone ? elect->identity : lease_holder(&elect->lease);
}

void elect_yield(struct elect *elect, int64_t now_ms) {
    lease_yield(&elect->lease, now_ms);
}

void elect_release(struct elect *elect) {
    elect->is_releasing = true;
    lease_release(&elect->lease);
}

bool elect_is_released(const struct elect *elect) {
    return elect->is_alone || lease_is_released(&elect->lease);
}
