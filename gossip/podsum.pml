/* The control flow of PROTOCOL.md as four small worlds for Spin; MODEL.md says
 * what was checked and with which numbers.
 *
 *   spin -DAGREE -DG=5 -DC=1 -DT=4 -a podsum.pml
 *   gcc -O2 -DSAFETY -o pan pan.c && ./pan -E
 *
 * AGREE   ballots, PREPARE, lock, COMMIT: one value a ctx and kind
 * MASKS   one attempt from V to UNMASK: what the shares given out lay open
 * CLOSE   the attempts of one round: one set ever, and where a round can stick
 * SLICES  copies, certified hashes, CHECK: no false sum, none lost
 *
 * In each world a member is one word of m[], and m[] is kept sorted: members
 * that did the same are the same, so a state stands for all its permutations.
 * What a member has signed is a bit of its word that nothing clears. Others
 * may act on it at once, late or never: that is loss, delay and reordering.
 * m[] holds the H = G - C members that keep the rules. The C others never
 * move: whatever they could sign or hand out counts as there from the start.
 * Dying is to do nothing more, so every prefix of every life is covered. */
#ifndef C
#define C 1
#endif
#define H (G - C)

int m[H];
byte i; /* the member that moves */
int w;  /* its word */

/* COUNT(is, x, y): how many members' words satisfy is(word, x, y) */
#define COUNT(is, x, y) (is(m[0],x,y) + is(m[1],x,y) + is(m[2],x,y) \
    MORE3(is,x,y) MORE4(is,x,y) MORE5(is,x,y) MORE6(is,x,y) MORE7(is,x,y))
#if H > 3
#define MORE3(is, x, y) + is(m[3],x,y)
#else
#define MORE3(is, x, y)
#endif
#if H > 4
#define MORE4(is, x, y) + is(m[4],x,y)
#else
#define MORE4(is, x, y)
#endif
#if H > 5
#define MORE5(is, x, y) + is(m[5],x,y)
#else
#define MORE5(is, x, y)
#endif
#if H > 6
#define MORE6(is, x, y) + is(m[6],x,y)
#else
#define MORE6(is, x, y)
#endif
#if H > 7
#define MORE7(is, x, y) + is(m[7],x,y)
#else
#define MORE7(is, x, y)
#endif

inline somebody() { /* any member; among equal words only the last */
    i = 0;
    do
    :: i < H - 1 -> i++
    :: i == H - 1 || m[i] != m[i + 1] -> break
    od;
    w = m[i]
}

inline put() { /* the word goes back, in order */
    d_step {
        do
        :: i > 0 && m[i - 1] > w -> m[i] = m[i - 1]; i--
        :: i < H - 1 && m[i + 1] < w -> m[i] = m[i + 1]; i++
        :: else -> break
        od;
        m[i] = w; i = 0; w = 0
    }
}

inline drop() { i = 0; w = 0 } /* nothing to do for it */

#define FIELD(w, at, mask) (((w) >> (at)) & (mask))

#ifdef AGREE
#include "podsum/agree.pml"
#endif
#ifdef MASKS
#include "podsum/masks.pml"
#endif
#ifdef CLOSE
#include "podsum/close.pml"
#endif
#ifdef SLICES
#include "podsum/slices.pml"
#endif
