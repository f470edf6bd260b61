# Any node killed with -9 at any moment and started again: the same states and
# so the same coefficients as without. A second argument says how many moments.
. "$(dirname "$0")/lib.sh"
count=${2:-4}
study "$work/study.yaml"
"$starling" sim cluster "$work/study.yaml" --out "$work/quiet" 2>"$work/quiet.err"
seconds=$("$json" get "$work/quiet/result.json" wall_seconds)
moments=$work/moments
random() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }
for _ in $(seq "$count"); do random; done | awk -v seconds="$seconds" \
    -v names='ann ben cyd dan eve' '{
        split(names, name, " ")
        printf "%s@%.1f+%d\n", name[1 + $1 % 5], \
            int($1 / 5) % int(1000 * seconds + 1), 20 + int($1 / 7) % 300
    }' >"$moments"
[ "$(wc -l <"$moments")" = "$count" ]
hits=0
while read -r moment; do
    echo "--kill $moment"
    "$starling" sim cluster "$work/study.yaml" --out "$work/run" \
        --kill "$moment" 2>"$work/run.err" ||
        fail "with --kill $moment: $(tail -n 3 "$work/run.err")"
    hits=$((hits + $(grep -c ' killed in round' "$work/run.err" || true)))
    "$json" same "$work/run/result.json" "$work/quiet/result.json" state_hash &&
        "$json" near "$work/run/result.json" "$work/quiet/result.json" 0 ||
        fail "another result with --kill $moment"
done <"$moments"
echo "$hits of $count moments found a node at work"
[ $hits -gt 0 ] || fail "every moment came too late"
