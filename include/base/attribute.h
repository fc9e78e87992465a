// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_ATTRIBUTE_H
#define BASE_ATTRIBUTE_H

/*
 * Short names for the GNU attributes and expressions that this code uses. It is written for gcc and
 * clang.
 */

/* The caller must use the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* A printf-like function: the format is argument `at`, its values begin at argument `first`. */
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

/* Calls `function` with a pointer to the variable when that goes out of scope. */
#define AUTO(function) __attribute__((cleanup(function)))

/* The value of a variable that owns something: a pointer, or a struct that is empty when all its
   bytes are zero. The variable is zero from now on, because ownership has been given away. */
#define TAKE(variable)                                                                             \
    __extension__({                                                                                \
        __typeof__(variable) taken_ = (variable);                                                  \
        (variable) = (__typeof__(variable)){0};                                                    \
        taken_;                                                                                    \
    })

/* The lesser and the greater of two values, in the type of the first. */
#define MIN(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) min_a_ = (a);                                                                \
        __typeof__(a) min_b_ = (b);                                                                \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                         \
    })

#define MAX(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) max_a_ = (a);                                                                \
        __typeof__(a) max_b_ = (b);                                                                \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                         \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
