#include "sim/story.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void story_begin(const struct patients *patients, bool real, double l2,
                 uint32_t threshold)
{
    size_t rows = 0;

    for (size_t i = 0; i < PATIENTS_SITES; i++)
        rows += patients->rows[i];
    puts("Five hospitals, one model, no server.\n");
    if (real)
        printf("%zu patients of the Wisconsin breast cancer study, as Debian "
               "ships\nthem in python3-sklearn, ",
               rows);
    else
        printf("There is no table of real patients here, so these %zu are made "
               "up:\nthe demonstration is the same. They are ",
               rows);
    puts("dealt to five sites of unequal size and case mix:\n");
    for (size_t i = 0; i < PATIENTS_SITES; i++)
        printf("  %-8s %4zu patients, %3.0f %% malignant\n", patients_names[i],
               patients->rows[i],
               100 * (double)patients->cases[i] / (double)patients->rows[i]);
    printf("\nEach site is a process of its own that was given its own rows "
           "and nothing\nelse. Together they fit a logistic regression on %zu "
           "features (ridge %g):\neach sends masked numbers only; nothing but "
           "their sum can be opened, and only\nwhen %u of the five sign for "
           "it.\n\n",
           patients->features, l2, (unsigned)threshold);
    fflush(stdout);
}

static uint64_t bits_of(const struct fleet *fleet, const json_t *names)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int site = name == NULL ? -1 : study_site(fleet_study(fleet), name);
        if (site >= 0)
            bits |= UINT64_C(1) << site;
    }
    return bits;
}

static void print_names(const struct fleet *fleet, uint64_t bits)
{
    const char *before = "";

    for (uint32_t i = 0; i < fleet_study(fleet)->site_count; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        printf("%s%s", before, fleet_study(fleet)->sites[i].name);
        before = " and ";
    }
}

static void tell_up(struct story *story, const struct fleet *fleet,
                    const struct fleet_event *event)
{
    const struct study *study = fleet_study(fleet);
    uint64_t bit = UINT64_C(1) << event->site;

    if ((story->up & bit) != 0)
        return;
    story->up |= bit;
    if (story->victim == bit)
        return; /* that it was started again has been told */
    printf("%s is up\n", study->sites[event->site].name);
    if (story->up == (UINT64_C(1) << study->site_count) - 1 &&
        story->rounds == 0)
        puts("\n    round  what         in the sum   loss        a node sent");
}

static void tell_opened(struct story *story, const struct fleet *fleet,
                        const struct fleet_event *event)
{
    const char *phase =
        json_string_value(json_object_get(event->body, "phase"));
    const json_t *loss = json_object_get(event->body, "loss");
    const json_t *members = json_object_get(event->body, "members");
    uint64_t bytes =
        (uint64_t)json_integer_value(json_object_get(event->body, "bytes"));
    uint64_t before = story->bytes[event->site];

    story->bytes[event->site] = bytes;
    if (event->round < story->rounds)
        return;
    story->rounds = event->round + 1;
    story->awaited = 0;
    printf("    %5" PRIu64 "  %-12s %zu of %u       ", event->round,
           phase == NULL ? "" : phase, json_array_size(members),
           fleet_study(fleet)->site_count);
    if (json_is_number(loss))
        printf("%-9.6f", json_number_value(loss));
    else
        printf("%-9s", "");
    printf("%8.1f kB\n",
           bytes < before ? 0.0 : (double)(bytes - before) / 1000);
}

/* No sum opens before the self mask of everybody in it is known: that of the
 * one that died can only come from shares. */
static void tell_opening(struct story *story, const struct fleet *fleet,
                         const struct fleet_event *event, bool copied)
{
    const struct study *study = fleet_study(fleet);
    uint64_t holder =
        (uint64_t)json_integer_value(json_object_get(event->body, "detail"));

    if (!story->rebuilt) {
        printf("           the others rebuild the masks of ");
        print_names(fleet, story->victim);
        puts(" from the shares they hold,");
    }
    story->rebuilt = true;
    story->copied = copied;
    if (copied && holder < study->site_count)
        printf("           and its slice of the sum is completed from %s's "
               "copy\n",
               study->sites[holder].name);
}

static void tell_loss(struct story *story, const struct fleet *fleet,
                      const struct fleet_event *event)
{
    uint64_t members = bits_of(fleet, json_object_get(event->body, "members"));

    bool copied = strcmp(event->name, "copy") == 0;

    if ((copied || strcmp(event->name, "rebuilt") == 0) && !story->copied &&
        (members & story->victim) != 0) {
        tell_opening(story, fleet, event, copied);
    } else if (strcmp(event->name, "awaited") == 0 && story->victim != 0 &&
               members == story->victim && (story->up & members) == 0 &&
               members != story->awaited) {
        story->awaited = members;
        printf("           awaiting ");
        print_names(fleet, members);
        puts("");
    } else if (strcmp(event->name, "caught_up") == 0 && !story->returned &&
               story->victim == UINT64_C(1) << event->site) {
        story->returned = true;
        printf("           %s has caught up and takes part again\n",
               fleet_study(fleet)->sites[event->site].name);
    }
}

static void tell_killed(struct story *story, const struct fleet *fleet,
                        const struct fleet_event *event)
{
    story->victim = UINT64_C(1) << event->site;
    story->up &= ~story->victim;
    story->victim_round = event->round;
    printf("           %s is killed in round %" PRIu64
           " (kill -9), after it sent its masked vector\n",
           fleet_study(fleet)->sites[event->site].name, event->round);
}

void story_tell(struct story *story, const struct fleet *fleet,
                const struct fleet_event *event)
{
    const char *site = fleet_study(fleet)->sites[event->site].name;

    if (event->kind == FLEET_KILLED)
        tell_killed(story, fleet, event);
    else if (event->kind == FLEET_STARTED && story->victim != 0)
        printf("           %s is started again\n", site);
    else if (event->kind == FLEET_COMPLAINS)
        fprintf(stderr, "%s: %s\n", site, event->line);
    if (event->kind != FLEET_SAYS)
        return;
    tell_up(story, fleet, event);
    if (strcmp(event->name, "opened") == 0)
        tell_opened(story, fleet, event);
    else
        tell_loss(story, fleet, event);
    fflush(stdout);
}

static double estimate_of(const json_t *coefficients, const char *name)
{
    for (size_t i = 0; i < json_array_size(coefficients); i++) {
        const json_t *c = json_array_get(coefficients, i);
        const char *other = json_string_value(json_object_get(c, "name"));
        if (other != NULL && strcmp(other, name) == 0)
            return json_number_value(json_object_get(c, "estimate"));
    }
    return HUGE_VAL;
}

static double compare(const json_t *result, const struct task_report *pooled)
{
    const json_t *ours = json_object_get(result, "coefficients");
    double largest = 0;

    puts("\n    coefficient                     together           pooled"
         "   difference");
    for (size_t i = 0; i < pooled->coefficient_count; i++) {
        const struct task_coefficient *c = &pooled->coefficients[i];
        double together = estimate_of(ours, c->name);
        double difference = fabs(together - c->estimate);
        printf("    %-24s %15.9f  %15.9f  %11.1e\n", c->name, together,
               c->estimate, difference);
        largest = difference <= largest ? largest : difference;
    }
    if (json_array_size(ours) != pooled->coefficient_count)
        largest = HUGE_VAL;
    return largest;
}

static void print_auc(const json_t *site, const char *key)
{
    const json_t *value = json_object_get(site, key);

    if (json_is_number(value))
        printf("  %8.4f", json_number_value(value));
    else
        printf("  %8s", "-");
}

static void print_sites(const json_t *result)
{
    const json_t *sites = json_object_get(result, "per_site");
    double bytes = 0;

    puts("\n    AUC on each site's own test patients\n"
         "    site        alone  together   bytes sent");
    for (size_t i = 0; i < json_array_size(sites); i++) {
        const json_t *site = json_array_get(sites, i);
        json_int_t sent =
            json_integer_value(json_object_get(site, "bytes_sent"));
        printf("    %-8s", json_string_value(json_object_get(site, "site")));
        print_auc(site, "local_auc");
        print_auc(site, "global_auc");
        printf("  %11" JSON_INTEGER_FORMAT "\n", sent);
        bytes += (double)sent;
    }
    printf("\n%.1f MB were sent in all", bytes / 1e6);
}

double story_end(const json_t *result, const struct task_report *pooled,
                 const char *out)
{
    const char *hash = json_string_value(json_object_get(result, "state_hash"));
    double largest = compare(result, pooled);

    print_sites(result);
    printf(", in %.1f s; every node ends with the same state,\nhash %.16s...\n",
           json_number_value(json_object_get(result, "wall_seconds")),
           hash == NULL ? "" : hash);
    printf("The largest difference between the joint and the pooled "
           "coefficients is %.1e.\n",
           largest);
    printf("Results: %s/result.json, rounds.csv, and a folder for each site.\n",
           out);
    return largest;
}
