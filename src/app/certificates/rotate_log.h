// SPDX-License-Identifier: Apache-2.0
#ifndef APP_CERTIFICATES_ROTATE_LOG_H
#define APP_CERTIFICATES_ROTATE_LOG_H

/*
 * Logs what was written, and what others do to the webhook configuration.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/cluster/complaint.h"
#include "rotate.h"
#include "rotate_written.h"

/* The entries that lead elsewhere. */
void rotate_log_foreign(const struct rotate_options *options, size_t n_foreign);

/* There is no configuration, or none of its entries leads here. */
void rotate_log_absent(const struct rotate_options *options);

/* An answer has shown that this was written. */
void rotate_log_written(const struct rotate_options *options, const struct rotate_written *written);

/* Another fight over the caBundles: says so once a minute. If it is the first one, there is an
   Event about the Secret with this uid as well. */
void rotate_log_contest(const struct rotate_options *options, struct complaint *contest,
                        const char *secret_uid, bool is_first, int64_t now_ms);

#endif
