#!/bin/sh
# One long run, killed at any point again and again, ends with the same files as
# one that was left alone; what a crash damaged or an older experiment left is
# told and not used.
. "$(dirname "$0")/lib.sh"
cat >"$work/run.yaml" <<'END'
version: 1
nodes: 60
graph: {name: regular, degree: 4, seed: 3}
weights: {rule: metropolis}
problem: {kind: quadratic, file: q.csv, noise: 0.1}
network: {loss: 0.05}
every: 7
steps: 20000
algorithms:
  - {name: choco-sgd, step: 0.05, gamma: 0.2, unsafe: yes, compressor: {kind: rand-k, k: 3}}
END
awk 'BEGIN { print "node,k,c,a0,a1,a2,a3,a4"
    for (i = 0; i < 60; i++) for (k = 0; k < 5; k++) {
        printf "%d,%d,%g", i, k, (7 * i + 3 * k) % 16 / 8 - 1
        for (l = 0; l < 5; l++) printf ",%g", l == k ? 1 + (i + 2 * k) % 5 / 4 : 0
        print "" } }' >"$work/q.csv"

converge() { # OUT, ARGS: becomes the program, so that its id is the shell's
    out=$work/$1
    shift
    exec "$starling" sim converge "$work/run.yaml" --out "$out" --threads 1 \
        "$@" >"$work/lines" 2>"$work/told" </dev/null
}
finish() { # OUT, ARGS: ends as if it had never been stopped
    (converge "$@") || fail "$1: $(cat "$work/told")"
    for file in trajectories.csv spectrum.json manifest.json report.html; do
        cmp "$work/alone/$file" "$work/$1/$file"
    done
    [ ! -e "$work/$1/.runs" ] || fail "$1: the kept runs are still there"
}
mark() { # changes with every checkpoint
    stat -c '%i %.9Z' "$work/$1/.runs/0.at" 2>/dev/null || echo none
}
alive() { kill -0 "$children" 2>/dev/null; }
kill_after() { # OUT, HOW MANY new checkpoints; false if it ended before
    (converge "$1" --checkpoint-every 40) &
    children=$!
    for _ in $(seq "$2"); do
        last=$(mark "$1")
        while [ "$(mark "$1")" = "$last" ] && alive; do :; done
    done
    kill -9 "$children" 2>/dev/null || :
    ended=0 # what has ended can be killed as well until it is waited for
    wait "$children" || ended=$?
    children=
    [ $ended = 137 ]
}

(converge alone) || fail "$(cat "$work/told")"
[ ! -s "$work/told" ] || fail "a line for nothing: $(cat "$work/told")"

kills=0
while [ $kills -lt 8 ]; do
    kill_after killed "$(shuf -i 1-4 -n 1)" || fail 'it was too fast to be killed'
    kills=$((kills + 1))
done
[ -e "$work/killed/.runs/0.at" ] || fail 'no checkpoint was left'
[ ! -e "$work/killed/trajectories.csv" ] || fail 'a killed run left results'
cp -r "$work/killed" "$work/damaged"
cp -r "$work/killed" "$work/stale"
finish killed
grep -qE '^choco-sgd: goes on after step [0-9]+ of 20000$' "$work/told" ||
    fail "it did not go on: $(cat "$work/told")"
echo "killed $kills times"

# A byte that a disk has lost, and what an older experiment left.
size=$(stat -c %s "$work/damaged/.runs/0.at")
printf '\377\376' | dd of="$work/damaged/.runs/0.at" bs=1 seek=$((size / 2)) \
    conv=notrunc 2>/dev/null
finish damaged
grep -q '/0.at: found a damaged file, expected a whole one' "$work/told" ||
    fail "damage was not told: $(cat "$work/told")"
sed -i 's/loss: 0.05/loss: 0.06/' "$work/run.yaml"
rm -r "$work/alone"
(converge alone --quiet) || fail "$(cat "$work/told")"
finish stale
grep -q 'what another experiment left' "$work/told" ||
    fail "it was not told: $(cat "$work/told")"

complains 2 'checkpoint-every STEPS, at least 1' "$starling" sim converge \
    "$work/run.yaml" --out "$work/x" --checkpoint-every 0
