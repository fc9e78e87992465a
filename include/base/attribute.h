// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_ATTRIBUTE_H
#define BASE_ATTRIBUTE_H

/*
 * The GNU attributes that this code uses, by name. gcc and clang are the compilers that are meant.
 */

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* A printf-like function: the format is argument `at`, its values begin at argument `first`. */
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

/* The variable is given to `function` (as a pointer to it) when it goes out of scope. */
#define AUTO(function) __attribute__((cleanup(function)))

/* The value of a pointer variable, which is NULL from now on: ownership has been given away. */
#define TAKE(pointer)                                                                              \
    __extension__({                                                                                \
        __typeof__(pointer) taken_ = (pointer);                                                    \
        (pointer) = NULL;                                                                          \
        taken_;                                                                                    \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
