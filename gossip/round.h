/* The slices of all members' masked vectors: Y (PROTOCOL.md, section 3). */

#ifndef GOSSIP_ROUND_H
#define GOSSIP_ROUND_H

#include "gossip/engine.h"

void round_reset(struct gossip *g); /* of one attempt; wipes */

/* Of this attempt, its signature checked. body: raw lanes. */
void round_receive_y(struct gossip *g, const struct wire_message *m,
                     const uint8_t *head, size_t size, const uint8_t *body,
                     size_t body_size);

/* V is certified, holds us and the KEYS that we hold, and starts from our
 * state.
 */
bool round_v_is_ours(const struct gossip *g);
/* A step of the attempt: sends Y, then RECV, as soon as it can; true if it did.
 */
bool round_contribute(struct gossip *g);

/* Sends the slices of `parts` of member j's Y, as far as we hold them. */
void round_send_slices(struct gossip *g, uint32_t to, uint32_t j,
                       uint64_t parts);
/* Slices that `member` keeps, by V's order, and where a slice lies. */
uint64_t round_parts(const struct gossip *g, const struct wire_value *v,
                     uint32_t member);
void round_slice(size_t *first, size_t *count, size_t length, uint32_t slices,
                 uint32_t slice);
/* Which slices of j's vector are here. */
uint64_t round_kept(const struct gossip *g, uint32_t j);

/* Members all of whose slices for us are here. */
uint64_t round_arrived(const struct gossip *g);
/* U is certified: another Y of its members than it fixes is dropped. */
void round_certified(struct gossip *g);

/* Places in V's order: of a member, back, and how many places after its owner
 * `member` keeps a slice (0: it owns it, < copies: it keeps a copy). */
uint32_t round_rank(uint64_t members, uint32_t member);
uint32_t round_member(uint64_t members, uint32_t rank);
uint32_t round_place(const struct wire_value *v, uint32_t member,
                     uint32_t slice);
uint32_t round_copies(const struct gossip *g, uint32_t slices);
/* The kept lanes of member `from` for the slice at `place`. */
uint8_t *round_lanes(const struct gossip *g, uint32_t place, uint32_t from);

#endif
