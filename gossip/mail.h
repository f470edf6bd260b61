/* Saying things: sign, encode, keep, send. */

#ifndef GOSSIP_MAIL_H
#define GOSSIP_MAIL_H

#include "gossip/engine.h"

/* Fills in version, sender, round and attempt of the current attempt (HELLO and
 * others that stand outside one keep what *m says), signs under its ctx and
 * keeps the head in *mail. Aborts if it does not fit: a bug. */
void mail_write(struct gossip *g, struct mail *mail, struct wire_message *m);
/* As mail_write for the (round, attempt) that stand in *m already. */
void mail_write_at(struct gossip *g, struct mail *mail, struct wire_message *m);

/* Keeps a peer's head as received. */
void mail_keep(struct mail *mail, const uint8_t *head, size_t size);

/* body: vector bytes beside the head, or NULL. They must live until the next
 * step; the head is copied. */
void mail_send(struct gossip *g, uint32_t to, const struct mail *mail,
               const void *body, size_t body_size);
void mail_send_all(struct gossip *g, const struct mail *mail);
/* The same signed head with other `parts`. */
void mail_send_parts(struct gossip *g, uint32_t to, const struct mail *mail,
                     uint64_t parts, const void *body, size_t body_size);

/* Writes, signs and sends without keeping. */
void mail_tell(struct gossip *g, uint32_t to, struct wire_message *m);

/* 0 if the signature of *m is its sender's under the ctx of its round and
 * attempt, else -1. */
int mail_verify(const struct gossip *g, const struct wire_message *m);

/* A note for the person at this member. */
void mail_note(struct gossip *g, enum gossip_note code, uint64_t members,
               uint64_t detail, const char *text);

#endif
