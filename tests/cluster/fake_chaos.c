// SPDX-License-Identifier: Apache-2.0
#include "fake_chaos.h"

enum { DELAY_MAX_MS = 3000, DRIP_MAX = 40, CUT_MAX = 400 };

#define HTML "Content-Type: text/html\r\n"

static const struct fake_fault faults[] = {
    {.kind = FAKE_ANSWER, .status = 200, .headers = HTML, .body = "<html>please log in</html>"},
    {.kind = FAKE_ANSWER, .status = 200, .body = ""},
    {.kind = FAKE_ANSWER, .status = 200, .body = "{}"},
    {.kind = FAKE_ANSWER, .status = 200, .body = "{\"kind\":\"Sta"},
    {.kind = FAKE_ANSWER, .status = 200, .body = "\x01\xff\xfe}]\"\xc3("},
    {.kind = FAKE_ANSWER, .status = 401},
    {.kind = FAKE_ANSWER, .status = 403},
    {.kind = FAKE_ANSWER, .status = 404},
    {.kind = FAKE_ANSWER, .status = 404, .headers = HTML, .body = "<html>404</html>"},
    {.kind = FAKE_ANSWER, .status = 410},
    {.kind = FAKE_ANSWER, .status = 429},
    {.kind = FAKE_ANSWER, .status = 429, .headers = "Retry-After: 2\r\n"},
    {.kind = FAKE_ANSWER, .status = 500},
    {.kind = FAKE_ANSWER, .status = 502, .headers = HTML, .body = "<html>bad gateway</html>"},
    {.kind = FAKE_ANSWER, .status = 503, .headers = "Retry-After: 1\r\n"},
    {.kind = FAKE_ANSWER, .status = 504, .body = ""},
    {.kind = FAKE_RESET},
    {.kind = FAKE_CUT},
    {.kind = FAKE_DRIP},
    {.kind = FAKE_LATE},
    {.kind = FAKE_SILENT},
};

bool fake_chaos_draw(struct fake_chaos *chaos, struct fake_fault *ret_fault) {
    struct chance *chance = &chaos->chance;
    if (chaos->percent == 0 || !chance_of(chance, chaos->percent)) {
        return false;
    }
    *ret_fault = CHANCE_PICK(chance, faults);
    ret_fault->delay_ms = (int64_t)chance_below(chance, DELAY_MAX_MS);
    ret_fault->n_bytes = ret_fault->kind == FAKE_DRIP ? 1 + chance_below(chance, DRIP_MAX)
                                                      : chance_below(chance, CUT_MAX);
    return true;
}
