/* The store's files where SQLite does not care: who may read them, who has
 * them, what is in their place. */

#ifndef NODE_STOREFILE_H
#define NODE_STOREFILE_H

#include <stdbool.h>

#include "model/error.h"

/* Takes STORE.lock for this process, until *file is closed; -1: none. -EBUSY
 * tells who has the store, which SQLite's own lock does not. */
int storefile_lock(int *file, const char *store, struct error *error);

/* Makes an empty file if there is none; else it has to be one that can be read
 * and written. */
int storefile_make(const char *path, struct error *error);

/* A folder is on disk, with all in it, only when its parent is. */
int storefile_sync_parent(const char *path, struct error *error);

bool storefile_is_empty(const char *path);
bool storefile_has_wal(const char *path);

#endif
