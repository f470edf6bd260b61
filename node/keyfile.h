/* A node's keys on disk: the public part, then the secrets, sealed with
 * a passphrase (Argon2id, RFC 9106, through libsodium) or, for tests, plain. */

#ifndef NODE_KEYFILE_H
#define NODE_KEYFILE_H

#include <stdbool.h>

#include "crypto/identity.h"
#include "model/error.h"

/* Makes the file, mode 0600; never overwrites one (-EEXIST). passphrase NULL:
 * not sealed. The bytes are on disk when it returns 0. */
int keyfile_write(const char *path, const struct identity *identity,
                  const char *passphrase, struct error *error);

/* Whether the file needs a passphrase. */
int keyfile_sealed(bool *sealed, const char *path, struct error *error);

/* Wipe *identity after use. passphrase NULL: only a file that is not sealed.
 * -EACCES: the passphrase is wrong or missing. */
int keyfile_read(struct identity *identity, const char *path,
                 const char *passphrase, struct error *error);

#endif
