# A node that is ended and started again: its counts go on, its result is its
# own and stays, and whatever went wrong is one line.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
stage "$work/study.yaml" "$work/run"
ann=$work/run/ann

# Another study's result does not stay where this one may fail; SIGHUP ends a
# node as SIGTERM does.
echo '{"study": "older"}' >"$ann/result.json"
echo 'round' >"$ann/rounds.csv"
node "$work/run" ann
await "$ann/events.jsonl" '"started"'
await "$ann/events.jsonl" '"awaited"'
[ ! -e "$ann/result.json" ] && [ ! -e "$ann/rounds.csv" ] ||
    fail "the older result is still there"
kill -HUP $pid
status=0
wait $pid || status=$?
[ $status = 1 ] || fail "exit status $status after SIGHUP, expected 1"
grep -q '^starling: interrupted; run the same command' "$ann/log.txt" ||
    fail "no line after SIGHUP: $(cat "$ann/log.txt")"
[ ! -e "$ann/node.store-wal" ] || fail "the store was not closed"

# The whole study; ann is killed twice on the way.
pids=
for site in ben cyd dan eve; do
    node "$work/run" $site
    pids="$pids $pid"
done
node "$work/run" ann --hold recv@2
await "$ann/events.jsonl" '"held"'
kill -9 $pid
wait $pid || true

# A part of a store is not a store.
mkdir "$work/part"
cp "$ann/node.store" "$work/part"
complains 1 'no .*node.store-wal beside it' "$starling" run \
    "$work/run/study.yaml" --as ann --data "$ann/rows.csv" \
    --keys "$ann/node.keys" --out "$work/part" --store "$work/part/node.store"

newest() { # "ms" of its newest opened sum
    sed -n '/"opened"/s/.*"ms":\([0-9]*\).*/\1/p' "$ann/events.jsonl" | tail -n 1
}
again() { # without --json
    timeout 60 "$starling" run "$work/run/study.yaml" --as ann --data "$ann/rows.csv" \
        --keys "$ann/node.keys" --out "$ann" --store "$ann/node.store" "$@"
}
told_once() { # FILE: how the node ended
    [ "$(grep -c 'finished after' "$1")" = 1 ] &&
        ! grep -q 'everybody is here' "$1" || fail "told as: $(cat "$1")"
}
ms=$(newest)
node "$work/run" ann --hold recv@8
await "$ann/events.jsonl" '"held"'
kill -9 $pid
wait $pid || true
ms=$((ms + $(newest)))
again 2>"$work/again.err" || fail "$(cat "$work/again.err")"
told_once "$work/again.err"
for child in $pids; do wait $child || fail "exit status of $child"; done
awk -F, -v ms="$ms" -v total="$("$json" get "$ann/result.json" per_site 0 \
    bytes_sent)" 'NR > 1 { sum += $6; n++; if ($2 < last) exit 1; last = $2 }
    NR > 1 && $6 <= 0 { exit 1 }
    END { exit !(n > 3 && sum <= total && 2 * sum > total && last + 5 >= ms) }' \
    "$ann/rounds.csv" || fail "not the bytes of each round: $(cat \
    "$ann/rounds.csv" "$ann/result.json")"

# A finished study run again leaves the result and its figures as they are.
cp "$ann/result.json" "$ann/rounds.csv" "$work"
node "$work/run" ann
wait $pid || fail "run again: $(cat "$ann/log.txt")"
cmp "$work/result.json" "$ann/result.json" &&
    cmp "$work/rounds.csv" "$ann/rounds.csv" || fail "another result"
again 2>"$work/again.err"
told_once "$work/again.err"

# Output that is lost is told, and ends nothing early.
if [ -e /dev/full ]; then
    for arguments in --check --json; do
        status=0
        again $arguments >/dev/full 2>"$work/full.err" || status=$?
        [ $status = 1 ] && grep -q 'output could not be written' \
            "$work/full.err" || fail "$arguments to a full disk: $status"
    done
    status=0
    "$starling" init --no-passphrase --out "$work/new.keys" >/dev/full \
        2>"$work/full.err" || status=$?
    [ $status = 1 ] || fail "init to a full disk: $status"
fi
{
    status=0
    again --json 2>"$work/pipe.err" || status=$?
    echo $status >"$work/pipe.status"
} | :
[ "$(cat "$work/pipe.status")" = 1 ] || fail "a closed pipe: $(cat \
    "$work/pipe.status" "$work/pipe.err")"
grep -q 'output could not be written' "$work/pipe.err" || fail "not told"

# Passphrases and addresses.
refuses() { # PATTERN: what init says of the passphrase in $work/passphrase
    status=0
    "$starling" init --out "$work/p.keys" --passphrase-fd 3 \
        3<"$work/passphrase" >/dev/null 2>"$work/p.err" || status=$?
    [ $status = 1 ] && grep -q "$1" "$work/p.err" && [ ! -e "$work/p.keys" ] ||
        fail "a passphrase, status $status: $(cat "$work/p.err")"
}
printf 'one\000two\n' >"$work/passphrase"
refuses 'control byte'
printf 'one\033two\n' >"$work/passphrase"
refuses 'control byte'
printf '\n' >"$work/passphrase"
refuses 'found none'
sed "/name: ben/s|tcp://127.0.0.1|tcp://nowhere.invalid|" \
    "$work/run/study.yaml" >"$work/lost.yaml"
"$starling" run "$work/lost.yaml" --as ann --data "$ann/rows.csv" \
    --keys "$ann/node.keys" --out "$work/lost" 2>"$work/lost.err" &
children="$children $!"
await "$work/lost.err" "cannot resolve 'nowhere.invalid' \(address: of 'ben'\)"
kill $!
wait $! || true
[ "$(grep -c nowhere.invalid "$work/lost.err")" = 1 ] || fail "told twice"
