// SPDX-License-Identifier: Apache-2.0
#ifndef APP_SERVE_PROCESS_H
#define APP_SERVE_PROCESS_H

/*
 * Sets what holds for the whole process of `serve`: signals, memory and descriptors.
 */

/* Only the loop takes SIGTERM, SIGINT and SIGHUP, by this descriptor. So it blocks them before it
   starts any thread. */
int process_open_signals(void);

/* Memory goes back to the kernel, and there are enough descriptors, if the limits allow it. */
void process_tune(void);

#endif
