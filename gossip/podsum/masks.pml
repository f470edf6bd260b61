/* Two candidates A and B, each a V and a U within it, of any shape. AGREE is
 * what the first world shows: a value that t members PREPARE can be certified,
 * one at most. A member's shape is which of the four sets it is in.
 * Rules to take away: NO_CERT_V (Y under the member's own view of V), NO_HV
 * (Y and RECV do not say under which V), NO_CERT_U (shares on evidence alone),
 * SMALL_U (a U of t - 1). EXPOSED asks less: that no vector stands bare. */

/* x: 0 for A, 1 for B */
#define in_v(w, x)      FIELD(w, 20 + 2 * (x), 1)
#define in_u(w, x)      FIELD(w, 21 + 2 * (x), 1)
#define view(w)         FIELD(w, 0, 3)      /* Y sent under this V: 1 + x */
#define prepared(w, x)  FIELD(w, 2 + (x), 1)
#define released(w, x)  FIELD(w, 4 + (x), 1)

byte same;    /* A and B share one V */
byte cert;    /* 0, or 1 + the certified U */
byte k;

#define UNDER(w, x)     (view(w) == 1 + (x) || (same && view(w) == 1))
#ifdef NO_HV
#define OWN(w, x)       (view(w) > 0)
#else
#define OWN(w, x)       UNDER(w, x)
#endif
#define is_in_v(w, x, y)     in_v(w, x)
#define is_in_u(w, x, y)     in_u(w, x)
#define is_own(w, x, y)      OWN(w, x)
#define is_missing(w, x, y)  (in_u(w, x) && !OWN(w, x))
#define is_for(w, x, y)      prepared(w, x)
#define is_released(w, x, y) released(w, x)
#define GIVEN(x)     COUNT(is_released, x, 0)
#define OPEN(x)      (GIVEN(x) > 0 && GIVEN(x) + C >= T)
#define SELF(w)      (in_u(w, 0) * GIVEN(0) + in_u(w, 1) * GIVEN(1) + C)
#define lost(w, x)   (in_v(w, x) && !in_u(w, x))
#define PAIRS(w)     (lost(w, 0) * GIVEN(0) + lost(w, 1) * GIVEN(1) + C)
/* j's Y under another V: are all its honest peers' masks rebuilt? */
#define is_cover(w, x, y)  (in_v(w, y) && !lost(w, x))
#define is_mixed(w, x, y)  (in_u(w, x) && view(w) > 0 && !UNDER(w, x))
#define BARE(x)  (COUNT(is_mixed, x, 0) > 0 && COUNT(is_cover, x, 1 - (x)) <= 1)

inline safe() {
    d_step {
        k = 0;
        do
        :: k < H ->
            assert(SELF(m[k]) < T || PAIRS(m[k]) < T);  /* S3 */
            k++
        :: else -> break
        od;
        k = 0;
        do
        :: k < 2 ->
            assert(!OPEN(k) || COUNT(is_in_u, k, 0) >= T - C); /* S4 */
#ifdef EXPOSED
            assert(!OPEN(k) || !BARE(k));               /* S4 */
#else
            assert(!OPEN(k) || COUNT(is_mixed, k, 0) == 0); /* S4 */
#endif
#ifdef WITNESS
            assert(!OPEN(1));                           /* reached */
#endif
            k++
        :: else -> break
        od;
        k = 0
    }
}

inline shape() { /* any of nine, in order */
    do
    :: i < H ->
        if
        :: w = 0
        :: w = 1 << 20
        :: w = 3 << 20
        fi;
        if
        :: !same || !in_v(w, 0) -> skip
        :: !same || in_v(w, 0) -> w = w | (1 << 22)
        :: !same || in_v(w, 0) -> w = w | (3 << 22)
        fi;
        if
        :: i > 0 && m[i - 1] > w -> w = m[i - 1]
        :: else
        fi;
        m[i] = w; i++
    :: else -> break
    od;
    drop()
}
#ifdef SMALL_U
#define LEAST_U (T - 1)
#else
#define LEAST_U T
#endif
#define FITS(x) (COUNT(is_in_u, x, 0) + C >= LEAST_U && \
                 COUNT(is_in_v, x, 0) + C >= T)
/* t RECVs bear U out. One sent late bears out most: it counts as sent last. */
#define BORNE(x)       (COUNT(is_own, x, 0) + C >= T && \
                        COUNT(is_missing, x, 0) == 0)
#define PREPARES(w, x) (OWN(w, x) && !prepared(w, x) && BORNE(x))
#ifdef NO_CERT_U
#define CERTAIN(w, x)  prepared(w, x)
#else
#define CERTAIN(w, x)  (cert == 1 + (x))
#endif
#define RELEASES(w, x) (!released(w, 0) && !released(w, 1) && CERTAIN(w, x))

active proctype world() {
    atomic {
#ifndef NO_CERT_V
        same = 1;
#endif
        shape();
        FITS(0) && FITS(1)
    }
    do
    :: atomic {
        somebody();
        if
        :: view(w) == 0 && in_v(w, 0) -> w = w | 1; put() /* Y */
        :: view(w) == 0 && in_v(w, 1) && !same -> w = w | 2; put()
        :: PREPARES(w, 0) -> w = w | 4; put()
        :: PREPARES(w, 1) -> w = w | 8; put()
        :: RELEASES(w, 0) -> w = w | 16; put(); safe() /* UNMASK */
        :: RELEASES(w, 1) -> w = w | 32; put(); safe()
        :: else -> drop()
        fi
    }
    :: atomic { cert == 0 && COUNT(is_for, 0, 0) + C >= T -> cert = 1 }
    :: atomic { cert == 0 && COUNT(is_for, 1, 0) + C >= T -> cert = 2 }
    od
}
