/* A machine whose power may be cut: an SQLite VFS over the default one that
 * remembers what is surely on disk. A write counts from its file's sync on, a
 * new or deleted file from its folder's sync on. At the cut all else is lost,
 * kept, or a mixture of it, in sectors of 512 bytes (as in Pillai et al., "All
 * File Systems Are Not Created Equal", OSDI 2014). Also a disk that gets full.
 *
 * One store at a time: its file, its WAL, its journal. */

#ifndef TESTS_NODE_POWERCUT_H
#define TESTS_NODE_POWERCUT_H

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POWERCUT_SECTOR = 512, POWERCUT_FILES = 3, POWERCUT_NEVER = 1 << 30 };

struct powercut_write { /* bytes NULL: cut to `at` */
    size_t at, size;
    uint8_t *bytes;
};

struct powercut_inode {
    uint8_t *synced; /* [size] */
    size_t size;
    struct powercut_write *writes; /* [count] since then */
    size_t count;
    struct powercut_inode *next; /* of all */
};

struct powercut_name {
    char path[512];
    struct powercut_inode *now, *synced; /* NULL: no such file */
};

static struct powercut {
    sqlite3_vfs vfs, *base;
    int (*open_directory)(const char *, int *);
    struct powercut_name names[POWERCUT_FILES];
    struct powercut_inode *inodes;
    uint64_t random;
    int steps, cut_at; /* calls that change something; dead from that one on */
    bool dead;
    int64_t room; /* bytes that may be written until the disk is full */
} powercut;

struct powercut_file {
    sqlite3_file file;
    struct powercut_inode *inode; /* NULL: a temporary file */
    sqlite3_file *real;
};

static inline uint64_t powercut_random(uint64_t below)
{
    powercut.random ^= powercut.random << 13;
    powercut.random ^= powercut.random >> 7;
    powercut.random ^= powercut.random << 17;
    return (powercut.random >> 11) % below;
}

static inline void *powercut_room(void *old, size_t size)
{
    void *bytes = realloc(old, size + 1);

    if (bytes == NULL)
        abort();
    return bytes;
}

/* False: the power is off. The call at which it goes may have some effect. */
static inline bool powercut_step(bool *last)
{
    *last = false;
    if (powercut.dead)
        return false;
    *last = powercut.dead = ++powercut.steps >= powercut.cut_at;
    return true;
}

static inline struct powercut_inode *powercut_inode(void)
{
    struct powercut_inode *inode = calloc(1, sizeof *inode);

    if (inode == NULL)
        abort();
    inode->next = powercut.inodes;
    powercut.inodes = inode;
    return inode;
}

static inline struct powercut_name *powercut_name(const char *path)
{
    for (size_t i = 0; i < POWERCUT_FILES; i++)
        if (strcmp(powercut.names[i].path, path) == 0)
            return &powercut.names[i];
    return NULL;
}

static inline void powercut_put(uint8_t **bytes, size_t *size, size_t at,
                                const uint8_t *from, size_t count)
{
    if (at + count > *size) {
        *bytes = powercut_room(*bytes, at + count);
        memset(*bytes + *size, 0, at + count - *size);
        *size = at + count;
    }
    memcpy(*bytes + at, from, count);
}

static inline void powercut_forget(struct powercut_inode *inode)
{
    for (size_t i = 0; i < inode->count; i++)
        free(inode->writes[i].bytes);
    free(inode->writes);
    inode->writes = NULL;
    inode->count = 0;
}

/* What happened since the last sync is on disk: each write in whole with a
 * chance of `whole` in 100, else each of its sectors with one of `part`. */
static inline void powercut_apply(struct powercut_inode *inode, uint64_t whole,
                                  uint64_t part)
{
    for (size_t i = 0; i < inode->count; i++) {
        const struct powercut_write *w = &inode->writes[i];
        bool all = powercut_random(100) < whole;
        if (w->bytes == NULL && (all || powercut_random(100) < part))
            inode->size = w->at < inode->size ? w->at : inode->size;
        for (size_t at = w->at, end = w->at + w->size; at < end;) {
            size_t next = (at / POWERCUT_SECTOR + 1) * POWERCUT_SECTOR;
            next = next < end ? next : end;
            if (all || powercut_random(100) < part)
                powercut_put(&inode->synced, &inode->size, at,
                             w->bytes + (at - w->at), next - at);
            at = next;
        }
    }
    powercut_forget(inode);
}

static inline void powercut_note(struct powercut_inode *inode, size_t at,
                                 const void *bytes, size_t size)
{
    struct powercut_write w = {.at = at, .size = size};

    if (inode == NULL)
        return;
    if (bytes != NULL) {
        w.bytes = powercut_room(NULL, size);
        memcpy(w.bytes, bytes, size);
    }
    inode->writes = powercut_room(inode->writes, (inode->count + 1) * sizeof w);
    inode->writes[inode->count++] = w;
}

static inline sqlite3_file *powercut_real(sqlite3_file *file)
{
    return ((struct powercut_file *)file)->real;
}

static inline int powercut_close(sqlite3_file *file)
{
    return powercut_real(file)->pMethods->xClose(powercut_real(file));
}

static inline int powercut_read(sqlite3_file *file, void *to, int size,
                                sqlite3_int64 at)
{
    sqlite3_file *real = powercut_real(file);

    return powercut.dead ? SQLITE_IOERR_READ
                         : real->pMethods->xRead(real, to, size, at);
}

static inline int powercut_write(sqlite3_file *file, const void *bytes,
                                 int size, sqlite3_int64 at)
{
    struct powercut_file *f = (struct powercut_file *)file;
    bool last;

    if (!powercut_step(&last))
        return SQLITE_IOERR_WRITE;
    if (powercut.room < size)
        return SQLITE_FULL;
    powercut.room -= size;
    powercut_note(f->inode, (size_t)at, bytes, (size_t)size);
    return last ? SQLITE_IOERR_WRITE
                : f->real->pMethods->xWrite(f->real, bytes, size, at);
}

static inline int powercut_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct powercut_file *f = (struct powercut_file *)file;
    bool last;

    if (!powercut_step(&last))
        return SQLITE_IOERR_TRUNCATE;
    powercut_note(f->inode, (size_t)size, NULL, 0);
    return last ? SQLITE_IOERR_TRUNCATE
                : f->real->pMethods->xTruncate(f->real, size);
}

/* Its folder's sync, where there is one, comes after the file's. */
static inline int powercut_sync(sqlite3_file *file, int flags)
{
    struct powercut_file *f = (struct powercut_file *)file;
    bool last;

    if (!powercut_step(&last) || last)
        return SQLITE_IOERR_FSYNC;
    if (f->inode != NULL)
        powercut_apply(f->inode, 100, 0);
    return f->real->pMethods->xSync(f->real, flags);
}

static inline int powercut_open_directory(const char *path, int *descriptor)
{
    bool last;

    if (!powercut_step(&last) || last)
        return SQLITE_CANTOPEN;
    for (size_t i = 0; i < POWERCUT_FILES; i++)
        powercut.names[i].synced = powercut.names[i].now;
    return powercut.open_directory(path, descriptor);
}

static inline int powercut_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = powercut_real(file);

    return real->pMethods->xFileSize(real, size);
}

static inline int powercut_lock(sqlite3_file *file, int level)
{
    return powercut_real(file)->pMethods->xLock(powercut_real(file), level);
}

static inline int powercut_unlock(sqlite3_file *file, int level)
{
    return powercut_real(file)->pMethods->xUnlock(powercut_real(file), level);
}

static inline int powercut_reserved(sqlite3_file *file, int *held)
{
    sqlite3_file *real = powercut_real(file);

    return real->pMethods->xCheckReservedLock(real, held);
}

static inline int powercut_control(sqlite3_file *file, int what, void *with)
{
    sqlite3_file *real = powercut_real(file);

    return real->pMethods->xFileControl(real, what, with);
}

static inline int powercut_sector_size(sqlite3_file *file)
{
    return powercut_real(file)->pMethods->xSectorSize(powercut_real(file));
}

static inline int powercut_traits(sqlite3_file *file)
{
    sqlite3_file *real = powercut_real(file);

    return real->pMethods->xDeviceCharacteristics(real);
}

static inline int powercut_open(sqlite3_vfs *vfs, const char *path,
                                sqlite3_file *file, int flags, int *got)
{
    static const sqlite3_io_methods methods = {
        1,
        powercut_close,
        powercut_read,
        powercut_write,
        powercut_truncate,
        powercut_sync,
        powercut_size,
        powercut_lock,
        powercut_unlock,
        powercut_reserved,
        powercut_control,
        powercut_sector_size,
        powercut_traits,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
    };
    struct powercut_file *f = (struct powercut_file *)file;
    struct powercut_name *name = path == NULL ? NULL : powercut_name(path);
    bool last;

    (void)vfs;
    f->file.pMethods = NULL;
    f->real = (sqlite3_file *)(f + 1);
    f->real->pMethods = NULL;
    if (!powercut_step(&last) || last)
        return SQLITE_CANTOPEN;
    int code = powercut.base->xOpen(powercut.base, path, f->real, flags, got);
    if (f->real->pMethods != NULL)
        f->file.pMethods = &methods;
    if (code == SQLITE_OK && name != NULL && name->now == NULL)
        name->now = powercut_inode();
    f->inode = name == NULL ? NULL : name->now;
    return code;
}

static inline int powercut_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    struct powercut_name *name = powercut_name(path);
    bool last;

    (void)vfs;
    if (!powercut_step(&last))
        return SQLITE_IOERR_DELETE;
    if (name != NULL)
        name->now = NULL;
    return last ? SQLITE_IOERR_DELETE
                : powercut.base->xDelete(powercut.base, path, sync);
}

/* Once in a process. */
static inline void powercut_install(void)
{
    powercut.base = sqlite3_vfs_find(NULL);
    powercut.vfs = *powercut.base;
    powercut.vfs.zName = "powercut";
    powercut.vfs.szOsFile += (int)sizeof(struct powercut_file);
    powercut.vfs.xOpen = powercut_open;
    powercut.vfs.xDelete = powercut_delete;
    powercut.open_directory =
        (int (*)(const char *, int *))powercut.base->xGetSystemCall(
            powercut.base, "openDirectory");
    powercut.base->xSetSystemCall(powercut.base, "openDirectory",
                                  (sqlite3_syscall_ptr)powercut_open_directory);
    powercut.cut_at = POWERCUT_NEVER;
    powercut.room = INT64_MAX;
    sqlite3_vfs_register(&powercut.vfs, 1);
}

static inline void powercut_load(struct powercut_name *name)
{
    FILE *file = fopen(name->path, "rb");
    uint8_t bytes[4096];
    size_t got;

    name->now = name->synced = NULL;
    if (file == NULL)
        return;
    name->now = name->synced = powercut_inode();
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        powercut_put(&name->now->synced, &name->now->size, name->now->size,
                     bytes, got);
    fclose(file);
}

static inline void powercut_clear(void)
{
    while (powercut.inodes != NULL) {
        struct powercut_inode *next = powercut.inodes->next;
        powercut_forget(powercut.inodes);
        free(powercut.inodes->synced);
        free(powercut.inodes);
        powercut.inodes = next;
    }
}

/* The power is on; what is there is on disk. It goes at that step. */
static inline void powercut_begin(const char *store, int cut_at)
{
    static const char *const ends[POWERCUT_FILES] = {"", "-wal", "-journal"};

    powercut_clear();
    for (size_t i = 0; i < POWERCUT_FILES; i++) {
        snprintf(powercut.names[i].path, sizeof powercut.names[i].path, "%s%s",
                 store, ends[i]);
        powercut_load(&powercut.names[i]);
    }
    powercut.steps = 0;
    powercut.cut_at = cut_at;
    powercut.dead = false;
}

static inline void powercut_restore(struct powercut_name *name, uint64_t kept,
                                    uint64_t whole, uint64_t part)
{
    struct powercut_inode *inode =
        powercut_random(100) < kept ? name->now : name->synced;

    unlink(name->path);
    if (inode == NULL)
        return;
    powercut_apply(inode, whole, part);
    FILE *file = fopen(name->path, "wb");
    if (file == NULL ||
        (inode->size > 0 &&
         fwrite(inode->synced, 1, inode->size, file) != inode->size))
        abort();
    fclose(file);
}

/* After the store was closed in vain: leaves in the folder what the disk
 * holds. */
static inline void powercut_end(void)
{
    static const uint64_t chances[] = {0, 100, 5, 50, 95};
    uint64_t whole = chances[powercut_random(5)];
    uint64_t part = whole == 100 ? 0 : chances[powercut_random(5)];
    uint64_t kept = chances[powercut_random(4)];

    if (!powercut.dead)
        return;
    for (size_t i = 0; i < POWERCUT_FILES; i++)
        powercut_restore(&powercut.names[i], kept, whole, part);
    powercut.dead = false;
    powercut.cut_at = POWERCUT_NEVER;
}

#endif
