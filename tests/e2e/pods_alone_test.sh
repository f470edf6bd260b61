# Six pods of one real process each, without masks, on a ring: classical gossip
# learning, in the open. Who has not agreed to that sends nothing; one that is
# killed and away for a while mixes again.
. "$(dirname "$0")/lib.sh"
. "$here/pods.sh"
people "$work/people.csv" 6 1 900
pods_study "$work/study.yaml" 6 1 'method: dgd' 'max: 150, step: 1' \
    'graph: ring; method: gt-atc; rows: 900; patience_ms: 300; restart: 50' \
    'sum: {masks: none}'
pods_study "$work/pooled.yaml" 6 1 'method: newton' 'max: 40' ''
"$starling" sim world "$work/pooled.yaml" --out "$work/pooled" \
    >"$work/pooled.err" 2>&1
best=$(loss_of "$work/pooled/result.json")

# Undisturbed, six processes find what the virtual world finds, bit for bit.
pods_study "$work/calm.yaml" 6 1 'method: dgd' 'max: 20, step: 1' \
    'graph: ring; method: gt-atc; rows: 900; patience_ms: 60000' \
    'sum: {masks: none}'
"$starling" sim world "$work/calm.yaml" --out "$work/world" >"$work/world.err" 2>&1
"$starling" sim cluster "$work/calm.yaml" --out "$work/calm" 2>"$work/calm.err" ||
    fail "$(tail -n 3 "$work/calm.err")"
grep -q '^WARNING: masks are OFF' "$work/calm.err" || fail "the cluster does not warn"
"$json" get "$work/calm/result.json" notes 0 | grep -q 'masks were off' ||
    fail "the result does not say that masks were off"
for pod in 0 1 2 3 4 5; do
    "$json" same "$work/calm/result.json" "$work/world/result.json" \
        pods $pod state_hash || fail "pod $pod has another state in the world"
done

stage "$work/study.yaml" "$work/run"

# Nobody is made to: not by the file alone.
complains 1 "masks: none.*give --unmasked" "$starling" run "$work/run/study.yaml" \
    --as p0s0 --data "$work/run/p0s0/rows.csv" --check
"$starling" run "$work/run/study.yaml" --as p0s0 --unmasked --check \
    --data "$work/run/p0s0/rows.csv" >"$work/check.out"
grep -q 'NOT MASKED' "$work/check.out" && grep -q 'WARNING.*masks are OFF' "$work/check.out" ||
    fail "--check does not warn: $(cat "$work/check.out")"

pids=
for site in p0s0 p1s0 p2s0 p3s0 p4s0 p5s0; do
    node "$work/run" $site --unmasked
    [ $site != p2s0 ] || victim=$pid
    [ $site = p2s0 ] || pids="$pids $pid"
done
await "$work/run/p2s0/events.jsonl" '"event":"mixed".*"round":10,'
kill -9 "$victim"
wait "$victim" 2>/dev/null || true
# Its neighbour has gone on without it.
await "$work/run/p1s0/events.jsonl" '"event":"mixed".*"detail":1,'
node "$work/run" p2s0 --unmasked
for process in $pids $pid; do
    wait "$process" || fail "a node ended badly"
done
grep -q 'masks are OFF' "$work/run/p0s0/events.jsonl" || fail "no warning"
grep '"event":"mixed".*"round":1[34][0-9],' "$work/run/p1s0/events.jsonl" |
    grep -q '"detail":0,' || fail "they do not mix again"
for site in p0s0 p1s0 p2s0 p3s0 p4s0 p5s0; do
    loss=$(loss_of "$work/run/$site/result.json")
    echo "$site: loss $loss, pooled $best"
    within "the loss of $site" "$loss" "$best" 1e-4
done
