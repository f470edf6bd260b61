# Four real hospitals in real processes: FedAvg's trajectory of the reference,
# in lanes of 64 bits and of 16.
. "$(dirname "$0")/lib.sh"
need_shared data/heart-disease/heart740.csv
need_shared reference/heart-disease.txt

heart() { # LOCAL STEPS, LANES
    cat <<END
version: 1
study: heart-fedavg
sites:
$(for site in cleveland hungarian switzerland va; do
        echo "  - {name: $site, data: $shared/data/heart-disease/heart740.csv," \
            "rows: {column: site, equals: $site}}"
    done)
task:
  kind: logistic
  method: fedavg
  target: y
  features: [age, sex, trestbps, chol, fbs, thalach, exang, oldpeak, cp2, cp3, cp4, restecg1, restecg2]
  split: {column: set, train: train, test: test}
rounds: {max: 103, step: 0.1, local_steps: $1, linger_ms: 1000}
sum: {lanes: $2}
END
}
reference() { # LOCAL STEPS: lines "round loss"; w of round r is measured in r + 2
    awk -v want="-- FedAvg: E=$1," 'index($0, "-- ") == 1 { on = index($0, want) == 1 }
        on && /global loss at round/ {
            gsub(/^ *global loss at round |[:,]/, " ")
            for (i = 1; i < NF; i += 2) print $i + 2, $(i + 1) }' \
        "$shared/reference/heart-disease.txt"
}
for steps in 5 20; do
    [ "$(reference $steps | wc -l)" -ge 7 ]
    for lanes in 64 16; do
        out=$work/$steps-$lanes
        heart $steps $lanes >"$out.yaml"
        "$starling" sim cluster "$out.yaml" --out "$out" 2>"$out.err"
        reference $steps | awk -F '[ ,]' -v lanes=$lanes -v name="E=$steps" '
            FNR == NR { loss[$1] = $2; last = $1; next }
            FNR > 1 && $1 in loss && (lanes == 64 || $1 == last) {
                off = $4 - loss[$1]; off = off < 0 ? -off : off
                most = off > most ? off : most; seen++ }
            END { print name ", lanes of " lanes " bits: off by " most
                  exit !(seen >= (lanes == 64 ? 7 : 1) &&
                         most < (lanes == 64 ? 1e-6 : 1e-3)) }' \
            - "$out/rounds.csv" || fail "E=$steps, lanes of $lanes bits"
    done
done
