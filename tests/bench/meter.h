/* What one engine's calls into crypto/ take, and how much memory it holds. The
 * linker puts these in between (--wrap), so that the engine is the one that
 * runs in a node. Counts between meter_on and meter_off only, on one thread;
 * CPU time is the process's: whoever works for the engine is in it. */

#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum meter_op {
    METER_QUANTISE,
    METER_MASK, /* expand, and add or take off */
    METER_ADD,  /* members' lanes */
    METER_DECODE,
    METER_HASH,
    METER_SIGN,
    METER_VERIFY,
    METER_SECRETS, /* key agreement, seals, shares */
    METER_OPS
};

struct meter {
    double ms[METER_OPS];
    size_t held, peak; /* bytes */
};

double meter_cpu_ms(void);
double meter_wall_ms(void);

/* times: also the operations, which costs a little itself. */
void meter_on(struct meter *meter, bool times);
void meter_off(void);

/* From now on masks are expanded and put on, or not at all. */
void meter_masks(bool masks);

/* identity_verify, metered: for gossip_config.verify. */
int meter_verify(void *context, const uint8_t *signature, const char *domain,
                 const uint8_t *message, size_t size, const uint8_t *key);

#endif
