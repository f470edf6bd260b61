#include "sim/hold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/halt.h"

bool hold_parse(uint64_t *round, const char *text)
{
    static const char phases[] = HALT_PHASES;
    const char *at = strchr(text, '@');
    char *end = NULL;

    for (const char *p = phases; at != NULL && *p != '\0';) {
        size_t size = strcspn(p, ",");
        if (size == (size_t)(at - text) && memcmp(p, text, size) == 0 &&
            at[1] >= '0' && at[1] <= '9') {
            uint64_t value = strtoull(at + 1, &end, 10);
            if (round != NULL)
                *round = value;
            return *end == '\0';
        }
        p += size;
        p += strspn(p, ", ");
    }
    return false;
}

static void from_crash(struct hold *hold, const struct study *study,
                       const struct study_crash *crash, size_t place)
{
    *hold = (struct hold){.received = crash->after_y ? crash->round + 1 : 0};
    /* Before its Y: it has just agreed on who takes part. */
    snprintf(hold->at, sizeof hold->at, "%s@%" PRIu64,
             crash->after_y ? "y" : "commit-v", crash->round);
    for (size_t i = 0; i < study->restart_count; i++) {
        if (study->restart[i].site != crash->site || place-- != 0)
            continue;
        hold->returns = true;
        hold->return_ms = study->restart[i].after_ms;
    }
}

void hold_find(struct hold *hold, const struct study *study,
               const struct fleet_options *options, uint32_t site, size_t place)
{
    size_t skip = place;

    for (size_t i = 0; i < study->crash_count; i++)
        if (study->crash[i].site == site && skip-- == 0) {
            from_crash(hold, study, &study->crash[i], place);
            return;
        }
    for (size_t i = 0; i < options->strike_count; i++) {
        const struct fleet_strike *strike = &options->strikes[i];
        if (strcmp(strike->site, study->sites[site].name) != 0 ||
            strike->hold[0] == '\0' || skip-- != 0)
            continue;
        *hold = (struct hold){.returns = true,
                              .return_ms = (uint64_t)strike->return_ms};
        memcpy(hold->at, strike->hold, sizeof hold->at);
        return;
    }
    *hold = (struct hold){.at = ""};
}
