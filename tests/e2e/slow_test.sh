# Eight nodes, each on a line of 256 kbit/s, 150 ms from the others (a round
# trip of 300 ms), 5 % of all packets lost: the result of a good network, bit
# for bit. One node is held to 512 MB of addresses. LONG=1: a logistic study with
# its metrics, some minutes.
[ -n "${STARLING_WEATHER:-}" ] || exec "$1/e2e_weather" 8 'seed 6' \
    'latency 150' 'kbit 256' 'loss 0.05' -- sh "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$here/siege.sh"
many_sites 8 "$work/study.yaml" "${DEADLINE_MS:-20000}"
quiet "$work/study.yaml"
stage "$work/study.yaml" "$work/run"
spread "$work/run"
nodes=
for number in $(seq 8); do
    limit=
    [ "$number" != 8 ] || limit='prlimit --as=536870912'
    launch "$work/run" "$number" $limit
    nodes="$nodes $pid"
done
for node in $nodes; do
    wait "$node" || fail "a node ended with status $?"
done
exact "$work/run"
"$build/e2e_tapes" "$work/run"
