#include "sim/lab/checkpoint.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/lab/course_piece.h"
#include "sim/lab/shard.h"

enum { CHUNK = 1 << 16, SELDOM = 8 };

static const double least_seconds = 30, most_share = 0.05;

struct head {
    char kind[8];
    unsigned char hash[DIGEST_BYTES]; /* of the experiment */
    uint64_t index, step;
};

static const char kind[8] = "labrun1";

void checkpoint_begin(struct checkpoint *c, const struct keep *keep,
                      size_t index, uint64_t every, uint64_t row_every,
                      double now)
{
    *c = (struct checkpoint){.keep = keep,
                             .index = index,
                             .every = every,
                             .row_every = row_every,
                             .due = now + least_seconds,
                             .off = keep->folder[0] == '\0'};
}

void checkpoint_wait(struct checkpoint *c, double now, double seconds)
{
    const double rest = seconds / most_share;

    c->due = now + (rest > least_seconds ? rest : least_seconds);
}

/* Process 0 decides; the others are not asked in every step. */
bool checkpoint_is_due(const struct checkpoint *c, uint64_t step, double now)
{
    const uint64_t every = c->every > 0 ? c->every : SELDOM;
    bool due = !c->off && (c->every > 0 || now >= c->due);

    if ((c->every > 0 || shard_count() > 1) && step % every != 0)
        return false;
    shard_tell(&due, sizeof due, 0);
    return due;
}

/* A file and the digest of all that went through it. */
struct stream {
    crypto_generichash_state state;
    FILE *file;
    bool good;
};

static void open_stream(struct stream *s, const char *path, const char *mode)
{
    *s = (struct stream){.file = fopen(path, mode)};
    s->good = s->file != NULL;
    crypto_generichash_init(&s->state, NULL, 0, DIGEST_BYTES);
}

static void put(struct stream *s, const void *data, size_t size)
{
    crypto_generichash_update(&s->state, data, size);
    s->good = s->good && fwrite(data, 1, size, s->file) == size;
}

static void get(struct stream *s, void *data, size_t size)
{
    s->good = s->good && fread(data, 1, size, s->file) == size;
}

/* at[size] of process r into the file of process 0, or back. */
static void pass_part(struct stream *s, char *at, size_t size, size_t r,
                      bool out)
{
    const size_t rank = shard_rank();
    char room[CHUNK] = {0};

    if (rank == 0 && r == 0 && out)
        put(s, at, size);
    else if (rank == 0 && r == 0)
        get(s, at, size);
    for (size_t from = 0; r > 0 && from < size; from += CHUNK) {
        const size_t most = size - from < CHUNK ? size - from : CHUNK;
        if (rank == r && out)
            shard_send(at + from, most, 0);
        else if (rank == r)
            shard_receive(at + from, most, 0);
        if (rank == 0 && out) {
            shard_receive(room, most, r);
            put(s, room, most);
        } else if (rank == 0) {
            get(s, room, most);
            shard_send(room, most, r);
        }
    }
}

/* A piece's bytes are the same, and in the same order, for any number of
 * processes. */
static void pass_piece(struct stream *s, const struct course_piece *p,
                       const struct course *course, bool out)
{
    void *at = p->at;

    if (p->share != COURSE_ROWS) {
        pass_part(s, at, p->size, 0, out);
        if (p->share == COURSE_ALL && !out)
            shard_tell(at, p->size, 0);
        return;
    }
    for (size_t r = 0; r < shard_count(); r++) {
        size_t size = course_piece_part(&at, p, course, r);
        pass_part(s, at, size, r, out);
    }
}

/* The file up to its last bytes, which are the digest of all before them. */
static bool is_whole(FILE *file)
{
    unsigned char chunk[CHUNK], digest[DIGEST_BYTES], stored[DIGEST_BYTES];
    crypto_generichash_state state;
    struct stat about;

    if (fstat(fileno(file), &about) != 0 ||
        about.st_size < (off_t)(sizeof(struct head) + DIGEST_BYTES))
        return false;
    size_t left = (size_t)about.st_size - DIGEST_BYTES;
    crypto_generichash_init(&state, NULL, 0, DIGEST_BYTES);
    while (left > 0) {
        size_t size = left < CHUNK ? left : CHUNK;
        if (fread(chunk, 1, size, file) != size)
            return false;
        crypto_generichash_update(&state, chunk, size);
        left -= size;
    }
    crypto_generichash_final(&state, digest, DIGEST_BYTES);
    return fread(stored, 1, sizeof stored, file) == sizeof stored &&
           memcmp(stored, digest, sizeof stored) == 0;
}

static size_t row_count(const struct checkpoint *c, uint64_t step)
{
    return (size_t)(step / c->row_every) + 1;
}

/* Whether what follows the head is as long as this course needs. */
static bool fits(FILE *file, const struct checkpoint *c, uint64_t step,
                 const struct course_piece *pieces, size_t count)
{
    size_t size = sizeof(struct head) + DIGEST_BYTES +
                  row_count(c, step) * sizeof(struct course_row);
    struct stat about;

    for (size_t k = 0; k < count; k++)
        size += pieces[k].size;
    return fstat(fileno(file), &about) == 0 && about.st_size == (off_t)size;
}

static void refuse(const char *path, const char *found, const char *expected)
{
    fprintf(stderr,
            "starling: %s: found %s, expected %s; this run begins anew\n", path,
            found, expected);
}

/* The step that may be used; 0, with a line that says why, if none may. */
static uint64_t examine(struct stream *s, const struct checkpoint *c,
                        const struct course_piece *pieces, size_t count,
                        const char *path)
{
    struct head head;

    s->good = is_whole(s->file) && fseek(s->file, 0, SEEK_SET) == 0;
    get(s, &head, sizeof head);
    if (!s->good || memcmp(head.kind, kind, sizeof kind) != 0) {
        refuse(path, "a damaged file", "a whole one");
        return 0;
    }
    if (memcmp(head.hash, c->keep->hash, sizeof head.hash) != 0 ||
        head.index != c->index || head.step == 0 ||
        !fits(s->file, c, head.step, pieces, count)) {
        refuse(path, "what another experiment left", "one of this experiment");
        return 0;
    }
    return head.step;
}

int checkpoint_load(uint64_t *step, const struct checkpoint *c,
                    struct course *course, struct course_row *rows,
                    struct error *error)
{
    char path[KEEP_PATH_SIZE];
    struct course_piece pieces[COURSE_PIECES_MAX];
    struct stream s = {0};

    *step = 0;
    if (c->off && shard_count() == 1)
        return 0;
    const size_t count = course_piece_list(pieces, course);
    keep_path(path, c->keep, c->index, ".at");
    if (!c->off)
        open_stream(&s, path, "rb");
    if (s.file != NULL)
        *step = examine(&s, c, pieces, count, path);
    shard_tell(step, sizeof *step, 0);
    if (*step > 0 && shard_rank() == 0)
        get(&s, rows, row_count(c, *step) * sizeof *rows);
    for (size_t k = 0; *step > 0 && k < count; k++)
        pass_piece(&s, &pieces[k], course, false);
    const bool failed = *step > 0 && s.file != NULL && !s.good;
    if (s.file != NULL)
        fclose(s.file);
    return shard_agree(
        failed ? error_set(error, -EIO, "%s: cannot be read", path) : 0, error);
}

static void put_head(struct stream *s, const struct checkpoint *c,
                     uint64_t step, const struct course_row *rows)
{
    struct head head;

    memset(&head, 0, sizeof head);
    memcpy(head.kind, kind, sizeof kind);
    memcpy(head.hash, c->keep->hash, sizeof head.hash);
    head.index = c->index;
    head.step = step;
    put(s, &head, sizeof head);
    put(s, rows, row_count(c, step) * sizeof *rows);
}

static void put_digest(struct stream *s)
{
    unsigned char digest[DIGEST_BYTES];

    crypto_generichash_final(&s->state, digest, DIGEST_BYTES);
    s->good = s->good &&
              fwrite(digest, 1, sizeof digest, s->file) == sizeof digest &&
              fflush(s->file) == 0 && fsync(fileno(s->file)) == 0;
    if (s->file != NULL)
        s->good = fclose(s->file) == 0 && s->good;
}

void checkpoint_save(struct checkpoint *c, uint64_t step, struct course *course,
                     const struct course_row *rows)
{
    char path[KEEP_PATH_SIZE], part[KEEP_PATH_SIZE];
    struct course_piece pieces[COURSE_PIECES_MAX];
    const size_t count = course_piece_list(pieces, course);
    const bool first = shard_rank() == 0;
    struct stream s = {0};

    keep_path(path, c->keep, c->index, ".at");
    keep_path(part, c->keep, c->index, ".at.part");
    if (first) {
        open_stream(&s, part, "wb");
        put_head(&s, c, step, rows);
    }
    for (size_t k = 0; k < count; k++)
        pass_piece(&s, &pieces[k], course, true);
    if (!first)
        return;
    put_digest(&s);
    if (s.good && rename(part, path) == 0)
        return;
    fprintf(stderr, "starling: %s: %s; the run goes on without checkpoints\n",
            part, strerror(errno));
    unlink(part);
    c->off = true;
}

void checkpoint_remove(const struct checkpoint *c)
{
    char path[KEEP_PATH_SIZE];

    if (c->keep->folder[0] == '\0')
        return;
    keep_path(path, c->keep, c->index, ".at");
    unlink(path);
}
