# Three pods of three real nodes on a network that parts: one pod is cut off from
# the others for a while. It goes on alone and they without it; when the network
# is whole again all mix as before, and end with the pooled model.
[ -n "${STARLING_WEATHER:-}" ] || exec "$1/e2e_weather" 9 'seed 3' 'latency 1' \
    -- sh "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$here/siege.sh"
. "$here/pods.sh"
people "$work/people.csv" 3 3 900
pods_study "$work/study.yaml" 3 3 'method: dgd' 'max: 90, step: 1' \
    'graph: ring; method: gt-atc; rows: 900; patience_ms: 300; restart: 30'
pods_study "$work/pooled.yaml" 3 3 'method: newton' 'max: 40' ''
"$starling" sim world "$work/pooled.yaml" --out "$work/pooled" \
    >"$work/pooled.err" 2>&1
stage "$work/study.yaml" "$work/run"
spread "$work/run"
number=0 nodes=
for site in p0s0 p0s1 p0s2 p1s0 p1s1 p1s2 p2s0 p2s1 p2s2; do
    number=$((number + 1))
    in="$weather in $number" node "$work/run" $site
    nodes="$nodes $pid"
done
mixed() { # SITE: the newest round that it has mixed with so many left out
    grep '"event":"mixed"' "$work/run/$1/events.jsonl" | grep -c "\"detail\":$2,"
}
await "$work/run/p0s0/events.jsonl" '"event":"mixed".*"round":6,'
"$weather" say 'partition 1,2,3,4,5,6|7,8,9'
await "$work/run/p2s1/events.jsonl" '"event":"mixed".*"detail":2,'
await "$work/run/p0s0/events.jsonl" '"event":"mixed".*"detail":1,'
alone=$(mixed p2s1 2)
await "$work/run/p2s1/events.jsonl" '"event":"mixed".*"round":18,'
[ "$(mixed p2s1 2)" -gt "$alone" ] || fail "the pod does not go on alone"
"$weather" say heal
for node in $nodes; do
    wait "$node" || fail "a node ended with status $?"
done
for site in p0s0 p1s0 p2s1; do
    grep '"event":"mixed".*"round":8[0-9],' "$work/run/$site/events.jsonl" |
        grep -q '"detail":0,' || fail "$site does not mix with all in the end"
done
best=$(loss_of "$work/pooled/result.json")
for pod in 0 1 2; do
    loss=$(loss_of "$work/run/p${pod}s0/result.json")
    echo "pod $pod: loss $loss, pooled $best"
    within "the loss of pod $pod" "$loss" "$best" 1e-4
done
