// SPDX-License-Identifier: Apache-2.0
#include "validity.h"

#include "base/text.h"

bool validity_explain(const char *what, int64_t not_before, int64_t not_after, int64_t wall_s,
                      struct buffer *out) {
    bool is_early = wall_s < not_before;
    char date[TEXT_TIME_SIZE];
    char now[TEXT_TIME_SIZE];
    if (!is_early && wall_s <= not_after) {
        return true;
    }
    text_format_time(date, is_early ? not_before : not_after);
    text_format_time(now, wall_s);
    buffer_add_format(out, "certificate: the %s %s %s, and it is %s\n", what,
                      is_early ? "is not valid before" : "expired on", date, now);
    return false;
}
