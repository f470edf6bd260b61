#include "sim/summary.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "node/result.h"
#include "sim/notes.h"

enum { PATH_SIZE = 4096, SHOWN_MAX = 50 };

int summary_report(struct task_report *report, const struct world *world,
                   const struct study *study, struct error *error)
{
    for (uint32_t i = 0; i < study->site_count; i++)
        if (world_member(world, i) != NULL)
            return member_report(world_member(world, i), report, error);
    return error_set(error, -EINVAL, "every member is gone");
}

static void fill_sites(struct result_site *sites, struct notes *notes,
                       const struct world *world, const struct study *study)
{
    for (uint32_t i = 0; i < study->site_count; i++) {
        const struct member *member = world_member(world, i);
        struct task_report report;
        sites[i] = (struct result_site){.name = study->sites[i].name,
                                        .bytes_sent = world_sent(world, i),
                                        .local_auc = (double)NAN,
                                        .global_auc = (double)NAN};
        if (member == NULL || member_report(member, &report, NULL) != 0)
            continue;
        sites[i].n_train = report.local.n_train;
        sites[i].n_test = report.local.n_test;
        sites[i].local_auc = report.local.local_auc;
        sites[i].global_auc = report.local.global_auc;
        for (size_t k = 0; k < report.note_count; k++)
            notes_take(notes, report.notes[k], i);
        task_report_free(&report);
    }
}

/* Leaves those notes that are not about the rows of one site. */
static void keep_common(struct task_report *report)
{
    struct notes local = {0};
    size_t kept = 0;

    for (size_t i = 0; i < report->note_count; i++)
        if (!notes_take(&local, report->notes[i], 0))
            memmove(report->notes[kept++], report->notes[i],
                    sizeof report->notes[i]);
    report->note_count = kept;
}

static int copy_out(const char *folder, struct error *error)
{
    char path[PATH_SIZE], chunk[4096];
    size_t size;

    snprintf(path, sizeof path, "%s/result.json", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
        fwrite(chunk, 1, size, stdout);
    fclose(file);
    putchar('\n');
    return 0;
}

static void tell(const struct study *study, const struct task_report *report,
                 const struct world_facts *facts, const char *out)
{
    printf("study %s: %u members, %zu rounds, %.3f s of virtual time, "
           "%.1f kB sent\n",
           study->name, study->site_count, facts->round_count,
           (double)facts->virtual_ms / 1000, (double)facts->bytes_sent / 1000);
    for (size_t i = 0; i < report->coefficient_count && i < SHOWN_MAX; i++) {
        const struct task_coefficient *c = &report->coefficients[i];
        printf("  %-20s % .9f", c->name, c->estimate);
        if (isfinite(c->std_error))
            printf("  (%.9f)", c->std_error);
        putchar('\n');
    }
    if (report->coefficient_count > SHOWN_MAX)
        printf("  and %zu more\n", report->coefficient_count - SHOWN_MAX);
    printf("sums equal the plaintext sums: %s\nresult in %s/result.json\n",
           facts->sum_exact ? "yes" : "no", out);
}

int summary_write(const struct world *world, const struct world_config *config,
                  const char *folder, bool json, double wall_seconds,
                  struct error *error)
{
    struct result_site sites[GOSSIP_MEMBERS_MAX];
    char lines[NOTES_MAX][NOTES_LINE_SIZE];
    const char *notes[NOTES_MAX];
    struct notes local = {0};
    struct study study = *config->study;
    struct world_facts facts;
    struct task_report report = {.converged = false};

    study.seed = config->seed;
    world_facts(world, &facts);
    int status = summary_report(&report, world, &study, error);
    if (status != 0)
        return status;
    if (report.failure[0] != '\0') {
        status =
            error_set(error, -EINVAL, "%s: %s", study.path, report.failure);
        task_report_free(&report);
        return status;
    }
    fill_sites(sites, &local, world, &study);
    keep_common(&report);
    for (size_t i = 0; i < local.count; i++) {
        notes_line(lines[i], &local, i, &study);
        notes[i] = lines[i];
    }
    struct result result = {.study = &study,
                            .report = &report,
                            .sites = sites,
                            .site_count = study.site_count,
                            .rounds = facts.rounds,
                            .round_count = facts.round_count,
                            .sum_exact = facts.sum_exact,
                            .knows_sum_exact = true,
                            .simulated = true,
                            .virtual_seconds = (double)facts.virtual_ms / 1000,
                            .wall_seconds = wall_seconds,
                            .notes = notes,
                            .note_count = local.count};
    memcpy(result.state_hash, facts.state_hash, sizeof result.state_hash);
    for (uint32_t i = 0; i < study.site_count; i++) {
        struct gossip_view view;
        if (world_member(world, i) == NULL)
            continue;
        member_view(world_member(world, i), &view);
        result.revealed |= view.revealed;
        result.accused |= view.accused;
    }
    status = result_write(&result, folder, error);
    if (status == 0 && json)
        status = copy_out(folder, error);
    else if (status == 0)
        tell(&study, &report, &facts, folder);
    task_report_free(&report);
    return status;
}

void summary_remove(const char *folder)
{
    static const char *const names[] = {"result.json", "rounds.csv"};
    char path[PATH_SIZE];

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}
