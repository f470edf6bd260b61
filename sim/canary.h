/* Searches what leaves a site for what must not: 8-byte values, at any offset
 * and in little-endian order, such as a double of a site's rows or a lane of
 * its plain vector. */

#ifndef SIM_CANARY_H
#define SIM_CANARY_H

#include <stddef.h>
#include <stdint.h>

struct canary; /* opaque: a set of values */

enum { CANARY_VALUES_MAX = 1 << 17 };

struct canary *canary_new(void); /* NULL if out of memory */
void canary_free(struct canary *canary);
/* `what` names the value in canary_find's answer; a constant text. Beyond
 * CANARY_VALUES_MAX values are left out. */
void canary_add(struct canary *canary, uint64_t value, const char *what);
/* The name of the first value found in bytes[size], or NULL. */
const char *canary_find(const struct canary *canary, const uint8_t *bytes,
                        size_t size);

#endif
