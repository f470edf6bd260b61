# A node killed at each point of a round and started again changes nothing; so
# does a proposer (of round 3: the fourth site) that dies before its COMMIT.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
"$starling" sim cluster "$work/study.yaml" --out "$work/quiet" 2>"$work/quiet.err"
for death in ben@before-keys ben@keys ben@shares ben@ack ben@prepare-v \
    ben@commit-v ben@y-some ben@y ben@recv ben@prepare-u ben@commit-u \
    ben@unmask ben@sum dan@prepare-v dan@prepare-u; do
    "$starling" sim cluster "$work/study.yaml" --out "$work/run" \
        --kill "$death@3+50" 2>"$work/run.err" ||
        fail "killed, $death: $(tail -n 3 "$work/run.err")"
    grep -q "^${death%%@*} killed in round 3" "$work/run.err" ||
        fail "nobody was killed, $death: $(cat "$work/run.err")"
    "$json" same "$work/run/result.json" "$work/quiet/result.json" \
        state_hash || fail "another result when killed, $death"
done
