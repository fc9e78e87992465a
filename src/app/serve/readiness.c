// SPDX-License-Identifier: Apache-2.0
#include "readiness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char *const names[READINESS_COUNT] = {
    [READINESS_FACTS] = "facts",
    [READINESS_CERTIFICATE] = "certificate",
    [READINESS_ROOM] = "room",
    [READINESS_DRAINING] = "draining",
};

struct readiness {
    pthread_mutex_t mutex; /* of all that follows */
    char *reasons[READINESS_COUNT];
};

struct readiness *readiness_new(void) {
    struct readiness *readiness = memory_new(1, sizeof(*readiness));
    pthread_mutex_init(&readiness->mutex, NULL);
    readiness_set(readiness, READINESS_FACTS, "the facts have not been read yet\n");
    readiness_set(readiness, READINESS_CERTIFICATE, "there is no certificate yet\n");
    readiness_set(readiness, READINESS_ROOM, "");
    readiness_set(readiness, READINESS_DRAINING, "");
    return readiness;
}

void readiness_free(struct readiness *readiness) {
    if (readiness == NULL) {
        return;
    }
    for (int check = 0; check < READINESS_COUNT; check++) {
        free(readiness->reasons[check]);
    }
    pthread_mutex_destroy(&readiness->mutex);
    free(readiness);
}

void readiness_set(struct readiness *readiness, enum readiness_check check, const char *reasons) {
    char **present = &readiness->reasons[check];
    /* Nobody else sets it, so reading it takes no lock. Most turns of the loop change nothing. */
    if (*present != NULL && strcmp(*present, reasons) == 0) {
        return;
    }
    char *owned_new = memory_copy(reasons, strlen(reasons));
    pthread_mutex_lock(&readiness->mutex);
    char *owned_old = *present;
    *present = owned_new;
    pthread_mutex_unlock(&readiness->mutex);
    free(owned_old);
}

bool readiness_is_ready(struct readiness *readiness) {
    bool is_ready = true;
    pthread_mutex_lock(&readiness->mutex);
    for (int check = 0; check < READINESS_COUNT; check++) {
        is_ready = is_ready && readiness->reasons[check][0] == '\0';
    }
    pthread_mutex_unlock(&readiness->mutex);
    return is_ready;
}

void readiness_print_reasons(struct readiness *readiness, struct buffer *out) {
    pthread_mutex_lock(&readiness->mutex);
    for (int check = 0; check < READINESS_COUNT; check++) {
        buffer_add_text(out, readiness->reasons[check]);
    }
    pthread_mutex_unlock(&readiness->mutex);
}

/* One line for each reason, so that the caBundle of one entry does not hide another's. */
static void print_check(enum readiness_check check, const char *reasons, bool is_verbose,
                        struct buffer *out) {
    if (!is_verbose) {
        buffer_add_text(out, reasons);
        return;
    }
    if (reasons[0] == '\0') {
        buffer_add_format(out, "[+]%s ok\n", names[check]);
    }
    while (*reasons != '\0') {
        size_t size = strcspn(reasons, "\n");
        buffer_add_format(out, "[-]%s failed: ", names[check]);
        buffer_add(out, reasons, size);
        buffer_add_byte(out, '\n');
        reasons += size + (reasons[size] == '\n');
    }
}

bool readiness_print(struct readiness *readiness, const char *room, bool is_verbose,
                     struct buffer *out) {
    bool is_ready = true;
    pthread_mutex_lock(&readiness->mutex);
    for (int check = 0; check < READINESS_COUNT; check++) {
        const char *reasons = check == READINESS_ROOM ? room : readiness->reasons[check];
        is_ready = is_ready && reasons[0] == '\0';
        print_check((enum readiness_check)check, reasons, is_verbose, out);
    }
    pthread_mutex_unlock(&readiness->mutex);
    if (is_verbose) {
        buffer_add_format(out, "readyz check %s\n", is_ready ? "passed" : "failed");
    } else if (is_ready) {
        buffer_add_text(out, "ok\n");
    }
    return is_ready;
}
