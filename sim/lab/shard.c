#include "sim/lab/shard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int shard_open(struct error *error)
{
    static const char *const started[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};

    for (size_t k = 0; k < sizeof started / sizeof *started; k++) {
        const char *count = getenv(started[k]);
        if (count != NULL && strtol(count, NULL, 10) > 1)
            return error_set(error, -ENOTSUP,
                             "found %s processes of one run, expected one: "
                             "this was built without MPI; cmake -DMPI=ON",
                             count);
    }
    return 0;
}

void shard_close(void)
{
}

size_t shard_rank(void)
{
    return 0;
}

size_t shard_count(void)
{
    return 1;
}

int shard_agree(int code, struct error *error)
{
    (void)error;
    return code;
}

void shard_stop(const char *text)
{
    fprintf(stderr, "starling: %s\n", text);
    abort();
}

void shard_before(double *x, size_t count)
{
    (void)x;
    (void)count;
}

void shard_next(const double *x, size_t count)
{
    (void)x;
    (void)count;
}

void shard_share(double *x, const size_t *start, size_t width)
{
    (void)x;
    (void)start;
    (void)width;
}

void shard_tell(void *data, size_t size, size_t from)
{
    (void)data;
    (void)size;
    (void)from;
}

double shard_sum(double x)
{
    return x;
}

void shard_exchange(const struct halo *halo, void *base, const size_t *first,
                    size_t unit)
{
    (void)halo;
    (void)base;
    (void)first;
    (void)unit;
}

void shard_send(const void *data, size_t size, size_t to)
{
    (void)data;
    (void)size;
    (void)to;
}

void shard_receive(void *data, size_t size, size_t from)
{
    (void)data;
    (void)size;
    (void)from;
}
