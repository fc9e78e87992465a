// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#define WIPE "\r\033[K"

void progress_turn(struct progress *progress, bool on) {
    progress->is_on = on && isatty(STDERR_FILENO);
}

void progress_show(struct progress *progress, const char *words, size_t n) {
    if (progress->is_on) {
        fprintf(stderr, WIPE "%s ... %zu", words, n);
        progress->is_shown = true;
    }
}

void progress_wipe(struct progress *progress) {
    if (progress->is_shown) {
        fputs(WIPE, stderr);
        progress->is_shown = false;
    }
}
