// SPDX-License-Identifier: Apache-2.0
#include "edge/process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void process_hide_memory(void) {
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
