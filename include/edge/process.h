// SPDX-License-Identifier: Apache-2.0
#ifndef EDGE_PROCESS_H
#define EDGE_PROCESS_H

/*
 * Limits what others see of this process.
 */

/* Keys and tokens are in the memory of this process. So the kernel writes no core of it, and lets
   no other process of the same user read its memory, its environment or its descriptors. A program
   that this one starts has no core either, and is otherwise as usual. LeakSanitizer lifts this
   itself for the moment in which it looks for leaks. */
void process_hide_memory(void);

#endif
