/* Two values suffice: were three certified, call all but one of them 2.
 * BALLOTS is 2 or 3. A member that restarts signs nothing more in the attempt,
 * which is to stop; what it would need to go on is in its word, and on disk.
 * Rules to take away: ONE_PHASE (t PREPAREs certify, t LOCKs unlock), ONCE
 * (one signature an attempt), FREE (the lock binds nobody), OLD_QUORUM (any
 * earlier quorum unlocks), FORGET_LOCK and FORGET_VOTE (members resume without
 * that record). */

#define ballot(w)        FIELD(w, 0, 3)
#define prepared(w, k)   FIELD(w, 2 + 2 * (k), 3) /* 0, or the value */
#define committed(w, k)  FIELD(w, 8 + 2 * (k), 3)
#define lock_value(w)    FIELD(w, 14, 3)
#define lock_ballot(w)   FIELD(w, 16, 3)          /* and one; 0: no lock */
#define forgot(w)        FIELD(w, 18, 1)
#define NEXT(w)          (((w) + 1) & ~(1 << 18))
#define UNLOCKED(w)      ((w) & ~(15 << 14))
#define PREPARED(w, v)   ((w) | ((v) << (2 + 2 * ballot(w))))
#define LOCKED(w, v)     (UNLOCKED(w) | ((v) << 14) | ((ballot(w) + 1) << 16))
#define COMMITTED(w, v)  (LOCKED(w, v) | ((v) << (8 + 2 * ballot(w))))

#define is_prepared(w, k, v)  (prepared(w, k) == (v))
#define is_committed(w, k, v) (committed(w, k) == (v))
#define has_reached(w, k, v)  (ballot(w) >= (k))
#define has_said(w, v, y) (prepared(w, 0) == (v) || prepared(w, 1) == (v))
/* All have signed, and no value has its t. */
#define SPLIT (COUNT(has_said, 1, 0) + COUNT(has_said, 2, 0) == H && \
    COUNT(has_said, 1, 0) < T && COUNT(has_said, 2, 0) < T)
#define SAID(k, v)    (COUNT(is_prepared, k, v) > 0)
#define QUORUM(k, v)  (COUNT(is_prepared, k, v) + C >= T)
#ifdef ONE_PHASE
#define CERT(k, v)    QUORUM(k, v)
#define TWO_PHASES    false
#else
#define CERT(k, v)    (COUNT(is_committed, k, v) + C >= T)
#define TWO_PHASES    true
#endif
#if BALLOTS > 2
#define ANY(that, v)  (that(0, v) || that(1, v) || that(2, v))
#else
#define ANY(that, v)  (that(0, v) || that(1, v))
#endif

#ifdef OLD_QUORUM
#define AFTER(w, k)   ((k) < ballot(w))
#else
#define AFTER(w, k)   (lock_ballot(w) <= (k) && (k) < ballot(w))
#endif
#define UNLOCKS(w, v) ((AFTER(w, 0) && QUORUM(0, v)) || \
                       (AFTER(w, 1) && QUORUM(1, v)))
#if defined(ONE_PHASE)
#define BINDS(w, v)  (ballot(w) > 0 && COUNT(has_reached, ballot(w), 0) + C < T)
#elif defined(ONCE)
#define BINDS(w, v)  (prepared(w, 0) != 0 || prepared(w, 1) != 0)
#elif defined(FREE)
#define BINDS(w, v)  false
#else
#define BINDS(w, v)  (lock_value(w) != 0 && lock_value(w) != v && \
                      !UNLOCKS(w, v))
#endif
#define GOES_ON(w)      (ballot(w) < BALLOTS)
#define PREPARES(w, v)  (GOES_ON(w) && !BINDS(w, v) && \
    (prepared(w, ballot(w)) == 0 || forgot(w)))
#define COMMITS(w, v)   (TWO_PHASES && GOES_ON(w) && \
    committed(w, ballot(w)) == 0 && QUORUM(ballot(w), v))

byte k, top, value;

inline prepare(v) {
    assert(prepared(w, ballot(w)) == 0 || prepared(w, ballot(w)) == v); /* S5 */
    w = PREPARED(w, v); put(); agreed()
}
inline commit(v) { w = COMMITTED(w, v); put(); agreed() }

/* S1; and whoever shows the highest lock is followed by all: nobody holds
 * another value under as high a lock. */
inline agreed() {
    d_step {
        assert(!(ANY(CERT, 1) && ANY(CERT, 2)));        /* S1 */
#ifdef WITNESS
        assert(!CERT(BALLOTS - 1, 2));                  /* reached */
#endif
        do
        :: k < H && lock_ballot(m[k]) > top ->
            top = lock_ballot(m[k]); value = lock_value(m[k]); k++
        :: k < H && lock_ballot(m[k]) <= top -> k++
        :: k == H -> break
        od;
        k = 0;
        do
        :: k < H ->
            assert(lock_ballot(m[k]) < top ||
                   lock_value(m[k]) == value);          /* S9 */
            k++
        :: else -> break
        od;
        k = 0; top = 0; value = 0;
#ifdef ONCE
        assert(!SPLIT)                                  /* S9 */
#endif
    }
}

active proctype world() {
    do
    :: atomic {
        somebody();
        if
        :: PREPARES(w, 1) -> prepare(1)
        :: PREPARES(w, 2) && ANY(SAID, 1) -> prepare(2) /* 1 comes first */
        :: COMMITS(w, 1) -> commit(1)
        :: COMMITS(w, 2) -> commit(2)
        :: GOES_ON(w) -> w = NEXT(w); put()
#ifdef FORGET_LOCK
        :: lock_ballot(w) > 0 -> w = UNLOCKED(w); put()
#endif
#ifdef FORGET_VOTE
        :: !forgot(w) -> w = w | (1 << 18); put()
#endif
        :: else -> drop()
        fi
    }
    od
}
