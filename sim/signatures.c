#include "sim/signatures.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/identity.h"

enum { NAME_BYTES = 16, FIRST_SLOTS = 4096 };

struct name {
    uint8_t bytes[NAME_BYTES]; /* all zero: a free slot */
};

struct signatures {
    struct name *slots; /* [slot_count], a power of two */
    size_t slot_count, used;
};

struct signatures *signatures_new(void)
{
    struct signatures *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->slot_count = FIRST_SLOTS;
    s->slots = calloc(s->slot_count, sizeof *s->slots);
    if (s->slots != NULL)
        return s;
    free(s);
    return NULL;
}

void signatures_free(struct signatures *s)
{
    if (s == NULL)
        return;
    free(s->slots);
    free(s);
}

static struct name *slot_of(struct name *slots, size_t count,
                            const struct name *name)
{
    static const struct name none;
    size_t at;

    memcpy(&at, name->bytes, sizeof at);
    for (at &= count - 1;; at = (at + 1) & (count - 1))
        if (memcmp(&slots[at], name, sizeof *name) == 0 ||
            memcmp(&slots[at], &none, sizeof none) == 0)
            return &slots[at];
}

static void grow(struct signatures *s)
{
    static const struct name none;
    size_t count = 2 * s->slot_count;
    struct name *slots = calloc(count, sizeof *slots);

    if (slots == NULL)
        return; /* then it forgets new ones: slower, never wrong */
    for (size_t i = 0; i < s->slot_count; i++)
        if (memcmp(&s->slots[i], &none, sizeof none) != 0)
            *slot_of(slots, count, &s->slots[i]) = s->slots[i];
    free(s->slots);
    s->slots = slots;
    s->slot_count = count;
}

static struct name name_of(const uint8_t *signature, const char *domain,
                           const uint8_t *message, size_t size,
                           const uint8_t *key)
{
    crypto_generichash_state h;
    struct name name;

    crypto_generichash_init(&h, NULL, 0, sizeof name);
    crypto_generichash_update(&h, signature, IDENTITY_SIGNATURE_BYTES);
    crypto_generichash_update(&h, key, IDENTITY_KEY_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)domain, strlen(domain) + 1);
    crypto_generichash_update(&h, message, size);
    crypto_generichash_final(&h, name.bytes, sizeof name);
    return name;
}

static bool knows(const struct signatures *s, const struct name *name)
{
    return memcmp(slot_of(s->slots, s->slot_count, name), name, sizeof *name) ==
           0;
}

static void learn(struct signatures *s, const struct name *name)
{
    if (s->used + 1 > s->slot_count / 2)
        grow(s);
    if (s->used + 1 <= s->slot_count / 2) {
        *slot_of(s->slots, s->slot_count, name) = *name;
        s->used++;
    }
}

void signatures_know(struct signatures *s, const uint8_t *signature,
                     const char *domain, const uint8_t *message, size_t size,
                     const uint8_t *key)
{
    struct name name = name_of(signature, domain, message, size, key);

    if (!knows(s, &name))
        learn(s, &name);
}

int signatures_verify(void *context, const uint8_t *signature,
                      const char *domain, const uint8_t *message, size_t size,
                      const uint8_t *key)
{
    struct signatures *s = context;
    struct name name = name_of(signature, domain, message, size, key);

    if (knows(s, &name))
        return 0;
    if (identity_verify(signature, domain, message, size, key) != 0)
        return -1;
    learn(s, &name);
    return 0;
}
