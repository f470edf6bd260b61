/* A passphrase from a file descriptor or from a terminal without echo. */

#ifndef NODE_PASSPHRASE_H
#define NODE_PASSPHRASE_H

#include <stdbool.h>

#include "model/error.h"

enum { PASSPHRASE_SIZE = 1024 };

/* fd < 0: asks at the terminal, twice if it is a new one. From a descriptor:
 * the first line. Wipe it after use. -ENOTTY: nobody can be asked; -EINVAL:
 * empty, too long, or not the same twice. */
int passphrase_get(char passphrase[PASSPHRASE_SIZE], int fd, bool is_new,
                   struct error *error);

/* The value of --passphrase-fd; NULL: -1. Returns 0 or -EINVAL. */
int passphrase_fd(int *fd, const char *text, struct error *error);

#endif
