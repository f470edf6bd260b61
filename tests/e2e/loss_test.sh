# The study's own rules: before its Y the others wait for a lost member by name,
# after it the round is completed without it.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
"$starling" sim cluster "$work/study.yaml" --out "$work/quiet" 2>"$work/quiet.err"
for at in before-y after-y; do
    study "$work/$at.yaml"
    cat >>"$work/$at.yaml" <<END
network:
  crash: [{site: dan, round: 3, at: $at}]
  restart: [{site: dan, after_ms: 600}]
END
    "$starling" sim cluster "$work/$at.yaml" --out "$work/$at" \
        2>"$work/$at.err" || fail "$at: $(tail -n 3 "$work/$at.err")"
    grep -q '^dan killed in round 3' "$work/$at.err" || fail "no kill $at"
    "$json" same "$work/$at/result.json" "$work/quiet/result.json" state_hash ||
        fail "another result after a loss $at"
    "$json" near "$work/$at/result.json" "$work/quiet/result.json" 0
done
# Told while it lasts: between the death and the next opened round.
sed -n '/^dan killed/,/^round/p' "$work/before-y.err" |
    grep -q 'awaiting dan' || fail "nobody says who is awaited"
sed -n '/^dan killed/,$p' "$work/after-y.err" | sed -n '/^round/{p;q}' |
    grep -q '^round  *3 .* 5 of 5' || fail "round 3 did not count dan"
sed -n '/^dan killed/,/^dan started/p' "$work/after-y.err" |
    grep -q '^round  *3 ' || fail "round 3 waited for dan's return"
