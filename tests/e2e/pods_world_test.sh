#!/bin/sh
# Pods in bad weather and under siege, from the command line: no violation, and
# the same seed twice is the same run.
. "$(dirname "$0")/lib.sh"

for seed in 2 4; do
    for again in a b; do
        "$starling" sim world "$here/pods.yaml" --chaos --byzantine \
            --seeds $seed >"$work/$seed$again.txt" 2>"$work/$seed$again.err" ||
            fail "seed $seed: $(cat "$work/$seed$again.err")"
    done
    cmp "$work/${seed}a.txt" "$work/${seed}b.txt" ||
        fail "seed $seed is not the same twice"
done
mkdir "$work/out"
"$starling" sim world "$here/pods.yaml" --seed 5 --trace --out "$work/out" \
    >"$work/once.txt" || fail "no result"
for pod in 0 1 2; do
    grep -q 'OFFER of' "$work/out/trace-$pod.txt" || fail "no trace of pod $pod"
done
grep -q '^5,' "$work/out/rounds.csv" || fail "rounds are missing"
