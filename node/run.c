#include "node/run.h"

#include <czmq.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/args.h"
#include "node/crew.h"
#include "node/init.h"
#include "node/keyfile.h"
#include "node/passphrase.h"
#include "node/pods.h"
#include "node/reader.h"
#include "node/session.h"
#include "node/storefile.h"

enum {
    PATH_SIZE = 4096,
    CHECK_SIZE = 8192,
    SILENCE_MAX_MS = 30000,
    HELPERS = 1, /* beside the main thread, for long vectors */
};

static const char help[] =
    "starling run STUDY.yaml --as NAME --data FILE [flags]\n"
    "\n"
    "Takes part in a study as one of its sites, until it is finished and no\n"
    "other site needs this one any more. Started again after a crash or "
    "Ctrl-C\n"
    "it carries on.\n"
    "\n"
    "  --as NAME           which site of the study this is\n"
    "  --data FILE         this site's rows (CSV); never leave this machine\n"
    "  --keys FILE         from `starling init`; " INIT_KEYS " if not given\n"
    "  --out DIR           where the result goes; STUDY-NAME if not given\n"
    "  --store FILE        what this node has promised; DIR/store.db if not "
    "given\n"
    "  --unmasked          agree to 'masks: none' of the study: neighbours "
    "see\n"
    "                      what this site computes\n"
    "  --check             only say what this site would contribute; sends "
    "nothing\n"
    "  --json              one JSON object a line on stdout, the result last\n"
    "  --passphrase-fd N   read the keys' passphrase from file descriptor N\n"
    "  --hold PHASE@ROUND  a testing aid: stop for ever right after the last\n"
    "                      message of that kind is sent in that round, and say "
    "so;\n"
    "                      PHASE is one of " HALT_PHASES "\n"
    "\n"
    "STARLING_TAPE=FILE in the environment, a testing aid: appends the head "
    "of\n"
    "every message to FILE before it is sent.\n"
    "\n"
    "example: starling run heart.yaml --as va --data va.csv --keys va.keys\n";

struct options {
    const char *study, *name, *data, *keys, *out, *store, *passphrase_fd, *hold;
    bool check, json, unmasked, help;
};

struct run {
    struct options options;
    char out[PATH_SIZE], store[PATH_SIZE + 16];
    struct study *whole; /* as the file says */
    struct study view;   /* of this site's pod, if there are several */
    struct study_site fellows[GOSSIP_MEMBERS_MAX];
    const struct study *study; /* that, or the whole */
    struct pods_table *pods;   /* NULL: one pod */
    struct gate_policy policy;
    struct dataset *dataset;
    uint32_t site, self; /* in the whole; in its pod */
    int fd;              /* of the passphrase, or -1 */
    struct identity identity;
    struct session session;
    struct crew *crew;
    uint8_t charter[GOSSIP_HASH_BYTES];
};

static int parse(struct run *run, char *const *arguments, int count)
{
    struct options *o = &run->options;
    const struct args_flag flags[] = {
        {"--as", &o->name, NULL},
        {"--data", &o->data, NULL},
        {"--keys", &o->keys, NULL},
        {"--out", &o->out, NULL},
        {"--store", &o->store, NULL},
        {"--passphrase-fd", &o->passphrase_fd, NULL},
        {"--hold", &o->hold, NULL},
        {"--check", NULL, &o->check},
        {"--json", NULL, &o->json},
        {"--unmasked", NULL, &o->unmasked},
        {"--help", NULL, &o->help},
    };
    const struct args args = {"starling run", flags,
                              sizeof flags / sizeof *flags, &o->study};
    struct error error;
    int status = args_parse(&args, arguments, count);

    if (status != 0 || o->help)
        return status;
    if (halt_parse(&run->session.halt, o->hold, &error) != 0 ||
        passphrase_fd(&run->fd, o->passphrase_fd, &error) != 0)
        return args_misuse("starling run", "%s", error.text);
    if (o->study == NULL)
        return args_misuse("starling run", "the study file is missing");
    if (o->name == NULL)
        return args_misuse("starling run", "--as NAME is missing");
    return 0;
}

static int find_site(struct run *run, struct error *error)
{
    const struct study *study = run->whole;
    int site = study_site(study, run->options.name);

    if (site >= 0) {
        run->site = run->self = (uint32_t)site;
        return 0;
    }
    const char *nearest = study_nearest(study, run->options.name);
    return error_set(
        error, -EINVAL,
        "%s: found no site '%s', expected --as one of its sites%s%s%s",
        study->path, run->options.name,
        nearest != NULL ? "; did you mean '" : "",
        nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static int read_data(struct run *run, struct error *error)
{
    const struct study_site *site = &run->whole->sites[run->site];
    const char *path =
        run->options.data != NULL ? run->options.data : site->data;
    const struct dataset_filter filter = {
        .column = site->rows_column,
        .equals = site->rows_equals,
        .optional = run->options.data != NULL,
    };
    int code;

    if (path == NULL)
        return error_set(
            error, -EINVAL,
            "%s:%u: site '%s' has no data: there; give --data FILE",
            run->whole->path, site->line, site->name);
    code = study_resolve(run->whole, path, error);
    if (code != 0)
        return code;
    return dataset_read(&run->dataset, path, &filter, &run->whole->task, error);
}

/* From here on the study is what this site's pod sees of it. */
static int find_pod(struct run *run, struct error *error)
{
    uint32_t pod = 0;

    run->study = run->whole;
    if (run->whole->pod_count > 0) {
        pods_find(run->whole, run->site, &pod, &run->self);
        pods_view(&run->view, run->fellows, run->whole, pod);
        run->study = &run->view;
        run->pods = pods_table_new(run->whole);
        if (run->pods == NULL)
            return error_set(error, -ENOMEM, "out of memory for the pods");
    }
    run->session.halt.members = run->study->site_count;
    return links_find(&run->session.company.links, run->study, run->self,
                      error);
}

/* Every site has to say where it is and who it is. */
static int check_sites(const struct study *study, struct error *error)
{
    for (uint32_t i = 0; i < study->site_count; i++) {
        const struct study_site *site = &study->sites[i];

        if (site->address == NULL)
            return error_set(error, -EINVAL,
                             "%s:%u: site '%s' has no address:, expected "
                             "tcp://host:port where its node listens",
                             study->path, site->line, site->name);
        if (!site->has_key)
            return error_set(error, -EINVAL,
                             "%s:%u: site '%s' has no key:, expected what "
                             "`starling init` printed there",
                             study->path, site->line, site->name);
    }
    return 0;
}

static int read_keys(struct run *run, struct error *error)
{
    const struct study_site *site = &run->study->sites[run->self];
    const char *path =
        run->options.keys != NULL ? run->options.keys : INIT_KEYS;
    char passphrase[PASSPHRASE_SIZE], text[IDENTITY_TEXT_SIZE];
    bool sealed = false;
    int code = keyfile_sealed(&sealed, path, error);

    if (code == 0 && sealed)
        code = passphrase_get(passphrase, run->fd, false, error);
    if (code == 0)
        code = keyfile_read(&run->identity, path, sealed ? passphrase : NULL,
                            error);
    sodium_memzero(passphrase, sizeof passphrase);
    if (code != 0)
        return code;
    if (memcmp(&run->identity.open, &site->key, sizeof site->key) == 0)
        return 0;
    identity_print(text, &run->identity.open);
    return error_set(error, -EINVAL,
                     "%s:%u: key: of '%s' is not the one in %s, which is %s; "
                     "put that into every site's study file, or give --keys",
                     run->study->path, site->line, site->name, path, text);
}

/* Asks the disk before round 1 rather than after the last. */
static int make_folder(struct run *run, struct error *error)
{
    char probe[PATH_SIZE + 32];
    int fd;

    if (run->options.out != NULL)
        snprintf(run->out, sizeof run->out, "%s", run->options.out);
    else
        snprintf(run->out, sizeof run->out, "%s-%s", run->study->name,
                 run->options.name);
    snprintf(run->store, sizeof run->store, "%s/store.db", run->out);
    if (mkdir(run->out, 0777) != 0 && errno != EEXIST)
        return error_set(error, -errno,
                         "%s: cannot be made: %s; choose another --out",
                         run->out, strerror(errno));
    int code = storefile_sync_parent(run->out, error);
    if (code != 0)
        return code;
    snprintf(probe, sizeof probe, "%s/.starling-XXXXXX", run->out);
    fd = mkstemp(probe);
    if (fd < 0)
        return error_set(error, -errno,
                         "%s: cannot be written to: %s; choose another --out",
                         run->out, strerror(errno));
    close(fd);
    unlink(probe);
    return 0;
}

static int open_store(struct run *run, struct error *error)
{
    static const char purpose[] = "starling store 1";
    struct gossip_field fields[GOSSIP_FIELDS_MAX];
    uint8_t key[AEAD_KEY_BYTES];
    const char *path =
        run->options.store != NULL ? run->options.store : run->store;
    int code;

    study_fields(fields, run->charter, run->study);
    crypto_generichash(key, sizeof key, (const uint8_t *)purpose,
                       sizeof purpose, run->identity.sign_secret,
                       crypto_generichash_KEYBYTES);
    code = store_open(&run->session.store, path, run->charter, key, error);
    sodium_memzero(key, sizeof key);
    return code;
}

static int make_member(struct run *run, struct error *error)
{
    struct member_config config = {
        .study = run->study,
        .dataset = run->dataset,
        .policy = &run->policy,
        .self = run->self,
        .identity = &run->identity,
        .pods = run->pods == NULL ? NULL : pods_table_of(run->pods),
        .share = crew_share,
    };
    const struct gossip_record *records;
    size_t count;
    int code = store_load(run->session.store, &records, &count, error);

    if (code != 0)
        return code;
    for (size_t i = 0; i < count; i++)
        if (records[i].slot >= SESSION_SLOT_ROUNDS)
            progress_restore(&run->session.progress,
                             records[i].slot - SESSION_SLOT_ROUNDS,
                             records[i].bytes, records[i].size);
    run->crew = crew_new(HELPERS);
    if (run->crew == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    config.share_context = run->crew;
    randombytes_buf(config.seed, sizeof config.seed);
    code = member_new(&run->session.member, &config, records, count, error);
    sodium_memzero(config.seed, sizeof config.seed);
    return code;
}

/* The longest body that a peer may send: a whole vector (a pod's comes with the
 * number of its sites) or the state. */
static int find_body_max(size_t *size, const struct run *run,
                         struct error *error)
{
    const struct task_ops *ops = task_find(&run->study->task, error);
    struct task *task;
    int code;

    if (ops == NULL)
        return -EINVAL;
    code = ops->open(&task, &run->study->task, run->dataset, error);
    if (code != 0)
        return code;
    *size = 8 * (ops->length_max(task) + 1) + ops->state_size(task);
    ops->close(task);
    return 0;
}

/* Who expects slow rounds expects slow lines. */
static int silence_ms(const struct study *study)
{
    uint64_t ms = study->deadline_ms / 2;

    return ms < SILENCE_MAX_MS ? (int)ms : SILENCE_MAX_MS;
}

static int make_links(struct run *run, struct error *error)
{
    const struct links *links = &run->session.company.links;
    struct transport_site sites[LINKS_MAX];
    struct transport_config config = {
        .self = links->self,
        .members = links->count,
        .sites = sites,
        .study = run->study->name,
        .head_max = GOSSIP_HEAD_MAX,
        .silence_ms = silence_ms(run->study),
    };
    int code = find_body_max(&config.body_max, run, error);

    if (code != 0)
        return code;
    for (uint32_t i = 0; i < config.members; i++) {
        const struct study_site *site = &run->whole->sites[links->of[i].site];

        sites[i].name = site->name;
        sites[i].address = site->address;
        memcpy(sites[i].link, site->key.link, sizeof sites[i].link);
    }
    memcpy(config.link_secret, run->identity.link_secret,
           sizeof config.link_secret);
    code = transport_new(&run->session.transport, &config, error);
    sodium_memzero(config.link_secret, sizeof config.link_secret);
    return code;
}

static int check(struct run *run, struct error *error)
{
    const struct member_config config = {.study = run->study,
                                         .dataset = run->dataset,
                                         .policy = &run->policy,
                                         .self = run->self};
    char *text = calloc(1, CHECK_SIZE);
    int code;

    if (text == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    code = member_check(&config, text, CHECK_SIZE, error);
    if (code == 0)
        fputs(text, stdout);
    free(text);
    return code;
}

static int prepare(struct run *run, struct error *error)
{
    int code = study_read(&run->whole, run->options.study, error);

    run->policy = (struct gate_policy){.rows_min = GATE_ROWS_MIN,
                                       .unmasked = run->options.unmasked};
    if (code == 0)
        code = find_site(run, error);
    if (code == 0)
        code = read_data(run, error);
    return code != 0 ? code : find_pod(run, error);
}

/* A terminal that is closed ends the node as SIGTERM does, unless nohup said
 * otherwise. */
static void hear_hangup(void)
{
    struct sigaction hangup, end;

    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN &&
        sigaction(SIGTERM, NULL, &end) == 0)
        sigaction(SIGHUP, &end, NULL);
}

static int work(struct run *run, struct error *error)
{
    struct session *s = &run->session;
    int code = check_sites(run->whole, error);

    if (code == 0)
        code = read_keys(run, error);
    if (code == 0)
        code = make_folder(run, error);
    if (code == 0)
        code = open_store(run, error);
    if (code == 0)
        code = make_member(run, error);
    if (code == 0 && getenv("STARLING_TAPE") != NULL)
        code = tape_open(&s->tape, getenv("STARLING_TAPE"), error);
    s->study = run->study;
    s->self = run->self;
    s->out = run->out;
    if (code == 0)
        session_clear(s);
    if (code == 0)
        code = make_links(run, error);
    if (code == 0)
        greeting_write(&s->company.greeting, run->study, run->self,
                       run->identity.sign_secret);
    identity_wipe(&run->identity);
    if (code != 0)
        return code;
    hear_hangup();
    s->company.study = run->study;
    s->company.progress = &s->progress;
    s->progress.study = run->study;
    s->progress.member = s->member;
    s->progress.self = run->self;
    s->progress.json = run->options.json;
    s->progress.start_ms = zclock_mono();
    s->trainer = trainer_new(s->member);
    if (s->trainer == NULL)
        return error_set(error, -ENOMEM, "out of memory");
    progress_tell(&s->progress, "started", UINT64_C(1) << run->self, 0, NULL,
                  run->study->unmasked ? study_note(run->study) : NULL);
    return session_run(s, error);
}

static void clean(struct run *run)
{
    trainer_free(run->session.trainer);
    transport_free(run->session.transport);
    member_free(run->session.member);
    crew_free(run->crew);
    store_close(run->session.store);
    tape_close(run->session.tape);
    progress_free(&run->session.progress);
    dataset_free(run->dataset);
    pods_table_free(run->pods);
    study_free(run->whole);
}

int run_main(int count, char *const *arguments)
{
    static struct run run;
    struct error error = {""};
    int code = parse(&run, arguments, count);

    if (code != 0)
        return code;
    if (run.options.help) {
        fputs(help, stdout);
        return 0;
    }
    code = prepare(&run, &error);
    if (code == 0)
        code = run.options.check ? check(&run, &error) : work(&run, &error);
    clean(&run);
    if (code != 0)
        fprintf(stderr, "starling: %s\n", error.text);
    return code == 0 ? 0 : 1;
}
