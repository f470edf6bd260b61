/* libFuzzer: a damaged store. The input is a list of edits of the bytes of one
 * that was made at the start: first byte odd: of one that was in use and not
 * closed, with its WAL. It is refused in one line, or what it gives is what was
 * saved: never another record, and none is missing unless the WAL itself was
 * edited, whose end may be torn at any time. */

#include <stdbool.h>
#include <sys/stat.h>

#include "fuzz/file.h"
#include "node/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

enum { EDIT = 5, EDITS_MAX = 64, IMAGE_MAX = 1 << 20, SECTOR = 512 };
enum { SLOTS = 6, VERSIONS = 3, RECORD_MAX = 9000 };

struct image {
    uint8_t bytes[IMAGE_MAX];
    size_t size;
};

static char folder[64], path[96], wal_path[96];
static const uint8_t study[GOSSIP_HASH_BYTES] = {1}, key[AEAD_KEY_BYTES] = {2};
static const size_t sizes[SLOTS] = {300, RECORD_MAX, 40, 0, 64, 2000};
static struct image closed, live, live_wal;

static void fill(uint8_t bytes[RECORD_MAX], uint32_t slot, uint8_t version)
{
    for (size_t i = 0; i < sizes[slot]; i++)
        bytes[i] = (uint8_t)(slot * 31 + version * 101 + i * i);
}

static void read_image(struct image *image, const char *from)
{
    FILE *file = fopen(from, "rb");

    file_must(file != NULL, "the store is there");
    image->size = fread(image->bytes, 1, IMAGE_MAX, file);
    fclose(file);
    file_must(image->size > 0, "the store is not empty");
}

static void write_image(const struct image *image, const char *to)
{
    int file = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    file_must(file >= 0 && write(file, image->bytes, image->size) ==
                               (ssize_t)image->size,
              "the store can be written");
    close(file);
}

static void clear(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock"};
    char name[128];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void leave(void)
{
    clear();
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static uint8_t bytes[RECORD_MAX];
    struct store *store = NULL;
    struct stat status;

    (void)count;
    (void)arguments;
    snprintf(folder, sizeof folder, "%s/starling-fuzz-XXXXXX",
             stat("/dev/shm", &status) == 0 ? "/dev/shm" : "/tmp");
    file_must(mkdtemp(folder) != NULL, "a folder can be made");
    snprintf(path, sizeof path, "%s/store.db", folder);
    snprintf(wal_path, sizeof wal_path, "%s-wal", path);
    atexit(leave);
    file_must(store_open(&store, path, study, key, NULL) == 0, "a new store");
    for (uint8_t version = 0; version < VERSIONS; version++) {
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            fill(bytes, slot, version);
            file_must(store_save(store, slot, bytes, sizes[slot], NULL) == 0,
                      "saved");
        }
        file_must(store_audit(store, "a line", NULL) == 0, "logged");
    }
    read_image(&live, path);
    read_image(&live_wal, wal_path);
    store_close(store);
    read_image(&closed, path);
    return 0;
}

/* edit: [what, place, place, place, value] */
static void change(struct image *image, const uint8_t edit[EDIT])
{
    size_t at = (edit[1] + 256u * edit[2] + 65536u * edit[3]) % image->size;
    size_t sector = at / SECTOR * SECTOR;
    size_t from = (size_t)edit[4] * SECTOR % image->size / SECTOR * SECTOR;
    size_t left = image->size - (sector > from ? sector : from);

    switch (edit[0] % 8) {
    case 0:
        image->size = at + 1;
        break;
    case 1:
        memset(image->bytes + sector, edit[4], left < SECTOR ? left : SECTOR);
        break;
    case 2:
        memmove(image->bytes + sector, image->bytes + from,
                left < SECTOR ? left : SECTOR);
        break;
    case 3:
        image->bytes[at] = edit[4];
        break;
    case 4:
        image->bytes[at] = (uint8_t)(image->bytes[at] + edit[4]);
        break;
    default:
        image->bytes[at] ^= edit[4];
    }
}

static void copy(struct image *to, const struct image *from)
{
    memcpy(to->bytes, from->bytes, from->size);
    to->size = from->size;
}

static bool is_saved(const struct gossip_record *r, uint8_t version)
{
    static uint8_t bytes[RECORD_MAX];

    fill(bytes, r->slot, version);
    return r->size == sizes[r->slot] && memcmp(r->bytes, bytes, r->size) == 0;
}

static void check_records(const struct gossip_record *records, size_t count,
                          bool all)
{
    for (size_t i = 0; i < count; i++) {
        const struct gossip_record *r = &records[i];
        bool found = false;
        file_must(r->slot < SLOTS, "a slot that was saved");
        for (uint8_t v = all ? VERSIONS - 1 : 0; v < VERSIONS; v++)
            found = found || is_saved(r, v);
        file_must(found, all ? "the record that was saved last"
                             : "a record that was saved");
    }
    file_must(!all || count == SLOTS, "no record is missing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct image image, wal;
    const struct gossip_record *records = NULL;
    struct store *store = NULL;
    struct error error = {""};
    size_t count = 0;
    bool in_use = size > 0 && (data[0] & 1) != 0, wal_is_whole = true;

    copy(&image, in_use ? &live : &closed);
    copy(&wal, &live_wal);
    for (size_t k = 0; k < EDITS_MAX && 1 + (k + 1) * EDIT <= size; k++) {
        const uint8_t *edit = data + 1 + k * EDIT;
        bool of_wal = in_use && edit[0] >= 128;
        change(of_wal ? &wal : &image, edit);
        wal_is_whole = wal_is_whole && !of_wal;
    }
    clear();
    write_image(&image, path);
    if (in_use)
        write_image(&wal, wal_path);
    int code = store_open(&store, path, study, key, &error);
    if (code == 0)
        code = store_load(store, &records, &count, &error);
    if (code == 0)
        check_records(records, count, wal_is_whole);
    else
        file_refused(code, &error, path);
    store_close(store);
    return 0;
}
