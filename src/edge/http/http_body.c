// SPDX-License-Identifier: Apache-2.0
#include "http_body.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* A usual review has 16 to 19 KB and fits in one allocation. */
enum { CAPACITY_FIRST = HTTP_BODY_FREE };

static size_t charged(size_t capacity) {
    return capacity > HTTP_BODY_FREE ? capacity - HTTP_BODY_FREE : 0;
}

/* All or nothing: a refused body must not, even for a moment, use memory that another body may
   have. */
static bool charge(struct http_budget *budget, size_t size) {
    if (size == 0) {
        return true;
    }
    size_t used = atomic_load(&budget->used);
    do {
        if (size > budget->max - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + size));
    return true;
}

static bool drop_more(struct http_body *body, size_t size) {
    bool is_worth_it = size <= HTTP_BODY_DROPPED_MAX - body->n_dropped;
    body->n_dropped = is_worth_it ? body->n_dropped + size : HTTP_BODY_DROPPED_MAX;
    return is_worth_it;
}

static bool drop(struct http_body *body, struct http_budget *budget, enum http_body_state state,
                 size_t size) {
    http_body_fini(body, budget);
    body->state = state;
    return drop_more(body, size);
}

static size_t next_capacity(const struct http_body *body, size_t body_max, size_t needed) {
    size_t ceiling = body->announced > 0 ? body->announced : body_max;
    size_t capacity = body->capacity > 0 ? body->capacity * 2 : CAPACITY_FIRST;
    return MAX(MIN(capacity, ceiling), needed);
}

bool http_body_add(struct http_body *body, struct http_budget *budget, size_t body_max,
                   const char *bytes, size_t size) {
    if (body->state != HTTP_BODY_WHOLE) {
        return drop_more(body, size);
    }
    if (size > body_max - body->size) {
        return drop(body, budget, HTTP_BODY_TOO_LARGE, size);
    }
    size_t needed = body->size + size;
    if (needed > body->capacity) {
        size_t capacity = next_capacity(body, body_max, needed);
        if (!charge(budget, charged(capacity) - charged(body->capacity))) {
            return drop(body, budget, HTTP_BODY_OVER_BUDGET, size);
        }
        body->bytes = memory_resize(body->bytes, capacity, 1);
        body->capacity = capacity;
    }
    memcpy(body->bytes + body->size, bytes, size);
    body->size = needed;
    return true;
}

void http_body_fini(struct http_body *body, struct http_budget *budget) {
    free(body->bytes);
    if (charged(body->capacity) > 0) {
        atomic_fetch_sub(&budget->used, charged(body->capacity));
    }
    body->bytes = NULL;
    body->size = 0;
    body->capacity = 0;
}
