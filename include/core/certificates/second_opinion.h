// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_CERTIFICATES_SECOND_OPINION_H
#define CORE_CERTIFICATES_SECOND_OPINION_H

/*
 * Judges whether this replica's wall clock may date certificates. Two others know the time: the API
 * server, by the Date of its answers, and the maker of a certificate that begins in our future.
 *
 * The API server's clock decides, because the API server verifies the certificate. A certificate
 * from the future counts as well: the API server may run on this machine, with the same wrong
 * clock. If the API server agrees with our clock for SECOND_OPINION_PATIENCE_MS, the clock of that
 * certificate's maker was wrong. If no answer has a Date, nobody can tell who is wrong.
 *
 * An API server that sends no Date, and certificates that all have begun, contradict nothing.
 */

#include <stdbool.h>
#include <stdint.h>

enum {
    /* The largest difference between two clocks that is no contradiction. Machines with a time
       service differ by less than a second, so 5 minutes mean that one has none. They do no harm
       either: certificates are dated back by an hour (RENEWAL_BACKDATE_S). */
    SECOND_OPINION_TOLERANCE_S = 300,
    SECOND_OPINION_PATIENCE_MS = 600000,
};

enum second_opinion_verdict {
    SECOND_OPINION_AGREES,      /* or nobody has an opinion */
    SECOND_OPINION_DATE,        /* the API server's clock contradicts ours */
    SECOND_OPINION_CERTIFICATE, /* a certificate begins in our future */
};

struct second_opinion_view {
    int64_t wall_s; /* our clock: seconds since 1970, as are the others */
    bool has_date;  /* the API server has told its time ... */
    int64_t date_s; /* ... and this is the time now, by its clock */
    int64_t
        begins_s; /* the latest begin of a certificate in the Secret or in a caBundle; 0: none */
};

struct second_opinion { /* zero to begin with */
    /* The implementation's own. */
    bool is_waiting;
    int64_t since_ms; /* since when a certificate alone contradicts the clock */
};

/* `now_ms` is CLOCK_BOOTTIME. */
enum second_opinion_verdict second_opinion_step(struct second_opinion *opinion,
                                                const struct second_opinion_view *view,
                                                int64_t now_ms);

#endif
