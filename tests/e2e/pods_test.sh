# Four pods of five real processes learn by tracked gradients what all people in
# one place would give, though one is killed in the middle and comes back.
. "$(dirname "$0")/lib.sh"
. "$here/pods.sh"
people "$work/people.csv" 4 5 2000
pods_study "$work/study.yaml" 4 5 'method: dgd' 'max: 30, step: 2' \
    'graph: ring; method: gt-atc; rows: 2000'
pods_study "$work/pooled.yaml" 4 5 'method: newton' 'max: 40' ''
"$starling" sim world "$work/pooled.yaml" --out "$work/pooled" \
    >"$work/pooled.err" 2>&1
"$starling" sim cluster "$work/study.yaml" --out "$work/run" \
    --kill p1s2@y@8+200 2>"$work/run.err" || fail "$(tail -n 3 "$work/run.err")"
grep -q 'p1s2 killed in round 8' "$work/run.err" || fail "nobody was killed"
grep -q 'p1s2 started' "$work/run.err" || fail "nobody came back"

best=$(loss_of "$work/pooled/result.json")
for pod in 0 1 2 3; do
    loss=$(loss_of "$work/run/result.json" pods $pod)
    echo "pod $pod: loss $loss, pooled $best"
    within "pod $pod's loss" "$loss" "$best" 1e-4
done
# A site's result is its pod's; the table has a line for every round, and the
# distance to the neighbours falls.
for i in 0 1 2 3 4; do
    [ "$("$json" get "$work/run/p1s$i/result.json" state_hash)" = \
        "$("$json" get "$work/run/result.json" pods 1 state_hash)" ] ||
        fail "p1s$i has another state than its pod"
done
[ "$("$json" get "$work/run/result.json" pods 0 state_hash)" != \
    "$("$json" get "$work/run/result.json" pods 1 state_hash)" ] ||
    fail "pods on a ring have one state"
[ "$(wc -l <"$work/run/rounds.csv")" = 31 ] || fail "rounds.csv has other lines"
awk -F, 'NR == 2 { first = $5 } { last = $5 } END {
    printf "distance to the neighbours: %s, at the end %s\n", first, last
    exit !(first > 1e-4 && last < 1e-3 * first)
}' "$work/run/rounds.csv" || fail "the pods come no nearer"
