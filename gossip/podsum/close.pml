/* on_loss: continue, the attempts of one round. Sets 1 and 2 are any two; that
 * they are one is what S2 says, so more than two need not be looked at. In the
 * storm anything happens in any order. It ends at a moment of its choice; then
 * the liars are silent but for KEYS, GONE members are gone for good, the others
 * hear each other, a deadline passes only where nothing else can happen, and
 * whether all of set 1 or of set 2 is there is chosen; set 3 is those that are
 * here. That calm must end opened or in the stall: too few that are not bound
 * to close, and no set kept that is all there. NO_STALL asks for no stall;
 * NO_CALM leaves the calm out, for larger worlds.
 * Rules to take away: Q (the quorum that closes and frees), NO_QUORUM, FREE
 * (nobody is bound), KEEP (an attempt left is not refused), FORGET_RELEASE (it
 * is not on disk), SEND_FIRST (the share leaves before the disk knows),
 * ANY_CLOSE (a CLOSE counts for every attempt), BOUND_CLOSES (who is bound
 * signs CLOSE), KEYS_TO_MOVE (1: anybody's). */

#ifndef Q
#define Q (G - T + C + 1)
#endif
#ifndef KEYS_TO_MOVE
#define KEYS_TO_MOVE (C + 1)
#endif
#ifndef GONE
#define GONE 0
#endif
#define LAST (ATTEMPTS + 1) /* at most 4; the calm may use two more */

#define lost(w)         FIELD(w, 0, 1)   /* restarted: no shares of attempt */
#define gone(w)         FIELD(w, 1, 1)
#define choice(w, a)    FIELD(w, 2 + 2 * (a), 3) /* signed for, in attempt a */
#define released(w, a)  FIELD(w, 12 + (a), 1)
#define marked(w)       FIELD(w, 17, 7)  /* on disk: released in, and one */
#define closed(w)       FIELD(w, 20, 7)  /* on disk: every attempt below */
#define attempt(w)      FIELD(w, 24, 7)
#define SIGNED(w, v)    ((w) | ((v) << (2 + 2 * attempt(w))))
#define RELEASED(w, a)  ((w) | (1 << (12 + (a))))
#define MARKED(w)       (((w) & ~(7 << 17)) | ((attempt(w) + 1) << 17))
#define CLOSED(w, n)    (((w) & ~(7 << 20)) | ((n) << 20))
#define AT(w, n)        (((w) & ~(7 << 24) & ~1) | ((n) << 24))

byte cert[LAST + 1]; /* the set certified in each attempt, or 0 */
byte kept;           /* bit v: set v has been certified, in any attempt */
byte dead;           /* an attempt below which CLOSEs have been acted upon */
byte calm, n;
byte liars = C;      /* that speak */
byte there;          /* bit v: all of set v is there in the calm */
byte open, opened;   /* bit v: t shares for set v, with liars and without */

#define is_closed(w, a, y)   (closed(w) >= (a))
#define is_for(w, a, v)      (choice(w, a) == (v))
#define is_released(w, a, y) released(w, a)
#define is_at(w, a, y)       (attempt(w) >= (a))
#define has_signed(w, x, y)  (FIELD(w, 2, 1023) > 0)
#define is_marked(w, a, y)   (marked(w) == (a) + 1)
#define GIVEN(a)     COUNT(is_released, a, 0)

#ifdef ANY_CLOSE
#define CLOSERS(a)   (COUNT(is_closed, 1, 0) + liars)
#else
#define CLOSERS(a)   (COUNT(is_closed, a, 0) + liars)
#endif
#ifdef NO_QUORUM
#define DEAD(a)      true
#else
#define DEAD(a)      (CLOSERS(a) >= Q || dead >= (a))
#endif
#define BOUND_TO(w)  (marked(w) > 0 -> cert[marked(w) - 1] : 0)
#ifdef FREE
#define CLEAN(w)     true
#else
#define CLEAN(w)     (marked(w) == 0 || DEAD(marked(w)))
#endif
#ifdef BOUND_CLOSES
#define CLOSES(w)    true
#else
#define CLOSES(w)    CLEAN(w)
#endif
#define MAY(w, a, v) (!gone(w) && !lost(w) && \
    (CLEAN(w) || BOUND_TO(w) == (v)) && \
    ((a) == 0 || FIELD(kept, v, 1) || (closed(w) >= (a) && DEAD(a))))
#define SIGNS(w, v)  (choice(w, attempt(w)) == 0 && MAY(w, attempt(w), v))
#define RELEASES(w)  (cert[attempt(w)] > 0 && !released(w, attempt(w)) && \
    marked(w) != attempt(w) + 1 && MAY(w, attempt(w), cert[attempt(w)]))
#define FOLLOWS(w, n) (!gone(w) && choice(w, attempt(w)) == 0 && \
    COUNT(is_at, n, 0) + C >= KEYS_TO_MOVE)
/* It left attempt a, still has its shares and does not refuse. */
#define LATE(w, a)   (!lost(w) && attempt(w) == (a) + 1 && cert[a] > 0 && \
    !released(w, a) && closed(w) == attempt(w))

/* S2: one set. The mask is a power of two as long as there is one. */
inline single() {
    d_step {
        do
        :: n <= LAST ->
            if
            :: GIVEN(n) > 0 && GIVEN(n) + C >= T -> open = open | (1 << cert[n])
            :: else
            fi;
            if
            :: GIVEN(n) >= T -> opened = 1
            :: else
            fi;
            n++
        :: else -> break
        od;
        n = 0;
        assert((open & (open - 1)) == 0);               /* S2 */
#ifdef WITNESS
        assert(!(cert[0] == 1 && open == 4));           /* reached */
#endif
    }
}
inline acts(a) { /* on what q members have closed */
    if
    :: a > dead && CLOSERS(a) >= Q -> dead = a
    :: else
    fi
}
inline sign(v) { /* the set is certified with whom t have signed */
    if
    :: attempt(w) > 0 && !FIELD(kept, v, 1) -> acts(attempt(w))
    :: else
    fi;
    if
    :: BOUND_TO(w) != 0 && BOUND_TO(w) != v -> acts(marked(w))
    :: else
    fi;
    if
    :: cert[attempt(w)] == 0 &&
       COUNT(is_for, attempt(w), v) + 1 + liars >= T ->
        cert[attempt(w)] = v; kept = kept | (1 << v)
    :: else
    fi;
    w = SIGNED(w, v); put()
}
inline close() {
    if
    :: BOUND_TO(w) != 0 -> acts(marked(w))
    :: else
    fi;
    w = CLOSED(w, attempt(w)); put()
}
inline release() { w = MARKED(w); w = RELEASED(w, attempt(w)); put(); single() }
inline leave() {
    w = AT(w, n); n = 0;
    if
    :: CLOSES(w) -> close()
    :: else -> put()
    fi
}
inline restart() {
    w = w | 1;
#ifdef FORGET_RELEASE
    w = w & ~(7 << 17);
#endif
    put()
}

inline storm() {
    somebody();
    if
    :: SIGNS(w, 1) -> sign(1)
    :: SIGNS(w, 2) && COUNT(has_signed, 0, 0) > 0 -> sign(2)
    :: RELEASES(w) -> release()
    :: RELEASES(w) -> w = MARKED(w) | 1; put() /* died before it was sent */
#ifdef SEND_FIRST
    :: RELEASES(w) -> w = RELEASED(w, attempt(w)) | 1; put(); single()
#endif
#ifdef KEEP
    :: attempt(w) > 0 && LATE(w, attempt(w) - 1) ->
        w = RELEASED(w, attempt(w) - 1); put(); single()
#endif
    :: attempt(w) < ATTEMPTS - 1 -> /* its deadline, to the next or a later */
        n = attempt(w) + 1;
        do
        :: n < ATTEMPTS - 1 -> n++
        :: break
        od;
        leave()
    :: closed(w) < attempt(w) && CLOSES(w) -> close()
    :: !lost(w) -> restart()
    :: else -> drop()
    fi
}

/* What a proposer in the calm takes: a kept set for which t can sign, or 3. */
#define is_free(w)        (marked(w) <= dead)
#define can_keep(w, v, y) (!gone(w) && (is_free(w) || BOUND_TO(w) == (v)))
#define is_able(w, x, y)  (!gone(w) && is_free(w))
#define is_here(w, x, y)  (!gone(w))
#define FEASIBLE(v) (FIELD(there & kept, v, 1) && COUNT(can_keep, v, 0) >= T)
#define WANTED      (FEASIBLE(1) -> 1 : (FEASIBLE(2) -> 2 : 3))
#define LAGS(w)     (closed(w) < attempt(w) && CLEAN(w) && !gone(w))
#define STALL       (WANTED == 3 && \
    (COUNT(is_able, 0, 0) < Q || COUNT(is_here, 0, 0) < T))

inline lull() { /* whoever can act, then a deadline of who is most behind */
    do
    :: n < LAST -> n++; acts(n)
    :: else -> break
    od;
    n = WANTED;
    do
    :: i < H && !SIGNS(m[i], n) && !RELEASES(m[i]) && !LAGS(m[i]) -> i++
    :: else -> break
    od;
    if
    :: i < H -> w = m[i];
        if
        :: LAGS(w) -> n = 0; close()
        :: !LAGS(w) && RELEASES(w) -> n = 0; release()
        :: else -> sign(n); n = 0
        fi
    :: else -> i = 0;
        do
        :: i < H && gone(m[i]) -> i++
        :: else -> break
        od;
        if
        :: !opened && attempt(m[i]) < LAST ->
            w = m[i]; n = attempt(w) + 1; leave()
        :: else ->
            i = 0; n = 0;
#ifdef NO_STALL
            assert(opened);                               /* S9 */
#else
            assert(opened || STALL);                      /* S9 */
#endif
            break
        fi
    fi
}
/* A certificate that nobody released for or could put together is not known. */
inline becalm() {
    do
    :: n <= LAST ->
        if
        :: GIVEN(n) == 0 && COUNT(is_marked, n, 0) == 0 &&
           COUNT(is_for, n, cert[n]) < T -> cert[n] = 0
        :: else
        fi;
        n++
    :: else -> break
    od;
    kept = (1 << cert[0]) | (1 << cert[1]) | (1 << cert[2]);
    n = 0; liars = 0; calm = 1
}

active proctype world() {
    do
    :: atomic { !calm -> storm() }
#ifndef NO_CALM
    :: atomic { !calm ->
        do
        :: n < GONE -> somebody(); w = w | 2; n++; put()
        :: else -> break
        od;
        if
        :: there = 0
        :: there = 2
        :: there = 4
        :: there = 6
        fi;
        n = 0; becalm() }
    :: atomic { calm -> lull() }
    :: atomic { calm -> /* a liar's KEYS, before the deadline */
        somebody(); n = attempt(w) + 1;
        if
        :: n <= LAST && FOLLOWS(w, n) ->
            assert(COUNT(is_at, n, 0) > 0);             /* S8 */
            leave()
        :: else -> n = 0; drop()
        fi }
#endif
    od
}
