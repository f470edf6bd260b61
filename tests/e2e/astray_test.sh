# Training that goes wrong: one clear line, and no result.
. "$(dirname "$0")/lib.sh"
wrong() { # PATTERN METHOD ROUNDS SUM [SED EXPRESSION]
    training "$work/wrong.yaml" "$2" "$3" "$4"
    sed -i "${5:-}" "$work/wrong.yaml"
    complains 1 "$1" "$starling" sim world "$work/wrong.yaml" --out "$work/wrong"
    complains 1 "$1" "$starling" sim cluster "$work/wrong.yaml" --out "$work/wrong" \
        --quiet
    [ -z "$(find "$work/wrong" -name result.json)" ] || fail "a result: $1"
}
wrong 'training ran away: the loss was 0.69.*smaller step' fedsgd \
    'max: 16, step: 1000' 'lanes: 64'
wrong 'training runs away: .* too large to be summed' fedavg \
    'max: 16, step: 1000000, local_steps: 9' 'lanes: 64' '/split:/a\  standardise: none\n  l2: 100'
wrong 'value_bits: found 14, expected at most 13: 5 sites' fedavg 'max: 16' \
    'lanes: 16, value_bits: 14'
wrong "lanes: found 16, .*newton" newton 'max: 16' 'lanes: 16'
awk -F, -v OFS=, 'NR == 9 { $NF = 1.5 } { print }' "$here/cohort.csv" >"$work/bad.csv"
wrong "bad.csv:9: column 'y': found 1.5, expected a class, a whole number 0 to 2" \
    fedavg 'max: 16' 'lanes: 16' \
    "s|$here/cohort.csv|$work/bad.csv|;s/kind: logistic/kind: softmax\n  classes: 3/"
training "$work/narrow.yaml" fedavg 'max: 16' 'lanes: 16'
"$starling" run "$work/narrow.yaml" --as ann --check >"$work/check"
grep -q '^leaves    fedavg: .* in lanes of 16 bits, cut to +-1, masked' "$work/check" ||
    fail "--check is silent about lanes: $(cat "$work/check")"
