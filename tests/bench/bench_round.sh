#!/bin/sh
# Wall time of whole rounds: MEMBERS real nodes over loopback, each with its own
# keys, store and links, logistic regression by Newton on FEATURES columns.
#   tests/bench/bench_round.sh BUILD [MEMBERS] [FEATURES] [REPEATS]
# One JSON line, medians over all Newton rounds and members, milliseconds:
#   round    from the round's begin to that of the next one
#   keys     its part for KEYS, SHARES, ACK and V: runs while members train
#   open     from the vector's leaving on, sum and next state computed: what is
#            left to wait for when all have trained for longer than `keys`
# `values` is the length of a Newton round's vector.
set -eu
build=$(cd "$1" && pwd) members=${2:-10} features=${3:-13} repeats=${4:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

awk -v g="$members" -v p="$features" 'BEGIN {
    srand(1)
    line = "site,y"
    for (j = 0; j < p; j++) line = line ",x" j
    print line
    for (i = 0; i < 200 * g; i++) {
        line = ""
        sum = 0
        for (j = 0; j < p; j++) {
            x = rand() + rand() - 1
            sum += x
            line = line sprintf(",%.4f", x)
        }
        print "s" i % g "," (rand() < 1 / (1 + exp(-sum))) line
    }
}' >"$work/rows.csv"
{
    printf 'version: 1\nstudy: round\nsites:\n'
    for i in $(seq 0 $((members - 1))); do
        printf '  - {name: s%d, data: rows.csv, rows: {column: site, equals: s%d}}\n' "$i" "$i"
    done
    printf 'task: {kind: logistic, method: newton, target: y}\n'
    printf 'rounds: {max: 40, deadline_ms: 60000}\n'
} >"$work/study.yaml"
for i in $(seq "$repeats"); do
    OPENBLAS_NUM_THREADS=1 "$build/starling" sim cluster "$work/study.yaml" \
        --out "$work/run$i" >"$work/out.txt" 2>&1 || { cat "$work/out.txt" >&2; exit 1; }
done
for events in "$work"/run*/s*/events.jsonl; do
    sed -nE 's/^\{"event":"(round|y)","ms":([0-9]+),.*"phase":"([a-z]+)".*/\1 \2 \3/p' "$events"
done | awk -v g="$members" -v p="$features" -v repeats="$repeats" '
    function median(list, n, i, j, swap) {
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
                swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap
            }
        return (list[int((n + 1) / 2)] + list[int((n + 2) / 2)]) / 2
    }
    $1 == "y" { y = $2 }
    $1 == "round" && phase == "newton" {
        n++
        whole[n] = $2 - begin; keys[n] = y - begin; open[n] = $2 - y
    }
    $1 == "round" { begin = $2; phase = $3 }
    END {
        if (n == 0) exit 1
        values = 1 + (p + 1) + (p + 1) * (p + 2) / 2
        printf "{\"bench\":\"round\",\"members\":%d,\"values\":%d,\"rounds\":%d,", g, values, n / g
        printf "\"round_ms\":%.1f,\"keys_ms\":%.1f,\"open_ms\":%.1f}\n",
            median(whole, n), median(keys, n), median(open, n)
    }'
