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

# Bytes in it are of that round: together what was sent up to the last sum.
for run in world cluster; do
    table=0 sites=0
    for bytes in $(tail -n +2 "$work/$run/rounds.csv" | cut -d, -f6); do
        table=$((table + bytes))
    done
    for site in 0 1 2 3 4; do
        sites=$((sites + $("$json" get "$work/$run/result.json" per_site $site bytes_sent)))
    done
    [ $table -le $sites ] && [ $((2 * table)) -gt $sites ] ||
        fail "$run: rounds.csv counts $table bytes of $sites"
    tail -n +2 "$work/$run/rounds.csv" | cut -d, -f2 | sort -nc ||
        fail "$run: time runs backwards"
done
for key in virtual_seconds seed; do
    [ "$("$json" get "$result" $key)" = null ] || fail "a cluster has a $key"
done

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
