#include "sim/lab/checkpoint.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

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

bool checkpoint_is_due(const struct checkpoint *c, uint64_t step, double now)
{
    if (c->off)
        return false;
    return c->every > 0 ? step % c->every == 0 : now >= c->due;
}

/* A file and the digest of all that went through it. */
struct stream {
    FILE *file;
    crypto_generichash_state state;
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

/* *step stays 0, with a line that says why, if it may not be used. */
static int read_all(uint64_t *step, struct stream *s,
                    const struct checkpoint *c, struct course *course,
                    struct course_row *rows, const char *path)
{
    struct course_piece pieces[COURSE_PIECES_MAX];
    const size_t count = course_pieces(pieces, course);
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
    get(s, rows, row_count(c, head.step) * sizeof *rows);
    for (size_t k = 0; k < count; k++)
        get(s, pieces[k].at, pieces[k].size);
    *step = head.step;
    return s->good ? 0 : -EIO;
}

int checkpoint_load(uint64_t *step, const struct checkpoint *c,
                    struct course *course, struct course_row *rows,
                    struct error *error)
{
    char path[KEEP_PATH_SIZE];
    struct stream stream;

    *step = 0;
    if (c->off)
        return 0;
    keep_path(path, c->keep, c->index, ".at");
    open_stream(&stream, path, "rb");
    if (stream.file == NULL)
        return 0;
    int code = read_all(step, &stream, c, course, rows, path);
    fclose(stream.file);
    return code == 0 ? 0 : error_set(error, code, "%s: cannot be read", path);
}

static void put_all(struct stream *s, const struct checkpoint *c, uint64_t step,
                    struct course *course, const struct course_row *rows)
{
    struct course_piece pieces[COURSE_PIECES_MAX];
    const size_t count = course_pieces(pieces, course);
    unsigned char digest[DIGEST_BYTES];
    struct head head;

    memset(&head, 0, sizeof head);
    memcpy(head.kind, kind, sizeof kind);
    memcpy(head.hash, c->keep->hash, sizeof head.hash);
    head.index = c->index;
    head.step = step;
    put(s, &head, sizeof head);
    put(s, rows, row_count(c, step) * sizeof *rows);
    for (size_t k = 0; k < count; k++)
        put(s, pieces[k].at, pieces[k].size);
    crypto_generichash_final(&s->state, digest, DIGEST_BYTES);
    s->good =
        s->good && fwrite(digest, 1, sizeof digest, s->file) == sizeof digest;
}

void checkpoint_save(struct checkpoint *c, uint64_t step, struct course *course,
                     const struct course_row *rows)
{
    char path[KEEP_PATH_SIZE], part[KEEP_PATH_SIZE];
    struct stream stream;

    keep_path(path, c->keep, c->index, ".at");
    keep_path(part, c->keep, c->index, ".at.part");
    open_stream(&stream, part, "wb");
    if (stream.file != NULL) {
        put_all(&stream, c, step, course, rows);
        stream.good = stream.good && fflush(stream.file) == 0 &&
                      fsync(fileno(stream.file)) == 0;
        stream.good = fclose(stream.file) == 0 && stream.good;
    }
    if (stream.good && rename(part, path) == 0)
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
