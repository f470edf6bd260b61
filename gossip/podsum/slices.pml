/* One slice after UNMASK. Its holders, which RECVs the certificate rests on
 * and who is gone are chosen; of the honest members at most f = g - t are
 * outside the evidence or gone. True is 1; 2 is what the liars would have.
 * COPIES, ATTEST (holders that must attest one hash) and NO_HASH (the masked
 * slices are not bound by U's certificate: one liar's Y differs from holder to
 * holder) may be set. */

#ifndef COPIES
#define COPIES (G - T + C + 1)
#endif
#ifndef ATTEST
#define ATTEST (C + 1)
#endif
#define HOLDERS (COPIES < G -> COPIES : G)
#define holds(w)     FIELD(w, 0, 1)
#define full(w)      FIELD(w, 1, 1) /* its RECV is evidence: all slices here */
#define gone(w)      FIELD(w, 2, 1)
#define attested(w)  FIELD(w, 3, 3)
#define accepted(w)  FIELD(w, 5, 3)
#define is_holder(w, x, y)   holds(w)
#define is_away(w, x, y)     (!full(w) || gone(w))
#define is_source(w, x, y)   (holds(w) && full(w) && !gone(w))
#define is_attested(w, x, y) (attested(w) == (x))
#define is_accepted(w, x, y) (accepted(w) == (x))

byte lying; /* holders among the liars */
#define KNOWN(v)     (COUNT(is_attested, v, 0) + lying >= ATTEST)
#define OPEN(w)      (!gone(w) && accepted(w) == 0)
#ifdef NO_HASH
#define FALSE_SLICES (lying > 0)
#else
#define FALSE_SLICES false
#endif

inline absorb(v) {
    assert((v) == 1);                                   /* S6 */
    w = w | ((v) << 5); put()
#ifdef WITNESS
    assert(COUNT(is_accepted, 1, 0) < H)                /* reached */
#endif
}
inline check(v) { w = w | ((v) << 3); absorb(v) }

active proctype world() {
    atomic {
        do
        :: i < H ->
            if
            :: w = 0
            :: w = 1
            :: w = 2
            :: w = 3
            :: w = 6
            :: w = 7
            fi;
            if
            :: i > 0 && m[i - 1] > w -> w = m[i - 1]
            :: else
            fi;
            m[i] = w; i++
        :: else -> break
        od;
        do
        :: lying < C -> lying++
        :: break
        od;
        drop();
        COUNT(is_holder, 0, 0) + lying == HOLDERS &&
            COUNT(is_away, 0, 0) <= G - T;
        assert(COUNT(is_source, 0, 0) > 0)              /* S7 */
    }
    do
    :: atomic {
        somebody();
        if
        :: OPEN(w) && holds(w) && full(w) -> check(1)
        :: OPEN(w) && holds(w) && full(w) && FALSE_SLICES -> check(2)
        :: OPEN(w) && KNOWN(1) -> absorb(1)
        :: OPEN(w) && KNOWN(2) -> absorb(2)
        :: OPEN(w) && COUNT(is_source, 0, 0) > 0 -> absorb(1) /* asked for */
        :: OPEN(w) && FALSE_SLICES -> absorb(2)
        :: else -> drop()
        fi
    }
    od
}
