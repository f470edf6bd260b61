# Four real hospitals: coefficients, standard errors, deviance and AUC of the
# pooled analysis, without and with ridge.
. "$(dirname "$0")/lib.sh"
need_shared data/heart-disease/heart740.csv
need_shared reference/heart-disease.txt

heart() { # L2
    cat <<END
version: 1
study: heart
trust: semi-honest
on_loss: wait
sites:
$(for site in cleveland hungarian switzerland va; do
        echo "  - {name: $site, data: $shared/data/heart-disease/heart740.csv," \
            "rows: {column: site, equals: $site}}"
    done)
task:
  kind: logistic
  method: newton
  target: y
  features: [age, sex, trestbps, chol, fbs, thalach, exang, oldpeak, cp2, cp3, cp4, restecg1, restecg2]
  split: {column: set, train: train, test: test}
  l2: $1
rounds: {max: 50, deadline_ms: 2000, grace_ms: 100, linger_ms: 1000}
END
}
reference() { # SECTION: its lines "name estimate [std_error z]"
    awk -v want="== $1." 'index($0, "==") == 1 { on = index($0, want) == 1 }
        on && $1 != "deviance" && NF >= 2 && NF <= 4 && $2 ~ /^-?[0-9.e-]+$/ {
            sub(/\(Intercept\)/, "(intercept)")
            print $1, $2, NF == 4 ? $3 : ""
        }' "$shared/reference/heart-disease.txt"
}

heart 0 >"$work/plain.yaml"
"$starling" sim cluster "$work/plain.yaml" --out "$work/plain" 2>"$work/plain.err"
[ "$(reference 3 | wc -l)" = 14 ]
reference 3 | "$json" against "$work/plain/result.json" 1e-6
"$json" get "$work/plain/result.json" deviance |
    awk '{ exit !($1 - 406.336568833 < 1e-6 && 406.336568833 - $1 < 1e-6) }' ||
    fail "deviance"
"$json" get "$work/plain/result.json" metrics test auc |
    awk '{ exit !($1 - 0.88109 < 1e-4 && 0.88109 - $1 < 1e-4) }' || fail "auc"
[ "$("$json" get "$work/plain/result.json" n_train)" = 486 ]
folder=$work/plain/switzerland
"$starling" run "$work/plain/study.yaml" --as switzerland --check \
    --data "$folder/rows.csv" --keys "$folder/node.keys" >"$work/check" 2>&1
grep -q 'one class' "$work/check" ||
    fail "switzerland is not told that it has one class: $(cat "$work/check")"

heart 1 >"$work/ridge.yaml"
"$starling" sim cluster "$work/ridge.yaml" --out "$work/ridge" 2>"$work/ridge.err"
[ "$(reference 4 | wc -l)" = 14 ]
reference 4 | "$json" against "$work/ridge/result.json" 1e-6
[ "$("$json" get "$work/ridge/result.json" coefficients 1 std_error)" = null ]
