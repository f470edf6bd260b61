#include "meter.h"

#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/aead.h"
#include "crypto/identity.h"
#include "crypto/lanes.h"
#include "crypto/mask.h"
#include "crypto/shamir.h"
#include "crypto/tree.h"
#include "crypto/x25519.h"
#include "gossip/wire.h"

static struct meter *running;
static bool timing, bare;

static double read_ms(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

double meter_cpu_ms(void)
{
    return read_ms(CLOCK_PROCESS_CPUTIME_ID);
}

double meter_wall_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

void meter_masks(bool masks)
{
    bare = !masks;
}

void meter_on(struct meter *meter, bool times)
{
    running = meter;
    timing = times;
}

void meter_off(void)
{
    running = NULL;
    timing = false;
}

static double start(void)
{
    return timing ? meter_cpu_ms() : 0;
}

static void stop(enum meter_op op, double started)
{
    if (timing)
        running->ms[op] += meter_cpu_ms() - started;
}

int meter_verify(void *context, const uint8_t *signature, const char *domain,
                 const uint8_t *message, size_t size, const uint8_t *key)
{
    double t = start();
    int status = identity_verify(signature, domain, message, size, key);

    (void)context;
    stop(METER_VERIFY, t);
    return status;
}

/* __real_x is x, __wrap_x is what is called in its place. */
#define WRAP(op, name, parameters, arguments)                                  \
    void __real_##name parameters;                                             \
    void __wrap_##name parameters;                                             \
    void __wrap_##name parameters                                              \
    {                                                                          \
        double t = start();                                                    \
        __real_##name arguments;                                               \
        stop(op, t);                                                           \
    }

#define WRAP_INT(op, name, parameters, arguments)                              \
    int __real_##name parameters;                                              \
    int __wrap_##name parameters;                                              \
    int __wrap_##name parameters                                               \
    {                                                                          \
        double t = start();                                                    \
        int status = __real_##name arguments;                                  \
        stop(op, t);                                                           \
        return status;                                                         \
    }

WRAP_INT(METER_QUANTISE, lanes_encode_part,
         (void *lanes, double *carry, const double *values, size_t first,
          size_t count, const struct fixed_shape *shape, const uint8_t *seed,
          size_t *at),
         (lanes, carry, values, first, count, shape, seed, at))
WRAP_INT(METER_DECODE, lanes_decode,
         (double *values, const void *lanes, uint32_t members,
          const struct fixed_shape *shape, size_t *at),
         (values, lanes, members, shape, at))
WRAP(METER_ADD, lanes_add,
     (void *to, const void *from, size_t count,
      const struct fixed_shape *shape),
     (to, from, count, shape))
void __real_mask_copy(void *out, const void *lanes, uint32_t lane_bits,
                      size_t first, size_t count, const struct mask *masks,
                      size_t mask_count);
void __wrap_mask_copy(void *out, const void *lanes, uint32_t lane_bits,
                      size_t first, size_t count, const struct mask *masks,
                      size_t mask_count);
void __wrap_mask_copy(void *out, const void *lanes, uint32_t lane_bits,
                      size_t first, size_t count, const struct mask *masks,
                      size_t mask_count)
{
    double t = start();

    __real_mask_copy(out, lanes, lane_bits, first, count, masks,
                     bare ? 0 : mask_count);
    stop(METER_MASK, t);
}

void __wrap_mask_apply(void *lanes, uint32_t lane_bits, size_t first,
                       size_t count, const struct mask *masks,
                       size_t mask_count);
void __wrap_mask_apply(void *lanes, uint32_t lane_bits, size_t first,
                       size_t count, const struct mask *masks,
                       size_t mask_count)
{
    if (!bare)
        __wrap_mask_copy(lanes, lanes, lane_bits, first, count, masks,
                         mask_count);
}

WRAP(METER_HASH, wire_hash, (uint8_t * hash, const uint8_t *bytes, size_t size),
     (hash, bytes, size))
WRAP(METER_HASH, tree_hash, (uint8_t * hash, const void *bytes, size_t size),
     (hash, bytes, size))
WRAP(METER_SIGN, identity_sign,
     (uint8_t * signature, const char *domain, const uint8_t *message,
      size_t size, const uint8_t *secret),
     (signature, domain, message, size, secret))
WRAP(METER_SECRETS, x25519_generate,
     (struct x25519_pair * pair, struct prg *prg), (pair, prg))
WRAP(METER_SECRETS, x25519_base, (uint8_t * open, const uint8_t *secret),
     (open, secret))
WRAP_INT(METER_SECRETS, x25519_shared,
         (uint8_t * shared, const uint8_t *secret, const uint8_t *open),
         (shared, secret, open))
WRAP(METER_SECRETS, shamir_split,
     (struct shamir_share * shares, size_t count, size_t threshold,
      const uint8_t *secret, struct prg *prg),
     (shares, count, threshold, secret, prg))
WRAP_INT(METER_SECRETS, shamir_join,
         (uint8_t * secret, const struct shamir_share *shares, size_t count),
         (secret, shares, count))

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __real_free(void *bytes);
void __wrap_free(void *bytes);

static void *hold(void *bytes)
{
    if (running != NULL && bytes != NULL) {
        running->held += malloc_usable_size(bytes);
        if (running->held > running->peak)
            running->peak = running->held;
    }
    return bytes;
}

void *__wrap_malloc(size_t size)
{
    return hold(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return hold(__real_calloc(count, size));
}

void __wrap_free(void *bytes)
{
    if (running != NULL && bytes != NULL)
        running->held -= malloc_usable_size(bytes);
    __real_free(bytes);
}
