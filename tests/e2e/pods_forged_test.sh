# A site with true keys sends its neighbour pod and its own all kinds of false
# words over real links: each node there says whose they are, in one line, and
# the study ends as if nothing had been said.
. "$(dirname "$0")/lib.sh"
. "$here/pods.sh"
people "$work/people.csv" 2 3 600
pods_study "$work/study.yaml" 2 3 'method: dgd' 'max: 12, step: 2' \
    'graph: ring; rows: 600; patience_ms: 60000'
"$starling" sim world "$work/study.yaml" --out "$work/world" >"$work/world.err" 2>&1
stage "$work/study.yaml" "$work/run"

"$build/e2e_forger" "$work/run/study.yaml" p1s1 "$work/run/p1s1/node.keys" \
    >"$work/forger.out" 2>"$work/forger.err" &
forger=$!
children="$children $forger"
pids=
for site in p0s0 p0s1 p0s2 p1s0 p1s2; do
    node "$work/run" $site
    pids="$pids $pid"
done
for site in p0s0 p0s1 p0s2; do
    await "$work/forger.out" "^sent $site"
    await "$work/run/$site/log.txt" "refused [0-9]* messages of 'p1s1'"
done
kill -9 $forger
wait $forger 2>/dev/null || true

# One that is too long costs the link; the line says why.
"$build/e2e_forger" "$work/run/study.yaml" p1s1 "$work/run/p1s1/node.keys" long \
    >"$work/forger.out" 2>"$work/forger.err" &
forger=$!
children="$children $forger"
await "$work/run/p0s0/log.txt" "dropped peer 'p1s1': it sent a message that is too long"
kill -9 $forger
wait $forger 2>/dev/null || true

node "$work/run" p1s1
for process in $pids $pid; do
    wait "$process" || fail "a node ended badly"
done
for site in p0s0 p0s1 p0s2; do
    [ "$(grep -c "refused.*p1s1" "$work/run/$site/log.txt")" = 1 ] ||
        fail "$site does not say it once: $(cat "$work/run/$site/log.txt")"
done
for pod in 0 1; do
    for i in 0 1 2; do
        [ "$("$json" get "$work/run/p${pod}s$i/result.json" state_hash)" = \
            "$("$json" get "$work/world/result.json" pods $pod state_hash)" ] ||
            fail "p${pod}s$i ends with another state than in the world"
    done
done
