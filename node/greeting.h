/* What sites of different pods say first to each other: the fields of their
 * study files, as the HELLO of an engine (gossip/wire.h), so that a person
 * learns whose file differs and in what. Nothing else follows from it: what is
 * signed under another study is refused as it stands.
 */

#ifndef NODE_GREETING_H
#define NODE_GREETING_H

#include "gossip/gossip.h"
#include "node/study.h"

struct greeting {
    uint8_t charter[GOSSIP_HASH_BYTES];
    struct gossip_field fields[GOSSIP_FIELDS_MAX]; /* [field_count] */
    size_t field_count;
    uint8_t head[8192]; /* [size] to be sent as it is */
    size_t size;
};

/* self: the member, in its pod. */
void greeting_write(struct greeting *greeting, const struct study *study,
                    uint32_t self,
                    const uint8_t sign_secret[IDENTITY_SECRET_BYTES]);

/* Whether a head says that it is one, and of which member of its own pod. */
bool greeting_claims(uint32_t *member, const uint8_t *head, size_t size);

/* Of a site with that key: the name of the first field that it has otherwise,
 * "" if there is none. Returns 0, or -1 if it is malformed or not signed. */
int greeting_read(char field[GOSSIP_FIELD_NAME_SIZE],
                  const struct greeting *ours, const uint8_t *head, size_t size,
                  const uint8_t key[IDENTITY_KEY_BYTES]);

#endif
