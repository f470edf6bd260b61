#include "sim/cluster.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/halt.h"
#include "node/pods.h"
#include "sim/fleet.h"
#include "sim/hold.h"
#include "sim/options.h"

enum { FINE = 0, FAILED = 1, MISUSE = 2 };

static const char usage[] =
    "Runs a study as real node processes on this machine, over loopback with\n"
    "CURVE; each process is started with its own rows only.\n"
    "\n"
    "  starling sim cluster STUDY.yaml --out DIR\n"
    "\n"
    "  --out DIR               a folder for every site, the common result on "
    "top\n"
    "  --json                  print the result to stdout and nothing else "
    "there\n"
    "  --quiet                 no progress on stderr\n"
    "  --kill SITE@MS[+MS]     kill -9 that many milliseconds after the "
    "start,\n"
    "                          start it again 100 ms (or +MS) later\n"
    "  --kill SITE@PHASE@ROUND[+MS]  the same, at a point of the protocol\n"
    "  --env SITE:NAME=VALUE   an environment variable of one site's process\n"
    "\n"
    "The study's `network:` crash and restart rules hold here as well.\n"
    "\n"
    "Example: starling sim cluster heart.yaml --out results\n";

struct command {
    struct fleet_options fleet;
    bool json, quiet, help;
};

static int misuse(const char *found, const char *expected)
{
    fprintf(stderr,
            "starling: found %s, expected %s; see starling sim cluster "
            "--help\n",
            found, expected);
    return MISUSE;
}

/* The text before `end` as a site's name; NULL if it is none. */
static const char *take_name(char name[STUDY_NAME_SIZE], const char *text,
                             char end)
{
    const char *stop = strchr(text, end);

    if (stop == NULL || stop == text || stop - text >= STUDY_NAME_SIZE)
        return NULL;
    memcpy(name, text, (size_t)(stop - text));
    name[stop - text] = '\0';
    return stop + 1;
}

static int take_strike(struct fleet_options *fleet, const char *text)
{
    struct fleet_strike strike = {.return_ms = 100};
    const char *moment = take_name(strike.site, text, '@');
    size_t length = moment == NULL ? 0 : strcspn(moment, "+");
    char *end = NULL;

    if (length > 0 && memchr(moment, '@', length) != NULL &&
        length < sizeof strike.hold) {
        memcpy(strike.hold, moment, length);
        end = (char *)(uintptr_t)moment + length;
    } else if (length > 0) {
        strike.at_ms = strtod(moment, &end);
    }
    if (end != NULL && *end == '+')
        strike.return_ms = strtod(end + 1, &end);
    if (end == NULL || end == moment || *end != '\0' ||
        !(strike.at_ms >= 0 && strike.return_ms >= 0))
        return misuse(text, "--kill SITE@MS+MS or --kill SITE@PHASE@ROUND+MS");
    if (strike.hold[0] != '\0' && !hold_parse(NULL, strike.hold))
        return misuse(
            text,
            "--kill SITE@PHASE@ROUND with one of the phases " HALT_PHASES);
    if (fleet->strike_count == FLEET_STRIKES_MAX)
        return misuse("too many --kill", "at most 16");
    fleet->strikes[fleet->strike_count++] = strike;
    return FINE;
}

static int take_setting(struct fleet_options *fleet, const char *text)
{
    struct fleet_setting setting;

    setting.text = take_name(setting.site, text, ':');
    if (setting.text == NULL || strchr(setting.text, '=') == NULL)
        return misuse(text, "--env SITE:NAME=VALUE");
    if (fleet->setting_count == FLEET_SETTINGS_MAX)
        return misuse("too many --env", "at most 64");
    fleet->settings[fleet->setting_count++] = setting;
    return FINE;
}

static int take_option(struct command *c, int option, const char *value)
{
    switch (option) {
    case 'o':
        c->fleet.out = value;
        return FINE;
    case 'k':
        return take_strike(&c->fleet, value);
    case 'e':
        return take_setting(&c->fleet, value);
    case 'j':
        c->json = true;
        return FINE;
    case 'q':
        c->quiet = true;
        return FINE;
    case 'h':
        c->help = true;
        return FINE;
    default:
        return misuse("an unknown option", "one of those in the help");
    }
}

static int read_command(struct command *c, int argc, char **argv)
{
    static const struct option names[] = {
        {"out", required_argument, NULL, 'o'},
        {"kill", required_argument, NULL, 'k'},
        {"env", required_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option, code = options_check("starling sim cluster", argc, argv, names);

    opterr = 0;
    while (code == FINE &&
           (option = getopt_long(argc, argv, "h", names, NULL)) != -1)
        code = take_option(c, option, optarg);
    if (code != FINE || c->help)
        return code;
    if (optind + 1 != argc)
        return misuse(optind == argc ? "no study" : "more than one study",
                      "one STUDY.yaml");
    c->fleet.study = argv[optind];
    if (c->fleet.out == NULL)
        return misuse("no --out", "a folder for the results");
    return FINE;
}

static const char *text_of(const json_t *body, const char *key)
{
    const char *text = json_string_value(json_object_get(body, key));

    return text == NULL ? "" : text;
}

static void print_names(const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        fprintf(stderr, "%s%s", i == 0 ? "" : ", ",
                json_string_value(json_array_get(names, i)));
}

/* What is told once, although every node says it. */
struct progress {
    uint64_t rounds; /* opened ones told */
    double told_s;   /* when something was */
    uint64_t down;   /* bitmap of nodes that were killed */
    char awaited[256];
};

/* Of several pods the first is followed. */
static uint32_t cohort_of(const struct study *study, uint32_t site)
{
    uint32_t pod = 0, place;

    if (study->pod_count == 0)
        return study->site_count;
    pods_find(study, site, &pod, &place);
    return pod == 0 ? study->pods[0].site_count : 0;
}

static void tell_round(struct progress *progress, const struct fleet *fleet,
                       const struct fleet_event *event)
{
    const uint32_t cohort = cohort_of(fleet_study(fleet), event->site);
    const json_t *members = json_object_get(event->body, "members");
    const json_t *loss = json_object_get(event->body, "loss");

    if (event->round < progress->rounds || cohort == 0)
        return;
    progress->rounds = event->round + 1;
    progress->told_s = fleet_seconds(fleet);
    progress->awaited[0] = '\0';
    fprintf(stderr, "round %3" PRIu64 "  %-10s %zu of %u", event->round,
            text_of(event->body, "phase"), json_array_size(members), cohort);
    if (json_is_number(loss))
        fprintf(stderr, "  loss %.6f", json_number_value(loss));
    fputc('\n', stderr);
}

static bool is_down(const struct progress *progress, const struct fleet *fleet,
                    const json_t *names)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int site = name == NULL ? -1 : study_site(fleet_study(fleet), name);
        if (site >= 0 && (progress->down >> site & 1) != 0)
            return true;
    }
    return false;
}

/* Everybody waits for somebody all the time; worth a line is who is dead or
 * slow. */
static void tell_awaited(struct progress *progress, const struct fleet *fleet,
                         const struct fleet_event *event)
{
    const json_t *names = json_object_get(event->body, "members");
    double now_s = fleet_seconds(fleet);
    char *text = json_dumps(names, 0);

    if (text != NULL && json_array_size(names) > 0 &&
        strcmp(text, progress->awaited) != 0 &&
        (is_down(progress, fleet, names) || now_s > progress->told_s + 1)) {
        snprintf(progress->awaited, sizeof progress->awaited, "%s", text);
        progress->told_s = now_s;
        fputs("awaiting ", stderr);
        print_names(names);
        fputc('\n', stderr);
    }
    free(text);
}

static void tell(struct progress *progress, const struct fleet *fleet,
                 const struct fleet_event *event)
{
    const char *site = fleet_study(fleet)->sites[event->site].name;

    if (event->kind == FLEET_STARTED) {
        progress->down &= ~(UINT64_C(1) << event->site);
        fprintf(stderr, "%s started\n", site);
    } else if (event->kind == FLEET_KILLED) {
        progress->down |= UINT64_C(1) << event->site;
        fprintf(stderr, "%s killed in round %" PRIu64 "\n", site, event->round);
    } else if (event->kind == FLEET_COMPLAINS) {
        fprintf(stderr, "%s: %s\n", site, event->line);
    } else if (event->kind == FLEET_SAYS &&
               strcmp(event->name, "opened") == 0) {
        tell_round(progress, fleet, event);
    } else if (event->kind == FLEET_SAYS &&
               strcmp(event->name, "awaited") == 0) {
        tell_awaited(progress, fleet, event);
    }
}

static int follow(struct fleet *fleet, bool quiet, struct error *error)
{
    struct progress progress = {0};
    struct fleet_event event;
    int code;

    do {
        code = fleet_next(fleet, &event, error);
        if (code == 0 && !quiet)
            tell(&progress, fleet, &event);
    } while (code == 0 && event.kind != FLEET_OVER);
    return code;
}

static void print_summary(const json_t *result, const char *out)
{
    const json_t *consensus = json_object_get(result, "consensus");

    fprintf(stderr, "%" JSON_INTEGER_FORMAT " rounds, %.1f s, ",
            json_integer_value(json_object_get(result, "rounds")),
            json_number_value(json_object_get(result, "wall_seconds")));
    if (consensus != NULL)
        fprintf(stderr, "consensus distance of the pods %.3g",
                json_number_value(consensus));
    else
        fprintf(stderr, "every state hash %.12s",
                text_of(result, "state_hash"));
    fprintf(stderr,
            ", results in %s; each site's folder there keeps its rows.csv and "
            "its unsealed node.keys\n",
            out);
}

static int run(const struct command *command, struct error *error)
{
    struct fleet *fleet = NULL;
    json_t *result = NULL;
    int code = fleet_new(&fleet, &command->fleet, error);

    if (code == 0 && fleet_study(fleet)->unmasked)
        fprintf(stderr, "WARNING: %s\n", study_note(fleet_study(fleet)));
    if (code == 0)
        code = follow(fleet, command->quiet, error);
    if (code == 0)
        fleet_tell_spared(fleet, stderr);
    if (code == 0)
        code = fleet_result(&result, fleet, error);
    if (code == 0 && !command->quiet)
        print_summary(result, command->fleet.out);
    if (code == 0 && command->json &&
        (json_dumpf(result, stdout,
                    JSON_INDENT(1) | JSON_PRESERVE_ORDER |
                        JSON_REAL_PRECISION(17)) != 0 ||
         putchar('\n') == EOF || fflush(stdout) != 0))
        code = error_set(error, -EIO, "standard output: cannot be written");
    json_decref(result);
    fleet_free(fleet);
    return code;
}

int cluster_main(int argc, char **argv)
{
    struct command command = {0};
    struct error error = {""};
    int code = read_command(&command, argc, argv);

    if (code != FINE)
        return code;
    if (command.help) {
        fputs(usage, stdout);
        return FINE;
    }
    if (sodium_init() < 0) {
        fputs("starling: libsodium does not start on this machine\n", stderr);
        return FAILED;
    }
    if (run(&command, &error) == 0)
        return FINE;
    fprintf(stderr, "starling: %s\n", error.text);
    return FAILED;
}
