# A disk that is full in the middle of a study, again and again: the node says so
# in one line and ends with 1, before it says anything that is not on disk; with
# room again it goes on, and the result is the one of a quiet run.
# Anybody can limit the size of files; a small file system needs root.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
"$starling" sim cluster "$work/study.yaml" --out "$work/quiet" --quiet

line='^starling: .*node.store: the disk or its quota is full; make room, then '
line="${line}start again: nothing is lost\$"
full() { # RUN: how ann ended
    status=0
    wait $pid || status=$?
    [ $status != 0 ] || return 1
    log=$work/$1/ann/log.txt
    [ $status = 1 ] && [ "$(grep -c '^starling: ' "$log")" = 1 ] &&
        tail -n 1 "$log" | grep -q "$line" ||
        fail "$1: status $status, said: $(cat "$log")"
}
others() { # RUN
    study "$work/$1.yaml"
    rm -f "$work/stage.out"
    stage "$work/$1.yaml" "$work/$1"
    others=
    for site in ben cyd dan eve; do
        node "$work/$1" $site
        others="$others $pid"
    done
}
through() { # RUN: everybody ended well, with the quiet run's result
    for child in $others; do wait $child || fail "$1: exit status of $child"; done
    for site in ann ben eve; do
        "$json" same "$work/$1/$site/result.json" "$work/quiet/result.json" \
            state_hash || fail "$1: another state at $site"
        ! grep -E '"(equivocated|diverged|refused)"' "$work/$1/$site/events.jsonl" ||
            fail "$1: $site saw somebody contradict itself"
    done
}
told() { # RUN COMMAND: starts ann in a shell that was told that first
    printf '#!/bin/sh\n%s\nexec "%s" "$@"\n' "$2" "$starling" >"$work/ann.sh"
    chmod +x "$work/ann.sh"
    real=$starling starling=$work/ann.sh
    node "$work/$1" ann
    starling=$real
}
again() { # RUN COMMAND...: starts ann until the disk was large enough
    run=$1 stops=0 working=0
    shift
    for _ in $(seq 40); do
        "$@"
        full $run || break
        stops=$((stops + 1))
        ! grep -qE '"(shares|y|unmask|opened)"' "$work/$run/ann/events.jsonl" ||
            working=$((working + 1))
    done
    echo "$run: full $stops times, $working of them in the middle of a round"
    [ $status = 0 ] || fail "$run: never came to an end"
    [ $working -gt 1 ] || fail "$run: the disk was never full in a round"
    through $run
}

# Full for one write only: whoever overlooks that goes on. The first starts fail
# soon, the later ones further on in the study.
at=1
once() {
    at=$((at + 6))
    told once "export LD_PRELOAD=$build/libe2e_full.so FULL_AT=$at"
}
others once
again once once

# Files of 128 KB at most (dash counts blocks of 512 bytes).
limited() { told limit "trap '' XFSZ; ulimit -f 256"; }
others limit
again limit limited

# A file system that is too small, and made larger each time.
small=$work/room size=128
mkdir "$small"
mount -t tmpfs -o size=${size}k tmpfs "$small" 2>"$work/mount.err" || {
    echo "skipped: a full file system, no mount here: $(cat "$work/mount.err")"
    exit 77
}
mounts=$small
others small
dd if=/dev/zero of="$small/filler" bs=4k 2>"$work/dd.txt" || true
node "$work/small" ann --store "$small/node.store"
full small || fail "began on a full disk"
rm "$small/filler"
squeezed() {
    mount -o remount,size=${size}k "$small"
    size=$((size + 64))
    node "$work/small" ann --store "$small/node.store"
}
again small squeezed
