# Training by rounds in real processes: the table of rounds says what the
# virtual network's says, a node killed on the way changes nothing, and lanes of
# 16 bits end where those of 64 do. In the virtual network, where keys follow
# from the seed: who crashes sends the same lanes again, whatever was drawn.
. "$(dirname "$0")/lib.sh"

losses() { # OUT: round, sites, loss, phase, accuracy, test loss and accuracy
    tail -n +2 "$1/rounds.csv" | cut -d, -f1,3-5,8-10
}
same_losses() { # OUT OUT
    losses "$1" >"$work/a"
    losses "$2" >"$work/b"
    paste -d, "$work/a" "$work/b" | awk -F, '
        { for (i = 1; i <= 7; i++)
            if (($i == "") != ($(i + 7) == "") || $i - $(i + 7) > 1e-9 ||
                $(i + 7) - $i > 1e-9 || (i == 4 && $i != $11)) exit 1
          rows++ }
        END { exit rows != 16 }' ||
        fail "other losses: $(diff "$work/a" "$work/b")"
}
hash_of() { "$json" get "$work/$1/result.json" state_hash; }

training "$work/plain.yaml" fedavg "max: 16, step: 0.3, local_steps: 5" "lanes: 64"
"$starling" sim world "$work/plain.yaml" --out "$work/world" >"$work/world.txt"
"$starling" sim cluster "$work/plain.yaml" --out "$work/plain" 2>"$work/plain.err"
same_losses "$work/world" "$work/plain"
[ "$(hash_of plain)" = "$(hash_of world)" ] || fail "another state"
[ -n "$(tail -n 1 "$work/plain/rounds.csv" | cut -d, -f8)" ] || fail "no accuracy"

"$starling" sim cluster "$work/plain.yaml" --out "$work/killed" --kill ben@5+50 \
    2>"$work/killed.err"
grep -q 'killed in round' "$work/killed.err" || fail "nobody was killed"
same_losses "$work/world" "$work/killed"
[ "$(hash_of killed)" = "$(hash_of world)" ] || fail "another state when killed"

training "$work/narrow.yaml" fedavg "max: 16, step: 0.3, local_steps: 5" "lanes: 16"
"$starling" sim cluster "$work/narrow.yaml" --out "$work/narrow" 2>"$work/narrow.err"
for of in world narrow; do
    "$json" get "$work/$of/result.json" metrics train log_loss
done | awk '{ loss[NR] = $1 } END { d = loss[1] - loss[2]
    print "lanes of 16 bits: loss off by", d; exit !(d < 1e-3 && d > -1e-3) }'

# A network whose result is longer than any other line a node prints.
training "$work/wide.yaml" fedavg "max: 6, step: 0.1, batch: 16" "lanes: 16"
sed -i 's/kind: logistic/kind: mlp\n  hidden: [200, 100]/' "$work/wide.yaml"
"$starling" sim cluster "$work/wide.yaml" --out "$work/wide" 2>"$work/wide.err"
[ "$("$json" get "$work/wide/result.json" coefficients 20999 name)" != null ] ||
    fail "not all parameters"

crash='network: {crash: [{site: ben, round: 6, at: after-y}, {site: dan, round: 9, at: before-y}], restart: [{site: ben, after_ms: 40}, {site: dan, after_ms: 30}]}'
steps='max: 16, step: 0.1, local_epochs: 2, batch: 8'
training "$work/calm.yaml" scaffold "$steps" 'lanes: 16, clip: 0.02'
training "$work/crash.yaml" scaffold "$steps" 'lanes: 16, clip: 0.02' "$crash"
for of in calm crash; do
    "$starling" sim world "$work/$of.yaml" --out "$work/$of" --seed 7 --trace \
        >"$work/$of.txt" || fail "$of: $(tail -n 3 "$work/$of.txt")"
done
[ "$(grep -c crashes "$work/crash/trace.txt")" -ge 2 ] || fail "nobody crashed"
[ "$(hash_of calm)" = "$(hash_of crash)" ] || fail "a crash changed what was sent"

# Weather, and more sites than the study's own value bits have room for.
for of in crash plain; do
    "$starling" sim world "$work/$of.yaml" --seeds 1-3 --chaos --members 9-11 \
        --jobs 1 >"$work/seeds" || fail "$of: $(tail -n 3 "$work/seeds")"
    grep -q 'violations 0' "$work/seeds" || fail "$of: $(cat "$work/seeds")"
done
