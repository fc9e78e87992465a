// SPDX-License-Identifier: Apache-2.0
#include "core/cluster/worklist.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/text.h"
#include "core/cluster/backoff.h"

enum {
    PACE_MS = 2000,
    UNDONE_BASE_MS = 5000,
    UNDONE_CAP_MS = 5 * 60 * 1000,
    MEMORY_MS = 10 * 60 * 1000, /* how long a write or a refusal is remembered */
    FAILED_BASE_MS = 1000,
    FAILED_CAP_MS = 5 * 60 * 1000,
    STOPPED_CAP_MS = 15 * 1000, /* soon after all can be written again, this one is, too */
    RETRY_AFTER_MAX_MS = 60 * 60 * 1000,
    BUCKETS_MIN = 64,
};

#define NO_INDEX SIZE_MAX
#define NEVER_MS INT64_MIN /* in the past */

struct handed_out;

/*
 * An entry is packed, since there may be 100,000 of them for ten minutes: namespace and name follow
 * the struct, each with its NUL.
 */
struct entry {
    struct entry *next; /* in its bucket */
    uint64_t hash;
    size_t heap_index; /* NO_INDEX while under way */
    struct handed_out *handed_out;
    int64_t since_ms;     /* when it became wanted */
    int64_t due_ms;       /* when it is handed out if it is wanted, else when it is dropped */
    int64_t not_before;   /* the pace: when it may be handed out again */
    int64_t written_ms;   /* the last write, or NEVER_MS */
    int64_t undone_ms;    /* the last write after another writer had undone one, or NEVER_MS */
    uint64_t fingerprint; /* of the last write */
    uint64_t wanted;      /* of the last worklist_touch() */
    uint64_t refused;     /* of the last refusal ... */
    int64_t refused_ms;   /* ... and its time, or NEVER_MS */
    unsigned n_undone;
    unsigned n_failures;
    enum work_kind kind;
    bool is_wanted;    /* there is something to do */
    bool was_held;     /* by worklist_hold(), since it became wanted */
    bool is_forgotten; /* worklist_clear() was called while it was under way */
    char texts[];
};

/* The work that worklist_take() has returned. */
struct handed_out {
    struct work work; /* first, so that a pointer to it is one to the whole */
    struct entry *entry;
};

struct worklist {
    struct entry **buckets;
    size_t n_buckets; /* a power of two */
    size_t n_entries;
    struct entry **heap; /* by due_ms */
    size_t heap_size;
    size_t heap_capacity;
};

static const char *name_of(const struct entry *entry) {
    return entry->texts + strlen(entry->texts) + 1;
}

/* The heap. */

static void place(struct worklist *list, size_t i, struct entry *entry) {
    list->heap[i] = entry;
    entry->heap_index = i;
}

static void sift_up(struct worklist *list, size_t i) {
    struct entry *entry = list->heap[i];
    while (i > 0 && list->heap[(i - 1) / 2]->due_ms > entry->due_ms) {
        place(list, i, list->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(list, i, entry);
}

static void sift_down(struct worklist *list, size_t i) {
    struct entry *entry = list->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < list->heap_size &&
            list->heap[child + 1]->due_ms < list->heap[child]->due_ms) {
            child++;
        }
        if (child >= list->heap_size || list->heap[child]->due_ms >= entry->due_ms) {
            break;
        }
        place(list, i, list->heap[child]);
        i = child;
    }
    place(list, i, entry);
}

static void heap_pop(struct worklist *list) {
    struct entry *last = list->heap[--list->heap_size];
    list->heap[0]->heap_index = NO_INDEX;
    if (list->heap_size > 0) {
        place(list, 0, last);
        sift_down(list, 0);
    }
}

/* Puts the entry where its due time belongs, whether it was in the heap or not. */
static void heap_put(struct worklist *list, struct entry *entry, int64_t due_ms) {
    entry->due_ms = due_ms;
    if (entry->heap_index == NO_INDEX) {
        if (list->heap_size == list->heap_capacity) {
            list->heap_capacity = list->heap_capacity > 0 ? 2 * list->heap_capacity : BUCKETS_MIN;
            list->heap = memory_resize(list->heap, list->heap_capacity, sizeof(*list->heap));
        }
        place(list, list->heap_size++, entry);
    }
    sift_up(list, entry->heap_index);
    sift_down(list, entry->heap_index);
}

/* The map. */

static uint64_t hash_key(enum work_kind kind, const char *namespace, const char *name) {
    uint64_t hash = hash_byte(HASH_EMPTY, (unsigned char)kind);
    return hash_fold(hash_text(hash_text(hash, namespace), name));
}

static struct entry **bucket_of(struct worklist *list, uint64_t hash) {
    return &list->buckets[hash & (list->n_buckets - 1)];
}

static struct entry *find(struct worklist *list, enum work_kind kind, const char *namespace,
                          const char *name) {
    uint64_t hash = hash_key(kind, namespace, name);
    struct entry *entry = *bucket_of(list, hash);
    while (entry != NULL &&
           (entry->hash != hash || entry->kind != kind || strcmp(entry->texts, namespace) != 0 ||
            strcmp(name_of(entry), name) != 0)) {
        entry = entry->next;
    }
    return entry;
}

static void link_entry(struct worklist *list, struct entry *entry) {
    struct entry **bucket = bucket_of(list, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
}

static void grow(struct worklist *list) {
    struct entry **old = list->buckets;
    size_t n_old = list->n_buckets;
    list->n_buckets = 2 * n_old;
    list->buckets = memory_new(list->n_buckets, sizeof(*list->buckets));
    for (size_t i = 0; i < n_old; i++) {
        for (struct entry *entry = old[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            link_entry(list, entry);
        }
    }
    free(old);
}

static struct entry *add(struct worklist *list, enum work_kind kind, const char *namespace,
                         const char *name) {
    size_t namespace_size = strlen(namespace) + 1;
    size_t name_size = strlen(name) + 1;
    struct entry *entry = memory_new(1, sizeof(*entry) + namespace_size + name_size);
    memcpy(entry->texts, namespace, namespace_size);
    memcpy(entry->texts + namespace_size, name, name_size);
    entry->hash = hash_key(kind, namespace, name);
    entry->kind = kind;
    entry->heap_index = NO_INDEX;
    entry->not_before = entry->written_ms = entry->undone_ms = entry->refused_ms = NEVER_MS;
    if (list->n_entries == list->n_buckets) {
        grow(list);
    }
    link_entry(list, entry);
    list->n_entries++;
    return entry;
}

/* The entry must not be in the heap, unless the caller empties the heap as well. */
static void drop(struct worklist *list, struct entry *entry) {
    struct entry **at = bucket_of(list, entry->hash);
    while (*at != entry) {
        at = &(*at)->next;
    }
    *at = entry->next;
    list->n_entries--;
    free(entry->handed_out);
    free(entry);
}

struct worklist *worklist_new(void) {
    struct worklist *list = memory_new(1, sizeof(*list));
    list->n_buckets = BUCKETS_MIN;
    list->buckets = memory_new(list->n_buckets, sizeof(*list->buckets));
    return list;
}

void worklist_free(struct worklist *list) {
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < list->n_buckets; i++) {
        while (list->buckets[i] != NULL) {
            drop(list, list->buckets[i]);
        }
    }
    free(list->buckets);
    free(list->heap);
    free(list);
}

void worklist_clear(struct worklist *list) {
    list->heap_size = 0;
    for (size_t i = 0; i < list->n_buckets; i++) {
        for (struct entry *entry = list->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            if (entry->handed_out == NULL) {
                drop(list, entry);
                continue;
            }
            entry->written_ms = entry->undone_ms = entry->refused_ms = NEVER_MS;
            entry->n_undone = entry->n_failures = 0;
            entry->is_wanted = false;
            entry->is_forgotten = true;
        }
    }
}

size_t worklist_count(const struct worklist *list) {
    return list->n_entries;
}

/* True if less than ten minutes have passed since then. */
static bool is_remembered(int64_t then_ms, int64_t now_ms) {
    return then_ms != NEVER_MS && now_ms - then_ms < MEMORY_MS;
}

static void want(struct entry *entry, int64_t now_ms) {
    if (!entry->is_wanted) {
        entry->is_wanted = true;
        entry->was_held = false;
        entry->since_ms = now_ms;
    }
}

static bool is_refused(const struct entry *entry, uint64_t fingerprint, int64_t now_ms) {
    return is_remembered(entry->refused_ms, now_ms) && entry->refused == fingerprint;
}

void worklist_touch(struct worklist *list, enum work_kind kind, const char *namespace,
                    const char *name, uint64_t fingerprint, int64_t now_ms) {
    struct entry *entry = find(list, kind, namespace, name);
    if (entry == NULL) {
        entry = add(list, kind, namespace, name);
    }
    entry->wanted = fingerprint;
    if (is_refused(entry, fingerprint, now_ms)) {
        return;
    }
    if (entry->handed_out == NULL && !entry->is_wanted) {
        heap_put(list, entry, MAX(now_ms, entry->not_before));
    }
    want(entry, now_ms);
}

struct work *worklist_take(struct worklist *list, int64_t now_ms) {
    while (list->heap_size > 0 && list->heap[0]->due_ms <= now_ms) {
        struct entry *entry = list->heap[0];
        heap_pop(list);
        if (!entry->is_wanted) {
            drop(list, entry);
            continue;
        }
        struct handed_out *handed_out = memory_new(1, sizeof(*handed_out));
        struct work *work = &handed_out->work;
        work->kind = entry->kind;
        (void)text_copy(work->namespace, sizeof(work->namespace), entry->texts);
        (void)text_copy(work->name, sizeof(work->name), name_of(entry));
        work->since_ms = entry->since_ms;
        work->was_held = entry->was_held;
        handed_out->entry = entry;
        entry->handed_out = handed_out;
        entry->is_wanted = false;
        entry->is_forgotten = false;
        return work;
    }
    return NULL;
}

void worklist_hold(struct worklist *list, struct work *owned_work, int64_t until_ms) {
    struct handed_out *handed_out = (struct handed_out *)owned_work;
    struct entry *entry = handed_out->entry;
    assert(entry->handed_out == handed_out);
    entry->since_ms = handed_out->work.since_ms;
    entry->is_wanted = true;
    entry->was_held = true;
    entry->handed_out = NULL;
    free(handed_out);
    heap_put(list, entry, until_ms);
}

int64_t worklist_next_ms(const struct worklist *list) {
    return list->heap_size > 0 ? list->heap[0]->due_ms : INT64_MAX;
}

/* After worklist_clear(), nobody wants it any more. */
static void want_again(struct entry *entry, int64_t now_ms) {
    if (!entry->is_forgotten) {
        want(entry, now_ms);
    }
}

/* Another writer has undone a write: it waits longer than the last time. */
static void on_undone(struct entry *entry, int64_t now_ms) {
    if (!is_remembered(entry->undone_ms, now_ms)) {
        entry->n_undone = 0;
    }
    struct backoff backoff = {UNDONE_BASE_MS, UNDONE_CAP_MS, entry->n_undone};
    entry->not_before = now_ms + backoff_next(&backoff, 0);
    entry->n_undone = backoff.n_failures;
    entry->undone_ms = now_ms;
}

/* Returns whether the last write of the same had been undone. */
static bool on_written(struct entry *entry, int64_t now_ms, uint64_t fingerprint) {
    bool was_undone = is_remembered(entry->written_ms, now_ms) && entry->fingerprint == fingerprint;
    entry->not_before = now_ms + PACE_MS;
    if (was_undone) {
        on_undone(entry, now_ms);
    }
    entry->written_ms = now_ms;
    entry->fingerprint = fingerprint;
    return was_undone;
}

static void on_failed(struct entry *entry, int64_t now_ms, uint32_t random,
                      const struct work_outcome *outcome) {
    bool is_own = outcome->result == WORK_FAILED;
    struct backoff backoff = {FAILED_BASE_MS, is_own ? FAILED_CAP_MS : STOPPED_CAP_MS,
                              entry->n_failures};
    int64_t wait_ms = backoff_next(&backoff, random);
    if (is_own) {
        wait_ms = MIN(MAX(wait_ms, outcome->retry_after_ms), RETRY_AFTER_MAX_MS);
    }
    entry->n_failures = backoff.n_failures;
    entry->not_before = MAX(entry->not_before, now_ms + wait_ms);
    want_again(entry, now_ms);
}

static void on_refused(struct entry *entry, int64_t now_ms, uint64_t fingerprint) {
    entry->refused = fingerprint;
    entry->refused_ms = now_ms;
    entry->not_before = MAX(entry->not_before, now_ms + PACE_MS);
    entry->is_wanted = entry->is_wanted && entry->wanted != fingerprint;
}

/* Puts the entry where it belongs from now on. */
static void settle(struct worklist *list, struct entry *entry, int64_t now_ms) {
    int64_t written_ms = MAX(entry->written_ms, entry->undone_ms);
    int64_t memory_ms = MAX(written_ms, entry->refused_ms);
    int64_t forget_ms = entry->not_before;
    if (is_remembered(memory_ms, now_ms)) {
        forget_ms = MAX(forget_ms, memory_ms + MEMORY_MS);
    }
    if (entry->is_wanted) {
        heap_put(list, entry, MAX(now_ms, entry->not_before));
    } else if (forget_ms > now_ms) {
        heap_put(list, entry, forget_ms);
    } else {
        drop(list, entry);
    }
}

bool worklist_done(struct worklist *list, struct work *owned_work, int64_t now_ms, uint32_t random,
                   const struct work_outcome *outcome) {
    struct handed_out *handed_out = (struct handed_out *)owned_work;
    struct entry *entry = handed_out->entry;
    bool was_undone = false;
    assert(entry->handed_out == handed_out);
    if (outcome->result == WORK_FAILED || outcome->result == WORK_STOPPED) {
        on_failed(entry, now_ms, random, outcome);
    } else {
        entry->n_failures = 0;
    }
    if (outcome->result == WORK_WRITTEN) {
        was_undone = on_written(entry, now_ms, outcome->fingerprint);
    } else if (outcome->result == WORK_UNDONE) {
        was_undone = true;
        on_undone(entry, now_ms);
        want_again(entry, now_ms);
    } else if (outcome->result == WORK_OUTRUN) {
        entry->not_before = MAX(entry->not_before, now_ms + PACE_MS);
        want_again(entry, now_ms);
    } else if (outcome->result == WORK_REFUSED) {
        on_refused(entry, now_ms, outcome->fingerprint);
    }
    entry->handed_out = NULL;
    free(handed_out);
    settle(list, entry, now_ms);
    return was_undone;
}
