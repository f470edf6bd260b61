#include "sim/fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/pods.h"
#include "sim/crew.h"
#include "sim/decline.h"
#include "sim/hold.h"
#include "sim/launch.h"
#include "sim/merge.h"
#include "sim/port.h"
#include "sim/stage.h"

/* After a first failure the others may still say why they end as well. */
enum { LAST_WORDS_MS = 1500, COMPLAINT_SIZE = 400 };

struct node {
    struct hold hold;
    bool held, was_killed, tell_killed, failed;
    size_t hold_count;  /* deaths by a hold that have happened */
    uint64_t return_ms; /* when to start it again; 0: never */
    uint64_t received;  /* rounds of which it holds all slices due to it */
    uint64_t round;
    uint64_t bytes, lost_bytes; /* sent as it says; what it forgot of that */
    FILE *events, *log;
    char complaint[COMPLAINT_SIZE]; /* its last line on standard error */
};

struct fleet {
    const struct fleet_options *options;
    struct study *study;
    struct crew *crew;
    struct node *nodes; /* [site_count] */
    int ports[GOSSIP_MEMBERS_MAX];
    char program[STAGE_PATH_SIZE];
    uint64_t start_ms;
    bool struck[FLEET_STRIKES_MAX], killed[FLEET_STRIKES_MAX];
    uint32_t started;       /* sites whose first start has been told */
    uint64_t last_words_ms; /* 0: nothing has failed */
    struct error failure;
    struct decline decline;
    json_t *body; /* of the last event */
};

static int reserve_ports(struct fleet *fleet, uint16_t *ports,
                         struct error *error)
{
    for (uint32_t i = 0; i < fleet->study->site_count; i++) {
        fleet->ports[i] = port_reserve(&ports[i]);
        if (fleet->ports[i] < 0)
            return error_set(error, fleet->ports[i],
                             "no free port on 127.0.0.1: %s",
                             strerror(-fleet->ports[i]));
    }
    return 0;
}

static void find_settings(const struct fleet *fleet, uint32_t site,
                          const char **settings)
{
    const struct fleet_options *options = fleet->options;
    size_t count = 0;

    /* Many nodes share this machine; a setting below may say otherwise. */
    if (getenv("OPENBLAS_NUM_THREADS") == NULL)
        settings[count++] = "OPENBLAS_NUM_THREADS=1";
    for (size_t i = 0; i < options->setting_count; i++)
        if (strcmp(options->settings[i].site, fleet->study->sites[site].name) ==
            0)
            settings[count++] = options->settings[i].text;
    settings[count] = NULL;
}

static int start_node(struct fleet *fleet, uint32_t site, struct error *error)
{
    struct node *node = &fleet->nodes[site];
    const char *settings[FLEET_SETTINGS_MAX + 2];

    hold_find(&node->hold, fleet->study, fleet->options, site,
              node->hold_count);
    node->held = node->was_killed = false;
    node->return_ms = 0;
    find_settings(fleet, site, settings);
    return launch_node(fleet->crew, site, fleet->program, fleet->options->out,
                       fleet->study->sites[site].name,
                       node->hold.at[0] == '\0' ? NULL : node->hold.at,
                       settings, fleet->study->unmasked, error);
}

static int open_logs(struct fleet *fleet, struct error *error)
{
    char path[STAGE_PATH_SIZE];

    for (uint32_t i = 0; i < fleet->study->site_count; i++) {
        const char *name = fleet->study->sites[i].name;
        stage_path(path, fleet->options->out, name, "events.jsonl");
        fleet->nodes[i].events = fopen(path, "wb");
        if (fleet->nodes[i].events != NULL) {
            stage_path(path, fleet->options->out, name, "log.txt");
            fleet->nodes[i].log = fopen(path, "wb");
        }
        if (fleet->nodes[i].log == NULL)
            return error_set(error, -errno, "%s: %s", path, strerror(errno));
    }
    return 0;
}

static int check_names(const struct fleet *fleet, struct error *error)
{
    const struct fleet_options *options = fleet->options;

    for (size_t i = 0; i < options->strike_count + options->setting_count;
         i++) {
        const char *site =
            i < options->strike_count
                ? options->strikes[i].site
                : options->settings[i - options->strike_count].site;
        if (study_site(fleet->study, site) < 0)
            return error_set(error, -EINVAL,
                             "%s: found no site '%s', expected one of its "
                             "%u sites; correct the option",
                             options->study, site, fleet->study->site_count);
    }
    return 0;
}

static int launch(struct fleet *fleet, struct error *error)
{
    uint16_t ports[GOSSIP_MEMBERS_MAX];
    int code = study_read(&fleet->study, fleet->options->study, error);

    if (code == 0 && fleet->study->site_count > GOSSIP_MEMBERS_MAX)
        code = error_set(error, -EINVAL,
                         "%s: found %u sites, expected at most %d, as each is "
                         "a process here; try 'starling sim world'",
                         fleet->study->path, fleet->study->site_count,
                         GOSSIP_MEMBERS_MAX);
    if (code != 0)
        return code;
    fleet->nodes = calloc(fleet->study->site_count, sizeof *fleet->nodes);
    fleet->crew = crew_new(fleet->study->site_count);
    if (fleet->nodes == NULL || fleet->crew == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    code = check_names(fleet, error);
    if (code == 0)
        code = launch_program(fleet->program, error);
    if (code == 0)
        code = reserve_ports(fleet, ports, error);
    if (code == 0)
        code = stage_fill(fleet->study, fleet->options->out, ports, error);
    if (code == 0)
        code = open_logs(fleet, error);
    fleet->start_ms = crew_now_ms();
    for (uint32_t i = 0; code == 0 && i < fleet->study->site_count; i++)
        code = start_node(fleet, i, error);
    return code;
}

int fleet_new(struct fleet **fleet, const struct fleet_options *options,
              struct error *error)
{
    struct fleet *f = calloc(1, sizeof *f);

    *fleet = NULL;
    if (f == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    f->options = options;
    memset(f->ports, -1, sizeof f->ports);
    int code = launch(f, error);
    if (code == 0)
        *fleet = f;
    else
        fleet_free(f);
    return code;
}

void fleet_free(struct fleet *fleet)
{
    if (fleet == NULL)
        return;
    crew_free(fleet->crew);
    for (uint32_t i = 0; fleet->nodes != NULL && i < fleet->study->site_count;
         i++) {
        if (fleet->nodes[i].events != NULL)
            fclose(fleet->nodes[i].events);
        if (fleet->nodes[i].log != NULL)
            fclose(fleet->nodes[i].log);
    }
    for (size_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        if (fleet->ports[i] >= 0)
            close(fleet->ports[i]);
    free(fleet->nodes);
    study_free(fleet->study);
    json_decref(fleet->body);
    free(fleet);
}

static bool are_fellows(const struct study *study, uint32_t a, uint32_t b)
{
    uint32_t pods[2] = {0}, place;

    pods_find(study, a, &pods[0], &place);
    pods_find(study, b, &pods[1], &place);
    return pods[0] == pods[1];
}

/* All others of its pod hold every slice of it that the one to die has sent. */
static bool others_received(const struct fleet *fleet, uint32_t site)
{
    uint64_t wanted = fleet->nodes[site].hold.received;

    for (uint32_t i = 0; i < fleet->study->site_count; i++)
        if (i != site && are_fellows(fleet->study, i, site) &&
            crew_runs(fleet->crew, i) && fleet->nodes[i].received < wanted)
            return false;
    return true;
}

static void kill_node(struct fleet *fleet, uint32_t site)
{
    crew_signal(fleet->crew, site, SIGKILL);
    fleet->nodes[site].was_killed = fleet->nodes[site].tell_killed = true;
    fleet->nodes[site].held = false;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void kill_held(struct fleet *fleet, uint64_t now)
{
    for (uint32_t i = 0; i < fleet->study->site_count; i++) {
        struct node *node = &fleet->nodes[i];
        if (!node->held || !others_received(fleet, i))
            continue;
        node->return_ms = node->hold.returns ? now + node->hold.return_ms : 0;
        node->hold_count++;
        kill_node(fleet, i);
    }
}

/* Returns when the next one is due. */
static uint64_t kill_struck(struct fleet *fleet, uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < fleet->options->strike_count; i++) {
        const struct fleet_strike *strike = &fleet->options->strikes[i];
        uint64_t at = fleet->start_ms + (uint64_t)strike->at_ms;
        int site = study_site(fleet->study, strike->site);
        if (strike->hold[0] != '\0' || fleet->struck[i])
            continue;
        if (at > now) {
            next = earlier(next, at);
            continue;
        }
        fleet->struck[i] = true;
        if (!crew_runs(fleet->crew, (size_t)site))
            continue;
        fleet->killed[i] = true;
        kill_node(fleet, (uint32_t)site);
        fleet->nodes[site].return_ms = now + (uint64_t)strike->return_ms;
    }
    return next;
}

/* Kills whoever is to die now. Returns when to look again. */
static uint64_t act(struct fleet *fleet, uint64_t now)
{
    uint64_t next = fleet->start_ms + fleet->study->end_ms;

    kill_held(fleet, now);
    next = earlier(next, kill_struck(fleet, now));
    for (uint32_t i = 0; i < fleet->study->site_count; i++)
        if (fleet->nodes[i].return_ms > 0 && !crew_runs(fleet->crew, i))
            next = earlier(next, fleet->nodes[i].return_ms);
    if (fleet->last_words_ms > 0)
        next = earlier(next, fleet->last_words_ms);
    return next;
}

/* What is to be told before anything else is heard. */
static bool tell_act(struct fleet *fleet, struct fleet_event *event,
                     uint64_t now, struct error *error, int *code)
{
    for (uint32_t i = 0; i < fleet->study->site_count; i++) {
        struct node *node = &fleet->nodes[i];
        *event = (struct fleet_event){.site = i, .round = node->round};
        if (node->tell_killed) {
            node->tell_killed = false;
            event->kind = FLEET_KILLED;
            return true;
        }
        if (node->return_ms > 0 && node->return_ms <= now &&
            !crew_runs(fleet->crew, i)) {
            *code = start_node(fleet, i, error);
            event->kind = FLEET_STARTED;
            return true;
        }
    }
    return false;
}

/* A node counts over its lives, but forgets what it sent after it last saved
 * the count. */
static void count_bytes(struct node *node, const json_t *count)
{
    uint64_t bytes = (uint64_t)json_integer_value(count);

    if (!json_is_integer(count))
        return;
    if (bytes < node->bytes)
        node->lost_bytes += node->bytes - bytes;
    node->bytes = bytes;
}

static void hear_line(struct fleet *fleet, struct fleet_event *event,
                      const char *line)
{
    struct node *node = &fleet->nodes[event->site];

    fprintf(node->events, "%s\n", line);
    fflush(node->events);
    json_decref(fleet->body);
    fleet->body = json_loads(line, 0, NULL);
    event->kind = FLEET_SAYS;
    event->line = line;
    event->body = fleet->body;
    event->name = json_string_value(json_object_get(fleet->body, "event"));
    event->round =
        (uint64_t)json_integer_value(json_object_get(fleet->body, "round"));
    if (event->name == NULL)
        event->name = "";
    if (event->round > node->round)
        node->round = event->round;
    count_bytes(node, json_object_get(fleet->body, "bytes"));
    if (strcmp(event->name, "recv") == 0 && event->round >= node->received)
        node->received = event->round + 1;
    if (strcmp(event->name, "held") == 0)
        node->held = true;
}

static void hear_complaint(struct fleet *fleet, struct fleet_event *event,
                           const char *line)
{
    struct node *node = &fleet->nodes[event->site];

    fprintf(node->log, "%s\n", line);
    fflush(node->log);
    if (*line != '\0') /* the name of the program is not told twice */
        snprintf(node->complaint, sizeof node->complaint, "%s",
                 strncmp(line, "starling: ", 10) == 0 ? line + 10 : line);
    event->kind = FLEET_COMPLAINS;
    event->line = line;
}

static void hear_exit(struct fleet *fleet, struct fleet_event *event,
                      int status)
{
    struct node *node = &fleet->nodes[event->site];
    const char *name = fleet->study->sites[event->site].name;

    event->kind = FLEET_EXITED;
    event->round = node->round;
    if (node->was_killed || status == 0)
        return;
    node->failed = true;
    if (fleet->last_words_ms > 0)
        return;
    fleet->last_words_ms = crew_now_ms() + LAST_WORDS_MS;
    if (status > 128)
        error_set(&fleet->failure, -EIO,
                  "%s: ended by signal %d; its log: "
                  "%s/%s/log.txt",
                  name, status - 128, fleet->options->out, name);
    else
        error_set(&fleet->failure, -EIO, "%s: exit status %d: %s", name, status,
                  node->complaint);
}

static int fail_waiting(const struct fleet *fleet, struct error *error)
{
    char names[200] = "";
    size_t used = 0;

    for (uint32_t i = 0; i < fleet->study->site_count; i++)
        if (!crew_runs(fleet->crew, i) && used < sizeof names - 50)
            used += (size_t)snprintf(names + used, sizeof names - used, " %s",
                                     fleet->study->sites[i].name);
    return error_set(error, -ETIMEDOUT,
                     "%s: no result after end_ms = %" PRIu64 "%s%s",
                     fleet->study->path, fleet->study->end_ms,
                     used > 0 ? "; not running:" : "", names);
}

static int hear(struct fleet *fleet, struct fleet_event *event,
                const struct crew_event *heard, struct error *error)
{
    event->site = (uint32_t)heard->child;
    switch (heard->kind) {
    case CREW_LINE:
        hear_line(fleet, event, heard->line);
        if (strcmp(event->name, "declined") == 0)
            decline_hear(&fleet->decline, event, fleet->study,
                         fleet->options->out);
        break;
    case CREW_COMPLAINT:
        hear_complaint(fleet, event, heard->line);
        break;
    case CREW_EXIT:
        hear_exit(fleet, event, heard->status);
        break;
    case CREW_INTERRUPT:
        return error_set(error, -EINTR, "interrupted; every node was stopped");
    case CREW_TIMEOUT:
        break;
    }
    return 0;
}

static bool awaits_return(const struct fleet *fleet)
{
    for (uint32_t i = 0; i < fleet->study->site_count; i++)
        if (fleet->nodes[i].return_ms > 0)
            return true;
    return false;
}

int fleet_next(struct fleet *fleet, struct fleet_event *event,
               struct error *error)
{
    *event =
        (struct fleet_event){.kind = FLEET_STARTED, .site = fleet->started};
    if (fleet->started < fleet->study->site_count) {
        fleet->started++;
        return 0;
    }
    for (;;) {
        struct crew_event heard;
        int code = 0;
        uint64_t now = crew_now_ms(), until = act(fleet, now);
        if (tell_act(fleet, event, now, error, &code))
            return code;
        if (crew_count(fleet->crew) == 0 && !awaits_return(fleet))
            break;
        if (fleet->last_words_ms > 0 && now >= fleet->last_words_ms)
            break;
        if (now >= fleet->start_ms + fleet->study->end_ms)
            return fail_waiting(fleet, error);
        crew_next(fleet->crew, &heard, until);
        code = hear(fleet, event, &heard, error);
        if (code != 0 || heard.kind != CREW_TIMEOUT)
            return code;
    }
    if (fleet->last_words_ms > 0) {
        *error = fleet->decline.why.text[0] != '\0' ? fleet->decline.why
                                                    : fleet->failure;
        return -EIO;
    }
    event->kind = FLEET_OVER;
    return 0;
}

const struct study *fleet_study(const struct fleet *fleet)
{
    return fleet->study;
}

double fleet_seconds(const struct fleet *fleet)
{
    return (double)(crew_now_ms() - fleet->start_ms) / 1000;
}

static void tell_not_held(const struct fleet *fleet, uint32_t site, FILE *out)
{
    const struct node *node = &fleet->nodes[site];
    const char *name = fleet->study->sites[site].name;
    struct hold hold;

    for (size_t place = node->hold_count;; place++) {
        uint64_t round = 0;
        hold_find(&hold, fleet->study, fleet->options, site, place);
        if (hold.at[0] == '\0')
            return;
        if (hold_parse(&round, hold.at) && round > node->round)
            fprintf(out,
                    "starling: %s was not killed: round %" PRIu64
                    " never came\n",
                    name, round);
        else
            fprintf(out, "starling: %s was not killed: it never came to %s\n",
                    name, hold.at);
    }
}

void fleet_tell_spared(const struct fleet *fleet, FILE *out)
{
    for (uint32_t i = 0; i < fleet->study->site_count; i++)
        tell_not_held(fleet, i, out);
    for (size_t i = 0; i < fleet->options->strike_count; i++) {
        const struct fleet_strike *strike = &fleet->options->strikes[i];
        if (strike->hold[0] == '\0' && !fleet->killed[i])
            fprintf(out,
                    "starling: %s was not killed: it was not running %.0f ms "
                    "after the start\n",
                    strike->site, strike->at_ms);
    }
}

int fleet_result(json_t **result, const struct fleet *fleet,
                 struct error *error)
{
    uint64_t lost[GOSSIP_MEMBERS_MAX];

    for (uint32_t i = 0; i < fleet->study->site_count; i++)
        lost[i] = fleet->nodes[i].lost_bytes;
    return merge_results(result, fleet->study, fleet->options->out, lost,
                         fleet_seconds(fleet), error);
}
