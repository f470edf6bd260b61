/* libFuzzer: any bytes as a study file. What is refused is refused in one line
 * that names the file; what is taken keeps the rules of gossip/PROTOCOL.md and
 * has one charter hash, however often it is read. */

#include "fuzz/file.h"
#include "node/study.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char rows[] = "age,sex,cp,set,site,y\n1,0,2,train,ann,1\n";

static void check_rules(const struct study *s)
{
    file_must(3 <= s->site_count && s->site_count <= GOSSIP_MEMBERS_MAX,
              "3 to 64 sites");
    file_must(s->colluders >= 1 && s->threshold >= s->colluders + 2 &&
                  s->threshold > s->site_count / 2 &&
                  s->threshold <= s->site_count,
              "a threshold that honest members can reach and no others");
    file_must(s->copies >= 1 && s->copies <= s->site_count, "1 to g copies");
    file_must(s->wait_ms == 0 || s->on_loss == GOSSIP_WAIT,
              "a limit of waiting only where somebody waits");
    for (uint32_t i = 0; i < s->site_count; i++)
        file_must(study_site(s, s->sites[i].name) == (int)i,
                  "every site's name once");
    for (size_t i = 0; i < s->crash_count; i++)
        file_must(s->crash[i].site < s->site_count, "a crash of a site");
    for (size_t i = 0; i < s->restart_count; i++)
        file_must(s->restart[i].site < s->site_count, "a restart of a site");
}

static void hash(uint8_t charter[GOSSIP_HASH_BYTES], const struct study *s)
{
    struct gossip_field fields[GOSSIP_FIELDS_MAX];
    uint8_t roster[GOSSIP_HASH_BYTES];
    size_t count = study_fields(fields, charter, s);

    file_must(count > 0 && count <= GOSSIP_FIELDS_MAX, "fields fit");
    study_roster(roster, s);
    (void)study_note(s);
}

static struct study *read_study(uint8_t charter[GOSSIP_HASH_BYTES],
                                const char *path, const char *table)
{
    struct error error = {""};
    struct study *s = NULL;
    int code = study_read(&s, path, &error);

    file_must((code == 0) == (s != NULL), "a study or an error");
    if (code != 0) {
        file_refused(code, &error, path);
        return NULL;
    }
    check_rules(s);
    hash(charter, s);
    code = study_resolve(s, table, &error);
    if (code != 0)
        file_refused(code, &error, table);
    else
        hash(charter, s);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct file study, table;
    uint8_t first[GOSSIP_HASH_BYTES], second[GOSSIP_HASH_BYTES];

    if (table.path[0] == '\0')
        file_fill(&table, rows, sizeof rows - 1);
    const char *path = file_fill(&study, data, size);
    struct study *s = read_study(first, path, table.path);
    if (s == NULL)
        return 0;
    study_free(s);
    s = read_study(second, path, table.path);
    file_must(s != NULL && memcmp(first, second, sizeof first) == 0,
              "the same file, the same charter");
    study_free(s);
    return 0;
}
