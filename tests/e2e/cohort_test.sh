# Five processes on loopback find what the virtual world finds, each with its
# own rows only.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
"$starling" sim world "$work/study.yaml" --out "$work/world" >"$work/world.err" 2>&1
"$starling" sim cluster "$work/study.yaml" --out "$work/cluster" --json \
    >"$work/printed.json" 2>"$work/cluster.err"
result=$work/cluster/result.json
"$json" near "$result" "$work/world/result.json" 1e-8
"$json" near "$work/printed.json" "$result" 0
for site in 0 1 2 3 4; do
    "$json" same "$result" "$work/world/result.json" per_site $site site
    "$json" same "$result" "$work/world/result.json" per_site $site n_train
    [ "$("$json" get "$result" per_site $site bytes_sent)" -gt 1000 ]
done
# One header and one line a round, for every round.
[ "$(wc -l <"$work/cluster/rounds.csv")" = \
    $(($("$json" get "$result" rounds) + 1)) ] || fail "rounds.csv"

for site in ann ben cyd dan eve; do
    folder=$work/cluster/$site
    cut -d, -f1 "$folder/rows.csv" | tail -n +2 | sort -u >"$work/sites"
    [ "$(cat "$work/sites")" = $site ] || fail "$site was given other rows"
    [ "$(stat -c %a "$folder/node.keys" "$folder/rows.csv" | sort -u)" = 600 ] ||
        fail "others may read the keys or rows of $site"
    "$json" same "$folder/result.json" "$result" state_hash
done
! grep -q 'cohort.csv\|equals' "$work/cluster/study.yaml" ||
    fail "the nodes' study names data"
