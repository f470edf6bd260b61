#include "sim/run.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "sim/deal.h"

void run_input_free(struct run_input *in)
{
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        dataset_free(in->datasets[i]);
    if (in->has_pooled)
        task_report_free(&in->pooled);
    study_free(in->study);
}

int run_read(struct run_input *in, const char *path, struct error *error)
{
    int status = study_read(&in->study, path, error);

    if (status != 0 || in->study->pod_count > 0) /* sim/manypods.h reads it */
        return status;
    for (uint32_t i = 0; i < in->study->site_count; i++)
        if (in->study->sites[i].data == NULL)
            return error_set(error, -EINVAL,
                             "%s:%" PRIu32 ": found site '%s' without data:, "
                             "expected a file; a world needs every site's rows",
                             path, in->study->sites[i].line,
                             in->study->sites[i].name);
    status = study_resolve(in->study, in->study->sites[0].data, error);
    for (uint32_t i = 0; i < in->study->site_count && status == 0; i++) {
        const struct study_site *site = &in->study->sites[i];
        struct dataset_filter filter = {.column = site->rows_column,
                                        .equals = site->rows_equals};
        status = dataset_read(&in->datasets[i], site->data, &filter,
                              &in->study->task, error);
    }
    return status;
}

void run_free(struct run *run)
{
    world_free(run->world);
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        dataset_free(run->dealt[i]);
    deal_study_free(run->study);
}

int run_pool(struct run_input *in, struct error *error)
{
    int status = deal_pooled_fit(&in->pooled, in->study,
                                 (const struct dataset *const *)in->datasets,
                                 in->study->site_count, error);

    in->has_pooled = status == 0;
    return status;
}

static int deal(struct run *run, const struct run_input *in,
                const struct options *o, uint64_t seed, struct error *error)
{
    uint8_t key[PRG_SEED_BYTES] = "starling deal";
    struct prg prg;

    for (int i = 0; i < 8; i++)
        key[24 + i] = (uint8_t)(seed >> 8 * i);
    prg_seed(&prg, key);
    uint32_t members =
        o->members_from +
        (uint32_t)prg_below(&prg, o->members_to - o->members_from + 1);
    int status = deal_study(&run->study, in->study, members, error);
    if (status != 0)
        return status;
    return deal_rows(run->dealt, members,
                     (const struct dataset *const *)in->datasets,
                     in->study->site_count, &prg, error);
}

int run_new(struct run *run, const struct run_input *in,
            const struct options *o, uint64_t seed, FILE *trace,
            struct error *error)
{
    *run = (struct run){0};
    if (o->members_from > 0) {
        int status = deal(run, in, o, seed, error);
        if (status != 0)
            return status;
    }
    world_config_of(&run->config, run->study ? run->study : in->study,
                    (const struct dataset *const *)(run->study ? run->dealt
                                                               : in->datasets));
    run->config.seed = seed;
    run->config.trace = trace;
    run->all_return = ordeal_draw(&run->config, &o->ordeal);
    return world_new(&run->world, &run->config, error);
}
