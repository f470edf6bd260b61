/* The encoder of the messages of wire.h. */

#ifndef GOSSIP_PACK_H
#define GOSSIP_PACK_H

#include "gossip/wire.h"

/* Writes m's body by type into out[capacity], sets *size. Returns 0, or
 * -ENOSPC. */
int pack_body(uint8_t *out, size_t capacity, size_t *size,
              const struct wire_message *m);
/* Writes the head around a body and a signature. */
int pack_head(uint8_t *out, size_t capacity, size_t *size,
              const struct wire_message *m, const uint8_t *body,
              size_t body_size,
              const uint8_t signature[IDENTITY_SIGNATURE_BYTES]);

#endif
