/* The durable records of one member: one SQLite file, WAL, synchronous FULL.
 * A record is sealed (crypto/aead.h) with a key that the caller derives from
 * the node's identity. One process at a time: a second one is refused. */

#ifndef NODE_STORE_H
#define NODE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/aead.h"
#include "gossip/gossip.h"
#include "model/error.h"

struct store;

/* Opens or makes the file. `study`: H(charter), kept inside: a store of another
 * study, a newer schema, a corrupt file, another key: each an error that says
 * so and what to do. */
int store_open(struct store **store, const char *path,
               const uint8_t study[GOSSIP_HASH_BYTES],
               const uint8_t key[AEAD_KEY_BYTES], struct error *error);
void store_close(struct store *store);

/* The newest record of each slot; valid until store_close. */
int store_load(struct store *store, const struct gossip_record **records,
               size_t *count, struct error *error);

/* On return 0 the record is on disk, whole, replacing that slot's. */
int store_save(struct store *store, uint32_t slot, const uint8_t *bytes,
               size_t size, struct error *error);

/* Appends a line to the site's audit log (what left through the gate). */
int store_audit(struct store *store, const char *line, struct error *error);

#endif
