/* The processes of a local cluster: starts them, follows what they print, and
 * leaves none behind. A child dies with this process, however that ends. */

#ifndef SIM_CREW_H
#define SIM_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"

struct crew; /* opaque */

enum crew_kind {
    CREW_LINE,      /* a line of a child's standard output; one above 1 MiB is
                       left out */
    CREW_COMPLAINT, /* a line of its standard error */
    CREW_EXIT,      /* it is gone, all its lines have been told */
    CREW_TIMEOUT,
    CREW_INTERRUPT /* SIGINT or SIGTERM came to this process */
};

struct crew_event {
    enum crew_kind kind;
    size_t child;
    const char *line; /* without its end; valid until the next call */
    int status;       /* CREW_EXIT: exit status, or 128 + the signal */
};

/* From now on SIGINT and SIGTERM are told by crew_next. NULL: out of memory. */
struct crew *crew_new(size_t count);
void crew_free(struct crew *crew); /* kills and reaps; NULL is fine */

/* arguments[] ends with NULL, arguments[0] is the program's path. settings[]
 * ("NAME=VALUE", may be NULL, ends with NULL) are added to the environment. The
 * child must not be running. */
int crew_start(struct crew *crew, size_t child, const char *const *arguments,
               const char *const *settings, struct error *error);

void crew_signal(const struct crew *crew, size_t child, int number);
bool crew_runs(const struct crew *crew, size_t child);
size_t crew_count(const struct crew *crew); /* of running children */

/* Waits for one event until `until_ms` of crew_now_ms. */
void crew_next(struct crew *crew, struct crew_event *event, uint64_t until_ms);

uint64_t crew_now_ms(void); /* monotonic */

#endif
