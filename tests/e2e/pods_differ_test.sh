# Of two pods one site has another study file: every site of both pods says in one
# line whose file differs and in what; so does that site of the others. With the
# same file it is told of no more, and the study ends.
. "$(dirname "$0")/lib.sh"
. "$here/pods.sh"
people "$work/people.csv" 2 3 600
pods_study "$work/study.yaml" 2 3 'method: dgd' 'max: 6, step: 2' \
    'graph: ring; method: gt-atc; rows: 600; patience_ms: 60000'
stage "$work/study.yaml" "$work/run"
mkdir "$work/other"
cp -r "$work/run/p1s1" "$work/other/p1s1"
sed 's/step: 2/step: 3/' "$work/run/study.yaml" >"$work/other/study.yaml"

pids=
for site in p0s0 p0s1 p0s2 p1s0 p1s2; do
    node "$work/run" $site
    pids="$pids $pid"
done
node "$work/other" p1s1
other=$pid
line="runs a study that differs in 'rounds.step': compare both files"
for site in p0s0 p0s1 p0s2; do
    await "$work/run/$site/log.txt" "^peer 'p1s1' of pod 1 $line" 5
    await "$work/run/$site/events.jsonl" '"event":"differs".*p1s1.*rounds\.step' 5
done
for site in p1s0 p1s2; do
    await "$work/run/$site/log.txt" "^peer 'p1s1' $line" 5
done
for site in p0s0 p0s1 p0s2; do
    await "$work/other/p1s1/log.txt" "^peer '$site' of pod 0 $line" 5
done
kill -9 $other
wait $other 2>/dev/null || true

# One that takes the pods apart in another way, so that its own pod's sites read
# no greeting of its engine.
sed -e 's/step: 3/step: 2/' -e 's/\[p1s0, p1s1, p1s2\]/[p1s1, p1s2, p1s0]/' \
    "$work/other/study.yaml" >"$work/other/moved.yaml"
mv "$work/other/moved.yaml" "$work/other/study.yaml"
cmp -s "$work/other/study.yaml" "$work/run/study.yaml" && fail "nothing is moved"
rm "$work"/other/p1s1/node.store*
node "$work/other" p1s1
other=$pid
for site in p0s0 p1s0; do
    await "$work/run/$site/log.txt" "^peer 'p1s1'.* differs in 'pods.sites'" 5
done
await "$work/other/p1s1/log.txt" "^peer 'p0s0' of pod 0 .* differs in 'pods.sites'" 5
kill -9 $other
wait $other 2>/dev/null || true

node "$work/run" p1s1
for process in $pids $pid; do
    wait "$process" || fail "a node ended badly"
done
for site in p0s0 p0s1 p0s2; do
    [ "$(grep -c "differs in 'rounds.step'" "$work/run/$site/log.txt")" = 1 ] ||
        fail "$site does not say it once: $(cat "$work/run/$site/log.txt")"
    ! grep -q 'refused' "$work/run/$site/log.txt" ||
        fail "$site tells of what it has explained: $(cat "$work/run/$site/log.txt")"
done
