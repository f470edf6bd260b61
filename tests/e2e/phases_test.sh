# A node killed at each point of a round and started again changes nothing.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
"$starling" sim cluster "$work/study.yaml" --out "$work/quiet" 2>"$work/quiet.err"
for phase in before-keys keys shares ack prepare-v commit-v y-some y recv \
    prepare-u commit-u unmask sum; do
    "$starling" sim cluster "$work/study.yaml" --out "$work/$phase" \
        --kill "ben@$phase@3+50" 2>"$work/$phase.err" ||
        fail "killed at $phase: $(tail -n 3 "$work/$phase.err")"
    grep -q '^ben killed in round 3' "$work/$phase.err" ||
        fail "nobody was killed at $phase"
    "$json" same "$work/$phase/result.json" "$work/quiet/result.json" \
        state_hash || fail "another result when killed at $phase"
done
