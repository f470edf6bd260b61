#!/bin/sh
# Checks gossip/podsum.pml: what must hold holds, and each rule taken away is
# refuted at the property that gossip/MODEL.md names.
#   tests/spin.sh           the small worlds: half a minute on two cores
#   tests/spin.sh large     the larger ones: minutes, and up to 4 GB each
#   tests/spin.sh one EXPECT OPTIONS...    a single run
top=$(cd "$(dirname "$0")/.." && pwd) self=$top/tests/$(basename "$0")
model=$top/gossip/podsum.pml
cut_short='not completed|depth too small|out of memory|MEMLIM'

small() { cat <<'ROWS'
holds   -DAGREE -DG=4 -DT=3 -DBALLOTS=3
holds   -DAGREE -DG=5 -DT=4 -DBALLOTS=2
reached -DAGREE -DG=4 -DT=3 -DBALLOTS=3 -DWITNESS
S9      -DAGREE -DG=5 -DT=3 -DBALLOTS=2
S1      -DAGREE -DG=4 -DT=3 -DBALLOTS=2 -DONE_PHASE
S9      -DAGREE -DG=4 -DT=3 -DBALLOTS=2 -DONCE
S1      -DAGREE -DG=4 -DT=3 -DBALLOTS=2 -DFREE
S1      -DAGREE -DG=4 -DT=3 -DBALLOTS=3 -DOLD_QUORUM
S1      -DAGREE -DG=4 -DT=3 -DBALLOTS=2 -DFORGET_LOCK
S5      -DAGREE -DG=4 -DT=3 -DBALLOTS=2 -DFORGET_VOTE
holds   -DMASKS -DG=5 -DT=4
holds   -DMASKS -DG=5 -DT=3
holds   -DMASKS -DG=5 -DT=4 -DNO_CERT_V
holds   -DMASKS -DG=5 -DT=4 -DNO_HV
reached -DMASKS -DG=5 -DT=4 -DWITNESS
S4      -DMASKS -DG=5 -DT=4 -DNO_HV -DNO_CERT_V
S4      -DMASKS -DG=4 -DT=3 -DNO_HV -DNO_CERT_V -DEXPOSED
S3      -DMASKS -DG=5 -DT=3 -DNO_CERT_U
S4      -DMASKS -DG=5 -DT=4 -DSMALL_U
holds   -DCLOSE -DG=4 -DT=3 -DATTEMPTS=2
holds   -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DNO_CALM
reached -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DWITNESS
S9      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DNO_STALL
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DQ=G-T+C
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DNO_QUORUM
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DFREE
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DKEEP
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DFORGET_RELEASE
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DSEND_FIRST
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DANY_CLOSE
S2      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DBOUND_CLOSES
S8      -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2 -DKEYS_TO_MOVE=1
holds   -DSLICES -DG=5 -DT=4
holds   -DSLICES -DG=8 -DC=2 -DT=6
reached -DSLICES -DG=5 -DT=4 -DWITNESS
S7      -DSLICES -DG=5 -DT=4 -DCOPIES=G-T+1
S6      -DSLICES -DG=5 -DT=4 -DATTEST=C
S6      -DSLICES -DG=5 -DT=4 -DNO_HASH
ROWS
}
large() { cat <<'ROWS'
holds   -DAGREE -DG=5 -DT=4 -DBALLOTS=3
holds   -DAGREE -DG=5 -DT=3 -DC=0 -DBALLOTS=2
holds   -DAGREE -DG=7 -DC=2 -DT=5 -DBALLOTS=2
holds   -DMASKS -DG=7 -DC=2 -DT=5
holds   -DMASKS -DG=7 -DC=2 -DT=5 -DNO_CERT_V
S4      -DMASKS -DG=6 -DT=4 -DNO_HV -DNO_CERT_V -DEXPOSED
holds   -DCLOSE -DG=5 -DT=4 -DATTEMPTS=2
holds   -DCLOSE -DG=4 -DT=3 -DATTEMPTS=3 -DNO_CALM
holds   -DCLOSE -DG=4 -DT=3 -DC=0 -DATTEMPTS=2 -DGONE=1
holds   -DCLOSE -DG=7 -DC=2 -DT=5 -DATTEMPTS=2 -DNO_CALM
S2      -DCLOSE -DG=5 -DC=2 -DT=3 -DATTEMPTS=3 -DNO_CALM
holds   -DSLICES -DG=10 -DC=3 -DT=7
ROWS
}

# One run: $1 is "holds" or the tag of the assertion that must fail.
one() {
    expect=$1
    shift
    dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT && cd "$dir" || exit 1
    effort=-O0 # what is refuted is refuted soon
    [ "$expect" != holds ] || effort=-O1
    spin "$@" -a "$model" >log 2>&1 &&
        gcc $effort -w -DSAFETY -DMEMLIM="${MEGABYTES:-700}" -o pan pan.c \
            >>log 2>&1 &&
        ./pan -E -m100000 -w20 >result 2>&1
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' result)
    seconds=$(sed -n 's/.*elapsed time \([0-9.]*\) sec.*/\1/p' result)
    memory=$(sed -n 's/^ *\([0-9]*\)[0-9.]*.*total actual.*/\1/p' result)
    found=incomplete
    if [ -f podsum.pml.trail ]; then
        where=$(spin "$@" -k podsum.pml.trail -t "$model" 2>&1 |
            grep -m 1 'Error: assertion' |
            sed 's/.*spin: \(.*\.pml\):\([0-9]*\),.*/\2 \1/')
        found=$(sed -n "${where%% *}s,.*/\* \([A-Za-z0-9]*\) \*/.*,\1,p" \
            "${where#* }" 2>/dev/null)
    elif grep -q 'errors: 0' result && ! grep -qE "$cut_short" result; then
        found=holds
    fi
    printf '%-7s %10s states %6s s %5s MB  %s\n' "$found" "$states" \
        "$seconds" "$memory" "$*"
    [ "$found" = "$expect" ] && return
    printf 'spin: expected %s: %s\n' "$expect" "$*"
    cat log result
    return 1
}

if [ "$1" = one ]; then
    shift
    one "$@"
    exit
fi
command -v spin >/dev/null && command -v gcc >/dev/null || {
    echo 'SKIPPED: no spin or no gcc here (apt-get install spin gcc)'
    exit 77
}
jobs=$(nproc) rows=small
[ "$1" != large ] || {
    jobs=1 rows=large
    export MEGABYTES=6000
}
$rows | xargs -P "$jobs" -L 1 "$self" one || {
    echo 'spin: not as expected (see above)'
    exit 1
}
