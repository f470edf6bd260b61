#include "sim/lab/shard.h"

#include <assert.h>
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* MPI counts in ints. */
static int narrow(size_t count)
{
    assert(count <= INT_MAX);
    return (int)count;
}

static bool is_open(void)
{
    int begun = 0, over = 0;

    MPI_Initialized(&begun);
    MPI_Finalized(&over);
    return begun && !over;
}

/* What MPI itself finds wrong ends all processes: its default. */
int shard_open(struct error *error)
{
    int level;

    (void)error;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    return 0;
}

void shard_close(void)
{
    if (is_open())
        MPI_Finalize();
}

size_t shard_rank(void)
{
    int rank = 0;

    if (is_open())
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return (size_t)rank;
}

size_t shard_count(void)
{
    int count = 1;

    if (is_open())
        MPI_Comm_size(MPI_COMM_WORLD, &count);
    return (size_t)count;
}

int shard_agree(int code, struct error *error)
{
    struct {
        int code, rank;
    } own = {code, narrow(shard_rank())}, worst;

    if (shard_count() == 1)
        return code;
    MPI_Allreduce(&own, &worst, 1, MPI_2INT, MPI_MINLOC, MPI_COMM_WORLD);
    if (worst.code < 0)
        MPI_Bcast(error->text, ERROR_TEXT_SIZE, MPI_CHAR, worst.rank,
                  MPI_COMM_WORLD);
    return worst.code;
}

void shard_stop(const char *text)
{
    fprintf(stderr, "starling: process %zu: %s\n", shard_rank(), text);
    fflush(stderr);
    MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

void shard_before(double *x, size_t count)
{
    const size_t rank = shard_rank();

    if (rank > 0)
        MPI_Recv(x, narrow(count), MPI_DOUBLE, narrow(rank - 1), 0,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

void shard_next(const double *x, size_t count)
{
    const size_t rank = shard_rank();

    if (rank + 1 < shard_count())
        MPI_Send(x, narrow(count), MPI_DOUBLE, narrow(rank + 1), 0,
                 MPI_COMM_WORLD);
}

static MPI_Datatype bytes_type(size_t size)
{
    MPI_Datatype type;

    MPI_Type_contiguous(narrow(size), MPI_BYTE, &type);
    MPI_Type_commit(&type);
    return type;
}

void shard_share(double *x, const size_t *start, size_t width)
{
    const size_t count = shard_count();
    MPI_Datatype row = bytes_type(width * sizeof *x);

    for (size_t r = 0; r < count; r++)
        if (start[r + 1] > start[r])
            MPI_Bcast(x + start[r] * width, narrow(start[r + 1] - start[r]),
                      row, narrow(r), MPI_COMM_WORLD);
    MPI_Type_free(&row);
}

void shard_tell(void *data, size_t size, size_t from)
{
    if (shard_count() > 1)
        MPI_Bcast(data, narrow(size), MPI_BYTE, narrow(from), MPI_COMM_WORLD);
}

double shard_sum(double x)
{
    double sum = x;

    if (shard_count() > 1)
        MPI_Allreduce(&x, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

/* Rows rows[count] where they lie, as one message. */
static MPI_Datatype rows_type(const uint32_t *rows, size_t count,
                              const size_t *first, size_t unit)
{
    int *sizes = malloc(count * sizeof *sizes);
    MPI_Aint *places = malloc(count * sizeof *places);
    MPI_Datatype type;

    if (sizes == NULL || places == NULL)
        shard_stop("out of memory for messages");
    for (size_t k = 0; k < count; k++) {
        const size_t i = rows[k], from = first == NULL ? i : first[i];
        const size_t to = first == NULL ? i + 1 : first[i + 1];
        sizes[k] = narrow((to - from) * unit);
        places[k] = (MPI_Aint)(from * unit);
    }
    MPI_Type_create_hindexed(narrow(count), sizes, places, MPI_BYTE, &type);
    MPI_Type_commit(&type);
    free(sizes);
    free(places);
    return type;
}

void shard_exchange(const struct halo *h, void *base, const size_t *first,
                    size_t unit)
{
    MPI_Request *waiting = malloc((2 * h->ranks + 1) * sizeof(MPI_Request));
    int count = 0;

    if (waiting == NULL)
        shard_stop("out of memory for messages");
    for (size_t k = 0; k < 2 * h->ranks; k++) {
        const size_t r = k / 2;
        const bool in = k % 2 == 0;
        const size_t *start = in ? h->get : h->give;
        const uint32_t *rows = in ? h->got : h->given;
        if (start[r + 1] == start[r])
            continue;
        MPI_Datatype type =
            rows_type(rows + start[r], start[r + 1] - start[r], first, unit);
        if (in)
            MPI_Irecv(base, 1, type, narrow(r), 1, MPI_COMM_WORLD,
                      &waiting[count++]);
        else
            MPI_Isend(base, 1, type, narrow(r), 1, MPI_COMM_WORLD,
                      &waiting[count++]);
        MPI_Type_free(&type); /* when the message is through */
    }
    MPI_Waitall(count, waiting, MPI_STATUSES_IGNORE);
    free(waiting);
}

void shard_send(const void *data, size_t size, size_t to)
{
    MPI_Send(data, narrow(size), MPI_BYTE, narrow(to), 2, MPI_COMM_WORLD);
}

void shard_receive(void *data, size_t size, size_t from)
{
    MPI_Recv(data, narrow(size), MPI_BYTE, narrow(from), 2, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
}
