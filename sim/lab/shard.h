/* The processes that `mpirun` has started: each has a range of a run's rows.
 * Two make this: sim/lab/shard.c for one process, sim/mpi/shard.c on MPI. What
 * is said to be of all must be called by all, in the same order. */

#ifndef LAB_SHARD_H
#define LAB_SHARD_H

#include <stddef.h>

#include "model/error.h"
#include "sim/lab/halo.h"

/* Returns 0, or -ENOTSUP if mpirun has started us and this was not built for
 * it. */
int shard_open(struct error *error);
void shard_close(void);

size_t shard_rank(void); /* from 0 */
size_t shard_count(void);

/* Of all: the first failure of any, with its error, or 0. */
int shard_agree(int code, struct error *error);
/* A failure that only this process knows of: says so and ends them all. */
void shard_stop(const char *text) __attribute__((noreturn));

/* A sum goes on from process to process: x[count] of the one before; to the
 * next one. Nothing for the first, or the last. */
void shard_before(double *x, size_t count);
void shard_next(const double *x, size_t count);

/* Of all: x[start[r] * width ...] of process r goes to everyone. */
void shard_share(double *x, const size_t *start, size_t width);
/* Of all: data[size] of process `from` goes to everyone. */
void shard_tell(void *data, size_t size, size_t from);
/* Of all: the sum; exact where they are whole numbers. */
double shard_sum(double x);

/* Of all: rows of the halo. Row i is first[i] .. first[i + 1] units from base,
 * or, first NULL, one unit; a unit is in bytes. */
void shard_exchange(const struct halo *halo, void *base, const size_t *first,
                    size_t unit);

/* data[size] to a process that receives it. */
void shard_send(const void *data, size_t size, size_t to);
void shard_receive(void *data, size_t size, size_t from);

#endif
