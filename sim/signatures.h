/* A memory of signatures that were found good, so that a world of many engines
 * checks each one once. Grows as needed; forged ones are checked every time. */

#ifndef SIM_SIGNATURES_H
#define SIM_SIGNATURES_H

#include <stddef.h>
#include <stdint.h>

struct signatures; /* opaque */

struct signatures *signatures_new(void); /* NULL if out of memory */
void signatures_free(struct signatures *signatures);
/* This one is good: it was just made, by who holds the key. */
void signatures_know(struct signatures *signatures, const uint8_t *signature,
                     const char *domain, const uint8_t *message, size_t size,
                     const uint8_t *key);
/* identity_verify with a memory; `context` is the struct signatures. */
int signatures_verify(void *context, const uint8_t *signature,
                      const char *domain, const uint8_t *message, size_t size,
                      const uint8_t *key);

#endif
