/* A small table-driven reader of YAML files (YAML 1.1 through libyaml).
 *
 * A table names the keys that a mapping may have. Whatever is not in the table,
 * of another type, twice there, an alias, an anchor or a tag, is an error with
 * file and line. Nothing is guessed: a number is a plain scalar and nothing
 * else, a text is taken as it stands.
 */

#ifndef NODE_READER_H
#define NODE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"

enum reader_kind {
    READER_TEXT,
    READER_INTEGER, /* digits only, low..high */
    READER_REAL,    /* decimal, low..high */
    READER_WORD,    /* one of the words of `hint`, parted by '|' */
    READER_TEXTS,   /* a list of texts, not empty */
    READER_MAP,
    READER_LIST,
    READER_ANY,  /* the caller looks itself */
    READER_LATER /* known to the format, refused by this version: `hint` says */
};

struct reader_key {
    const char *name;
    enum reader_kind kind;
    bool required;
    double low, high;
    const char *hint; /* TEXT, TEXTS, ANY: what is expected, in words */
};

struct reader_value {
    uint32_t line; /* 0: the key is not there; else the line of the value */
    int node;
    const char *text; /* TEXT, WORD; owned by the reader */
    uint64_t integer;
    double real;
    uint32_t word; /* WORD: place in `hint`, from 0 */
};

struct reader; /* opaque */

/* Reads the whole file, 1 MiB at most, one document. */
int reader_open(struct reader **reader, const char *path, struct error *error);
void reader_close(struct reader *reader);
int reader_root(const struct reader *reader);

/* values[count], one for each key of the table. `where` names the mapping in
 * messages ("task"). Returns 0 or -EINVAL. */
int reader_map(struct reader_value *values, const struct reader *reader,
               int node, const struct reader_key *keys, size_t count,
               const char *where, struct error *error);

/* The items of a list; 0 if the node is none. */
size_t reader_count(const struct reader *reader, int list);
int reader_item(const struct reader *reader, int list, size_t i);

bool reader_is_map(const struct reader *reader, int node);
bool reader_is_list(const struct reader *reader, int node);
/* The text of a scalar that is not empty, else NULL. */
const char *reader_text(const struct reader *reader, int node);
/* A plain scalar as a decimal number. Returns 0 or -EINVAL. */
int reader_real(double *value, const struct reader *reader, int node);
uint32_t reader_line(const struct reader *reader, int node);

/* How many scalars `path` names: keys parted by dots; in a list it goes on in
 * every item. */
size_t reader_places(const struct reader *reader, const char *path);
/* Puts plain `text` in each of them. Returns false if out of memory. */
bool reader_put(struct reader *reader, const char *path, const char *text);

/* "FILE:LINE: " before the message; returns -EINVAL. */
int reader_fail(const struct reader *reader, uint32_t line, struct error *error,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Of names[count], NULLs left out, the one nearest to `word` by edit distance
 * if it is near enough to be meant, else NULL. */
const char *reader_nearest(const char *word, const char *const *names,
                           size_t count);

#endif
