/* Work shared by processes of this program: child k does every count-th piece,
 * from the k-th, and the parent hears of each piece in order. */

#ifndef SIM_JOBS_H
#define SIM_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { JOBS_MAX = 64 };

struct jobs {
    uint32_t count;
    int fds[JOBS_MAX]; /* parent: to read from; child: fds[0], to write to */
    pid_t children[JOBS_MAX];
};

/* Forks `count` children. Returns the place of a child in the child, -1 in the
 * parent, -2 if there are too few processes. Flush stdio before. */
int jobs_fork(struct jobs *jobs, uint32_t count);
/* A child tells about its next piece: `size` bytes, the same each time. */
void jobs_tell(const struct jobs *jobs, const void *bytes, size_t size);
/* The parent hears of piece `index` of all; false: that child is gone. */
bool jobs_hear(const struct jobs *jobs, void *bytes, size_t size,
               uint64_t index);
/* The parent's end: children that still work are stopped. */
void jobs_end(struct jobs *jobs);

#endif
