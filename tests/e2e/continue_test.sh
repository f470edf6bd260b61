# trust: active and on_loss: continue with real processes: one of five dies for
# good, the others finish without it and say what that may show.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml" \
    's/^trust: semi-honest/trust: active/; s/^on_loss: wait/on_loss: continue/'
cat >>"$work/study.yaml" <<END
network: {crash: [{site: dan, round: 3, at: before-y}]}
END
"$starling" sim cluster "$work/study.yaml" --out "$work/run" \
    2>"$work/run.err" || fail "$(tail -n 3 "$work/run.err")"
grep -q '^dan killed in round 3' "$work/run.err" || fail "dan was not killed"
sed -n '/^dan killed/,$p' "$work/run.err" | grep -q '^round .* 4 of 5' ||
    fail "no sum over four"
"$json" get "$work/run/ann/result.json" revealed 0 | grep -q dan ||
    fail "the result does not say what the changed cohort shows"
grep -q 'subtracts .*dan' "$work/run/ann/log.txt" ||
    fail "ann was not told before: $(cat "$work/run/ann/log.txt")"
