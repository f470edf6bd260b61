#include "node/study.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/pods.h"
#include "node/scratch.h"

static const char heart[] =
    "version: 1\n"
    "study: heart\n"
    "trust: semi-honest\n"
    "on_loss: wait\n"
    "sites:\n"
    "  - {name: cleveland, data: heart.csv, rows: {column: site, equals: c}}\n"
    "  - {name: hungarian, data: heart.csv, rows: {column: site, equals: h}}\n"
    "  - {name: switzerland, data: /s.csv}\n"
    "  - {name: va, data: heart.csv, rows: {column: site, equals: va}}\n"
    "task:\n"
    "  kind: logistic\n"
    "  method: newton\n"
    "  target: y\n"
    "  features: [age, sex]\n"
    "  categorical: [{column: cp, levels: [1, 2, 3, 4]}]\n"
    "  split: {column: set, train: train, test: test}\n"
    "  missing: drop\n"
    "  standardise: pooled\n"
    "  l2: 0\n"
    "rounds: {max: 50, deadline_ms: 5000, tolerance: 1e-9}\n"
    "sum: {lanes: 64, fraction_bits: 32, colluders: 1}\n"
    "seed: 7\n"
    "network:\n"
    "  latency_ms: {min: 5, max: 60}\n"
    "  bandwidth_mbit: 100\n"
    "  loss: 0.02\n"
    "  crash: [{site: va, round: 3, at: after-y}]\n"
    "  restart: [{site: va, after_ms: 800}]\n"
    "  partition: [{groups: [[cleveland, va], [hungarian]], from_ms: 1000, "
    "to_ms: 4000}]\n";

/* `heart` with the first `from` replaced; malloc'ed. */
static char *edited(const char *from, const char *to)
{
    const char *at = strstr(heart, from);
    size_t size = sizeof heart + strlen(to) + 1;
    char *text = malloc(size);

    assert_non_null(at);
    assert_non_null(text);
    snprintf(text, size, "%.*s%s%s", (int)(at - heart), heart, to,
             at + strlen(from));
    return text;
}

static struct study *read_text(const char *text, struct error *error)
{
    struct study *study = NULL;
    int code = study_read(&study, scratch_write("s.yaml", text), error);

    assert_true((code == 0) == (study != NULL));
    assert_true(code <= 0);
    return study;
}

static struct study *read_edited(const char *from, const char *to)
{
    struct error error = {""};
    char *text = edited(from, to);
    struct study *study = read_text(text, &error);

    if (study == NULL)
        print_error("%s\n", error.text);
    assert_non_null(study);
    free(text);
    return study;
}

/* The edited study is refused with "FILE:LINE: " and `words` after it. */
static void refused(const char *from, const char *to, unsigned line,
                    const char *words)
{
    struct error error = {""};
    char start[600], *text = edited(from, to);
    struct study *study = read_text(text, &error);

    if (study != NULL)
        print_error("was taken: %s\n", to);
    assert_null(study);
    snprintf(start, sizeof start, "%s:%u: ", scratch_path("s.yaml"), line);
    if (strncmp(error.text, start, strlen(start)) != 0 ||
        strstr(error.text, words) == NULL) {
        print_error("got:      %s\nexpected: %s...%s\n", error.text, start,
                    words);
        fail();
    }
    free(text);
}

static void every_key_of_the_heart_study_is_read(void **state)
{
    struct study *s = read_edited("wait", "wait");
    (void)state;

    assert_string_equal(s->name, "heart");
    assert_int_equal(s->on_loss, GOSSIP_WAIT);
    assert_int_equal(s->site_count, 4);
    assert_string_equal(s->sites[3].name, "va");
    assert_int_equal(s->sites[3].line, 9);
    assert_string_equal(s->sites[0].data, scratch_path("heart.csv"));
    assert_string_equal(s->sites[2].data, "/s.csv");
    assert_string_equal(s->sites[1].rows_column, "site");
    assert_string_equal(s->sites[1].rows_equals, "h");
    assert_null(s->sites[2].rows_column);
    assert_string_equal(s->task.kind, "logistic");
    assert_string_equal(s->task.target, "y");
    assert_true(s->features_given);
    assert_int_equal(s->task.feature_count, 2);
    assert_string_equal(s->task.features[1], "sex");
    assert_int_equal(s->task.categorical_count, 1);
    assert_int_equal(s->task.categorical[0].level_count, 4);
    assert_string_equal(s->task.categorical[0].levels[3], "4");
    assert_string_equal(s->task.split_test, "test");
    assert_int_equal(s->task.members, 4);
    assert_int_equal(s->task.rounds_max, 50);
    assert_true(s->task.tolerance == 1e-9);
    assert_int_equal(s->task.fraction_bits, 32);
    assert_int_equal(s->deadline_ms, 5000);
    assert_int_equal(s->grace_ms, 200);
    assert_int_equal(s->linger_ms, 10000);
    assert_int_equal(s->seed, 7);
    study_free(s);
}

static void the_simulated_network_is_read(void **state)
{
    struct study *s = read_edited("wait", "wait");
    (void)state;

    assert_int_equal(s->latency_min_ms, 5);
    assert_int_equal(s->latency_max_ms, 60);
    assert_true(s->bandwidth_mbit == 100 && s->loss == 0.02);
    assert_int_equal(s->crash_count, 1);
    assert_int_equal(s->crash[0].site, 3);
    assert_int_equal(s->crash[0].round, 3);
    assert_true(s->crash[0].after_y);
    assert_int_equal(s->restart[0].after_ms, 800);
    assert_int_equal(s->partition[0].group_count, 2);
    assert_int_equal(s->partition[0].groups[0], 9);
    assert_int_equal(s->partition[0].groups[1], 2);
    assert_int_equal(s->end_ms, 600000);
    study_free(s);
    s = read_edited("{min: 5, max: 60}", "12");
    assert_int_equal(s->latency_min_ms, 12);
    assert_int_equal(s->latency_max_ms, 12);
    study_free(s);
}

static void a_mistake_is_told_with_its_line(void **state)
{
    (void)state;
    refused("target: y", "targt: y", 13,
            "unknown key 'targt', did you mean 'target'?");
    refused("target: y", "zebra: y", 13,
            "unknown key 'zebra', expected in "
            "task one of: kind");
    refused("  target: y\n", "", 11, "found no key 'target' in task");
    refused("target: y", "target:", 13, "found nothing, expected the name");
    refused("seed: 7", "task: {}", 22, "the key 'task' a second time");
    refused("l2: 0", "l2: much", 19, "found 'much', expected a number");
    refused("l2: 0", "l2: 0x10", 19, "found '0x10', expected a number");
    refused("l2: 0", "l2: -1", 19, "from 0 to");
    refused("l2: 0", "l2: '0'", 19, "expected a number");
    refused("seed: 7", "seed: 7.5", 22, "a whole number");
    refused("seed: 7", "seed: 007", 22, "a whole number");
    refused("missing: drop", "missing: dorp", 17, "drop or mean or fail");
    refused("features: [age, sex]", "features: age", 14, "found 'age'");
    refused("features: [age, sex]", "features: [age, age]", 14, "twice");
    refused("features: [age, sex]", "features: [age, y]", 11, "the target");
    refused("target: y", "target: [y]", 13, "found a list");
    refused("kind: logistic", "kind: logistik", 11, "logistik");
    refused("method: newton", "method: adam", 12, "adam");
    refused("version: 1", "version: 2", 1, "found '2', expected 1");
    refused("study: heart", "study: Heart", 2, "found 'Heart'");
    refused("name: va", "name: ../va", 9, "found the site name '../va'");
    refused("name: va", "name: cleveland", 9, "a second site 'cleveland'");
    refused("name: va,", "name: va, key: starling-x,", 9, "key: found");
    refused("name: va,", "name: va, address: va:1,", 9, "tcp://host:port");
    refused("name: va,", "name: va, address: 'tcp://h:0',", 9, "tcp://host");
    refused("name: va,", "name: \"v\\ea\",", 9, "found the site name 'v?a'");
    refused("site: va, after", "site: vaa, after", 28, "did you mean 'va'?");
    refused("at: after-y", "at: once", 27, "before-y or after-y");
    refused("min: 5", "min: 61", 24, "min above max");
    refused("loss: 0.02", "loss: 2", 26, "from 0 to 1");
}

static void bad_yaml_is_told_with_its_line(void **state)
{
    struct error error;
    (void)state;

    refused("target: y", "target: [y", 14, "bad YAML");
    refused("  target: y", "\ttarget: y", 13, "not tabs");
    refused("target: y", "target: &a y", 13, "an anchor");
    refused("target: y", "target: *a", 13, "an alias");
    refused("target: y", "target: !!str y", 13, "a tag");
    refused("seed: 7", "---\nversion: 1", 22, "a second document");
    assert_null(read_text("", &error));
    assert_non_null(strstr(error.text, "s.yaml:1: found an empty file"));
    assert_null(read_text("- a\n", &error));
    assert_non_null(strstr(error.text, "found a list"));
    struct study *study;
    assert_int_equal(study_read(&study, scratch_path("none.yaml"), &error),
                     -ENOENT);
    assert_non_null(strstr(error.text, "none.yaml: No such file"));
}

static void what_this_version_lacks_is_refused_by_name(void **state)
{
    (void)state;
    refused("semi-honest", "active", 3, "expected at least 5");
    refused("lanes: 64", "masks: none", 21, "expected pods of one");
    /* Attack 24: there is no noise that could be calibrated wrongly. */
    refused("seed: 7", "privacy: {epsilon: 3}", 22, "not in this version");
}

static void narrow_lanes_are_for_training(void **state)
{
    (void)state;
    refused("lanes: 64", "lanes: 24", 21, "found 24, expected 16, 32 or 64");
    refused("lanes: 64", "lanes: 16", 21, "method newton sums exact");
    refused("lanes: 64", "lanes: 64, clip: 1", 21, "clip: found with lanes of");
    refused("lanes: 64", "value_bits: 9", 21, "value_bits: found with lanes");
    refused("lanes: 64", "lanes: 16, clip: 0", 21, "clip: found");
}

static char *study_of(unsigned sites, const char *sum)
{
    char *text = malloc(8192);
    size_t used = 0;

    assert_non_null(text);
    used += (size_t)snprintf(text, 8192, "version: 1\nstudy: many\nsites:\n");
    for (unsigned i = 0; i < sites; i++)
        used +=
            (size_t)snprintf(text + used, 8192 - used, "  - name: s%u\n", i);
    snprintf(text + used, 8192 - used,
             "task: {kind: linear, target: y}\nsum: {%s}\n", sum);
    return text;
}

static void the_threshold_follows_the_table(void **state)
{
    static const struct {
        unsigned g;
        const char *sum;
        unsigned c, t, copies;
    } rows[] = {{3, "", 1, 3, 1},
                {4, "", 1, 3, 2},
                {5, "", 1, 3, 3},
                {10, "", 1, 6, 5},
                {10, "colluders: 5", 5, 7, 4},
                {10, "threshold: 10", 1, 10, 1},
                {10, "threshold: 8, copies: 10", 1, 8, 10},
                {64, "", 1, 33, 32}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {""};
        char *text = study_of(rows[i].g, rows[i].sum);
        struct study *s = read_text(text, &error);
        assert_non_null(s);
        assert_int_equal(s->colluders, rows[i].c);
        assert_int_equal(s->threshold, rows[i].t);
        assert_int_equal(s->copies, rows[i].copies);
        assert_true((study_note(s) != NULL) == (rows[i].g == rows[i].t));
        study_free(s);
        free(text);
    }
}

static struct study *active_study(unsigned sites, const char *sum,
                                  struct error *error)
{
    char *text = study_of(sites, sum), *whole = malloc(9000);

    assert_non_null(whole);
    snprintf(whole, 9000, "trust: active\n%s", text);
    struct study *s = read_text(whole, error);
    free(text);
    free(whole);
    return s;
}

static void active_trust_has_its_own_table(void **state)
{
    static const struct {
        unsigned g, c, t, copies;
    } rows[] = {{5, 1, 4, 3},    {6, 1, 4, 4},    {7, 2, 5, 5},
                {10, 3, 7, 7},   {16, 5, 11, 11}, {32, 10, 22, 21},
                {64, 21, 43, 43}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {""};
        struct study *s = active_study(rows[i].g, "", &error);
        assert_non_null(s);
        assert_true(s->active && s->verify);
        assert_int_equal(s->colluders, rows[i].c);
        assert_int_equal(s->threshold, rows[i].t);
        assert_int_equal(s->copies, rows[i].copies);
        study_free(s);
    }
}

static void active_trust_refuses_what_would_weaken_it(void **state)
{
    static const struct {
        unsigned g;
        const char *sum, *words;
    } rows[] = {{4, "", "expected at least 5"},
                {10, "colluders: 2", "expected 3"},
                {10, "threshold: 6", "expected 7 to 10"},
                {10, "verify: no", "always checked"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {""};
        assert_null(active_study(rows[i].g, rows[i].sum, &error));
        assert_non_null(strstr(error.text, rows[i].words));
    }
}

/* Attack 12: however the honest are split in two, c corrupt members cannot
 * collect t shares of b from one half and t of msk from the other. */
static void no_split_of_the_honest_gives_both_secrets(void **state)
{
    (void)state;
    for (uint32_t g = 3; g <= GOSSIP_MEMBERS_MAX; g++)
        for (int on_loss = GOSSIP_WAIT; on_loss <= GOSSIP_CONTINUE; on_loss++)
            for (int active = 0; active < 2; active++) {
                uint32_t c = study_colluders(active, g), lying = active ? c : 0;
                uint32_t t =
                    study_threshold(active, (enum gossip_on_loss)on_loss, g, c);
                for (uint32_t half = 0; g >= 5 && half <= g - lying; half++)
                    assert_false(half + lying >= t &&
                                 (g - lying - half) + lying >= t);
                assert_true(t >= c + 2);
                /* a retry under continue: t can go on, so q can close */
                assert_true(on_loss != GOSSIP_CONTINUE || g < 5 ||
                            g - t + c + 1 <= t);
            }
}

static void an_impossible_threshold_names_the_range(void **state)
{
    static const struct {
        unsigned g;
        const char *sum, *words;
    } rows[] = {{4, "threshold: 5", "expected 3 to 4 with 4 sites"},
                {5, "threshold: 2", "expected 3 to 5 with 5 sites"},
                {4, "colluders: 3", "colluders: found 3, expected 1 to 2"},
                {4, "copies: 5", "expected 1 to 4"},
                {2, "", "each would learn the other's rows' sums"},
                {1, "", "each would learn the other's rows' sums"},
                {65, "", "expected 3 to 64"},
                {4, "fraction_bits: 53", "from 0 to 52"}};
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error error = {""};
        char *text = study_of(rows[i].g, rows[i].sum);
        assert_null(read_text(text, &error));
        if (strstr(error.text, rows[i].words) == NULL)
            print_error("%s\n", error.text);
        assert_non_null(strstr(error.text, rows[i].words));
        free(text);
    }
}

static size_t fields_of(struct gossip_field *fields, uint8_t *charter,
                        const char *from, const char *to)
{
    struct study *study = read_edited(from, to);
    size_t count = study_fields(fields, charter, study);

    study_free(study);
    return count;
}

static void fields_differ_where_studies_do_and_nowhere_else(void **state)
{
    static const char *const edits[][3] = {
        {"study: heart", "study: heard", "study"},
        {"on_loss: wait", "on_loss: stop", "on_loss"},
        {"on_loss: wait", "on_loss: wait\nwait_ms: 5", "wait_ms"},
        {"name: switzerland", "name: swiss", "sites"},
        {"kind: logistic", "kind: linear", "task.kind"},
        {"target: y", "target: z", "task.target"},
        {"[age, sex]", "[age, sox]", "task.features"},
        {"[age, sex]", "[ag, esex]", "task.features"},
        {"[1, 2, 3, 4]", "[1, 2, 3, 5]", "task.categorical"},
        {"test: test", "test: tset", "task.split"},
        {"missing: drop", "missing: mean", "task.missing"},
        {"pooled", "none", "task.standardise"},
        {"l2: 0", "l2: 1e-300", "task.l2"},
        {"max: 50", "max: 51", "rounds.max"},
        {"5000", "5001", "rounds.deadline_ms"},
        {"max: 50", "grace_ms: 1", "rounds.grace_ms"},
        {"max: 50", "linger_ms: 1", "rounds.linger_ms"},
        {"1e-9", "1e-8", "rounds.tolerance"},
        {"fraction_bits: 32", "fraction_bits: 31", "sum.fraction_bits"},
        {"colluders: 1", "threshold: 4, copies: 2", "sum.threshold"},
        {"colluders: 1", "copies: 1", "sum.copies"},
        {"colluders: 1", "verify: yes", "sum.verify"},
        {"colluders: 1", "colluders: 2, copies: 2", "sum.colluders"}};
    struct gossip_field a[GOSSIP_FIELDS_MAX], b[GOSSIP_FIELDS_MAX];
    uint8_t charter_a[GOSSIP_HASH_BYTES], charter_b[GOSSIP_HASH_BYTES];
    size_t count = fields_of(a, charter_a, "wait", "wait");
    (void)state;

    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        bool seen = false;
        assert_int_equal(fields_of(b, charter_b, edits[i][0], edits[i][1]),
                         count);
        for (size_t f = 0; f < count; f++) {
            bool differs = memcmp(a[f].hash, b[f].hash, sizeof a[f].hash) != 0;
            bool meant = strcmp(a[f].name, edits[i][2]) == 0;
            /* more colluders raise the threshold with them */
            if (strcmp(edits[i][2], "sum.colluders") == 0 &&
                strcmp(a[f].name, "sum.threshold") == 0)
                continue;
            if (differs != meant)
                print_error("%s: %s\n", edits[i][1], a[f].name);
            assert_true(differs == meant);
            seen = seen || meant;
        }
        assert_true(seen);
        assert_memory_not_equal(charter_a, charter_b, GOSSIP_HASH_BYTES);
    }
}

static void two_sites_cannot_have_one_address(void **state)
{
    struct error error = {""};
    char *one =
        edited("name: hungarian,", "name: hungarian, address: 'tcp://h:7000',");
    const char *at = strstr(one, "name: va,");
    char *both = malloc(strlen(one) + 64);
    (void)state;

    assert_non_null(at);
    assert_non_null(both);
    sprintf(both, "%.*sname: va, address: 'tcp://h:7000',%s", (int)(at - one),
            one, at + strlen("name: va,"));
    assert_null(read_text(both, &error));
    assert_non_null(strstr(error.text, "s.yaml:9: "));
    assert_non_null(strstr(error.text, "'hungarian' (line 7)"));
    assert_non_null(strstr(error.text, "'va' (line 9)"));
    free(one);
    free(both);
}

static void data_address_seed_and_network_are_not_in_the_charter(void **state)
{
    static const char *const edits[][2] = {
        {"data: /s.csv", "data: /other.csv"},
        {"equals: va", "equals: ve"},
        {"name: va,", "name: va, address: 'tcp://va:7000',"},
        {"seed: 7", "seed: 8"},
        {"loss: 0.02", "loss: 0.2"},
        {"after_ms: 800", "after_ms: 8"}};
    struct gossip_field a[GOSSIP_FIELDS_MAX], b[GOSSIP_FIELDS_MAX];
    uint8_t charter_a[GOSSIP_HASH_BYTES], charter_b[GOSSIP_HASH_BYTES];
    (void)state;

    fields_of(a, charter_a, "wait", "wait");
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        fields_of(b, charter_b, edits[i][0], edits[i][1]);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_equal(charter_a, charter_b, GOSSIP_HASH_BYTES);
    }
}

static void the_roster_covers_names_and_keys(void **state)
{
    uint8_t a[GOSSIP_HASH_BYTES], b[GOSSIP_HASH_BYTES], c[GOSSIP_HASH_BYTES];
    struct study *study = read_edited("wait", "wait");
    struct study *other = read_edited("name: switzerland", "name: swiss");
    (void)state;

    study_roster(a, study);
    study_roster(b, other);
    study->sites[1].has_key = true;
    study->sites[1].key.sign[0] = 1;
    study_roster(c, study);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
    study_free(study);
    study_free(other);
}

static void keys_of_the_study_are_parsed_and_must_differ(void **state)
{
    struct identity identity;
    struct prg prg;
    uint8_t seed[PRG_SEED_BYTES] = {1};
    char key[IDENTITY_TEXT_SIZE], text[2048];
    struct error error;
    (void)state;

    prg_seed(&prg, seed);
    snprintf(text, sizeof text, "version: 1\nstudy: k\nsites:\n");
    for (int i = 0; i < 3; i++) {
        size_t used = strlen(text);
        identity_generate(&identity, &prg);
        identity_print(key, &identity.open);
        snprintf(text + used, sizeof text - used, "  - {name: s%d, key: %s}\n",
                 i, key);
    }
    strcat(text, "task: {kind: linear, target: y}\n");
    struct study *study = read_text(text, &error);
    assert_non_null(study);
    assert_true(study->sites[2].has_key);
    assert_memory_equal(&study->sites[2].key, &identity.open,
                        sizeof identity.open);
    study_free(study);
    char *first = strstr(text, "starling-"), *last = strstr(text, key);
    memcpy(first, last, strlen(key));
    assert_null(read_text(text, &error));
    assert_non_null(strstr(error.text, ":6: found the same key"));
    char *comma = strstr(text, ", key");
    memset(comma, ' ', strlen(key) + 7);
    assert_null(read_text(text, &error));
    assert_non_null(strstr(error.text, ":5: found a key at 's1' but none"));
}

static void left_out_features_are_the_columns_not_named_elsewhere(void **state)
{
    struct error error = {""};
    struct study *s = read_edited("  features: [age, sex]\n", "");
    const char *data =
        scratch_write("h.csv", "site,age,cp,set,chol,y\nva,1,1,train,2,0\n");
    (void)state;

    assert_false(s->features_given);
    assert_int_equal(study_resolve(s, data, &error), 0);
    assert_int_equal(s->task.feature_count, 2);
    assert_string_equal(s->task.features[0], "age");
    assert_string_equal(s->task.features[1], "chol");
    study_free(s);
    s = read_edited("  features: [age, sex]\n  categorical: [{column: cp, "
                    "levels: [1, 2, 3, 4]}]\n",
                    "");
    data = scratch_write("h.csv", "site,set,y\nva,train,0\n");
    assert_int_equal(study_resolve(s, data, &error), -EINVAL);
    assert_non_null(strstr(error.text, "h.csv:1: found no column"));
    study_free(s);
}

static const char pods_head[] = "version: 1\nstudy: many\nsites:\n";

/* Six sites and what follows; the lines of the latter begin at 10. */
static struct study *read_many(const char *pods, const char *method,
                               struct error *error)
{
    char text[2048];
    int used = snprintf(text, sizeof text, "%s", pods_head);

    for (int i = 0; i < 6; i++)
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "  - {name: s%d}\n", i);
    snprintf(text + used, sizeof text - (size_t)used,
             "%s\ntask: {kind: logistic, method: %s, target: y, features: [a], "
             "standardise: none}\nrounds: {step: 0.1}\n",
             pods, method);
    return read_text(text, error);
}

static void pods_refused(const char *pods, uint32_t line, const char *why)
{
    struct error error = {""};
    char at[16];
    struct study *study = read_many(pods, "dgd", &error);

    if (study != NULL)
        fail_msg("accepted: %s", pods);
    snprintf(at, sizeof at, ":%u: ", line);
    if (strstr(error.text, at) == NULL || strstr(error.text, why) == NULL)
        fail_msg("got:      %s\nexpected: %s...%s", error.text, at, why);
}

#define TWO "sites: [[s0, s1, s2], [s3, s4, s5]]"

#define ALONE "sites: [[s0], [s1], [s2], [s3], [s4], [s5]]"

static void masks_are_off_only_where_the_charter_says_so(void **state)
{
    struct gossip_field fields[GOSSIP_FIELDS_MAX];
    uint8_t none[GOSSIP_HASH_BYTES];
    struct error error = {""};
    size_t said = 0;
    struct study *s =
        read_many("pods: {" ALONE "}\nsum: {masks: none}", "dgd", &error);

    (void)state;
    if (s == NULL)
        fail_msg("%s", error.text);
    assert_true(s->unmasked);
    assert_int_equal(s->pods[5].threshold, 1);
    assert_non_null(strstr(study_note(s), "masks are OFF"));
    size_t count = study_fields(fields, none, s);
    for (size_t i = 0; i < count; i++)
        said += strcmp(fields[i].name, "sum.masks") == 0;
    assert_int_equal(said, 1);
    study_free(s);
    pods_refused("pods: {" ALONE "}", 10, "found a pod of one site");
    pods_refused("pods: {" ALONE "}\nsum: {colluders: 1}", 10,
                 "found a pod of one site");
    pods_refused("pods: {" TWO "}\nsum: {masks: none}", 11,
                 "'none' with pods of several sites");
    pods_refused("pods: {sites: [[s0], [s1, s2, s3, s4, s5]]}\n"
                 "sum: {masks: none}",
                 11, "'none' with pods of several sites");
    pods_refused("pods: {mode: exact, " ALONE "}\nsum: {masks: none}", 11,
                 "expected 'trust: semi-honest' and 'mode: gossip'");
}

static void mistakes_in_pods_are_named(void **state)
{
    struct error error = {""};

    (void)state;
    pods_refused("pods: []", 10, "expected a mapping");
    pods_refused("pods: {graph: ring}", 10, "sites");
    pods_refused("pods: {sites: [[s0, s1, s2, s3, s4, s5]]}", 10,
                 "found 1, expected 2 to 1024 lists");
    pods_refused("pods: {sites: [[s0, s1], [s2, s3, s4, s5]]}", 10,
                 "found 2 sites in pod 0, expected a list of 3 to 64");
    pods_refused("pods: {sites: [[s0, s1, s2], [s2, s4, s5]]}", 10,
                 "'s2' in pod 0 and in pod 1");
    pods_refused("pods:\n  sites: [[s0, s1, s2], [s3, s4, x]]", 11,
                 "found 'x' in pod 1");
    pods_refused("pods: {" TWO ", graph: star}", 10,
                 "expected ring or complete");
    pods_refused("pods: {" TWO ", graph: torus}", 10, "no prime");
    pods_refused("pods: {" TWO ", graph: base, k: 2}", 10, "k: expected");
    pods_refused("pods: {" TWO ", graph: edges}", 10, "do not join all");
    pods_refused("pods: {" TWO ", graph: edges, edges: [[0, 2]]}", 10,
                 "from 0 to 1");
    pods_refused("pods: {" TWO ", edges: [[0, 1]]}", 10, "'graph: edges' only");
    pods_refused("pods: {" TWO ", k: 1}", 10, "'graph: base' only");
    pods_refused("pods: {" TWO ", graph: exponential, weights: metropolis}", 10,
                 "weights of its own");
    pods_refused("pods: {" TWO ", mode: exact, method: gt-atc}", 10,
                 "'mode: gossip' only");
    pods_refused("trust: active\npods: {" TWO "}", 10, "expected at least 5");
    pods_refused("pods: {" TWO "}\nsum: {threshold: 4}", 11, "expected 3 to 3");
    pods_refused("pods: {" TWO "}\nnetwork: {crash: [{site: s0, round: 1}]}",
                 11, "found crash with pods");
    assert_null(read_many("pods: {" TWO "}", "newton", &error));
    assert_non_null(strstr(error.text, "only method dgd can be averaged"));
}

static void pods_are_part_of_the_charter(void **state)
{
    static const char *const pods[] = {
        "pods: {" TWO "}",
        "pods: {sites: [[s0, s1, s3], [s2, s4, s5]]}",
        "pods: {" TWO ", graph: complete}",
        "pods: {" TWO ", graph: edges, edges: [[0, 1]]}",
        "pods: {" TWO ", method: dgd-atc}",
        "pods: {" TWO ", mode: exact}",
        "pods: {" TWO ", patience_ms: 5}",
        "pods: {" TWO ", restart: 5}",
        "pods: {" TWO ", rows: 5}",
        "pods: {" TWO ", weights: lazy-metropolis}",
        "seed: 3"};
    enum { COUNT = sizeof pods / sizeof *pods };
    uint8_t charters[COUNT][GOSSIP_HASH_BYTES];
    struct gossip_field fields[GOSSIP_FIELDS_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        struct error error = {""};
        struct study_site sites[3];
        struct study view, *study = read_many(pods[i], "dgd", &error);
        if (study == NULL)
            fail_msg("%s", error.text);
        study_fields(fields, charters[i], study);
        for (uint32_t p = 0; p < study->pod_count; p++) {
            uint8_t charter[GOSSIP_HASH_BYTES];
            pods_view(&view, sites, study, p);
            study_fields(fields, charter, &view);
            assert_memory_equal(charter, charters[i], sizeof charter);
            assert_int_equal(view.site_count, 3);
            assert_int_equal(view.threshold, 3);
        }
        study_free(study);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(charters[k], charters[i],
                                    GOSSIP_HASH_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_heart_study_is_read),
        cmocka_unit_test(the_simulated_network_is_read),
        cmocka_unit_test(a_mistake_is_told_with_its_line),
        cmocka_unit_test(bad_yaml_is_told_with_its_line),
        cmocka_unit_test(mistakes_in_pods_are_named),
        cmocka_unit_test(masks_are_off_only_where_the_charter_says_so),
        cmocka_unit_test(pods_are_part_of_the_charter),
        cmocka_unit_test(what_this_version_lacks_is_refused_by_name),
        cmocka_unit_test(narrow_lanes_are_for_training),
        cmocka_unit_test(the_threshold_follows_the_table),
        cmocka_unit_test(active_trust_has_its_own_table),
        cmocka_unit_test(active_trust_refuses_what_would_weaken_it),
        cmocka_unit_test(no_split_of_the_honest_gives_both_secrets),
        cmocka_unit_test(an_impossible_threshold_names_the_range),
        cmocka_unit_test(fields_differ_where_studies_do_and_nowhere_else),
        cmocka_unit_test(two_sites_cannot_have_one_address),
        cmocka_unit_test(data_address_seed_and_network_are_not_in_the_charter),
        cmocka_unit_test(the_roster_covers_names_and_keys),
        cmocka_unit_test(keys_of_the_study_are_parsed_and_must_differ),
        cmocka_unit_test(left_out_features_are_the_columns_not_named_elsewhere),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
