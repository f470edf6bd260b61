# Strangers connect to a node, more of them than it has file descriptors, and say
# nothing: the node stays, keeps calling, and when they are gone the study ends as
# if they had not been there.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
stage "$work/study.yaml" "$work/run"
port=$(sed -n '/name: cyd/,/address/s/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' \
    "$work/run/study.yaml" | head -n 1)
[ -n "$port" ] || fail "no address of cyd in $(cat "$work/run/study.yaml")"
printf '#!/bin/sh\nulimit -n 64\nexec "%s" "$@"\n' "$starling" >"$work/few.sh"
chmod +x "$work/few.sh"

real=$starling starling=$work/few.sh
node "$work/run" cyd
starling=$real
nodes=$pid
await "$work/run/cyd/events.jsonl" '"event":"started"'
"$build/e2e_crowd" "$port" 300 >"$work/crowd.out" 2>"$work/crowd.err" &
crowd=$!
children="$children $crowd"
await "$work/crowd.out" '^here'
# It calls dan and eve again and again, and has no descriptor for that.
await "$work/run/cyd/events.jsonl" '"event":"awaited".*'
sleep 1
kill -0 "$nodes" 2>/dev/null || fail "cyd is gone: $(cat "$work/run/cyd/log.txt")"
for site in ann ben dan eve; do
    node "$work/run" $site
    nodes="$nodes $pid"
done
await "$work/run/ann/events.jsonl" '"event":"awaited".*cyd'
kill -9 $crowd
wait $crowd 2>/dev/null || true
for node in $nodes; do
    wait "$node" || fail "a node ended with status $?: $(tail "$work"/run/*/log.txt)"
done
"$json" same "$work/run/cyd/result.json" "$work/run/ann/result.json" state_hash ||
    fail "another state"
