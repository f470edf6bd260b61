# Breast cancer and retina, ridge, every column of the file: real processes give
# the coefficients of the pooled reference.
. "$(dirname "$0")/lib.sh"
need_shared data/breast-cancer-wdbc/wdbc.csv
need_shared data/retina-debrecen/retina-prepared.csv
need_shared reference/breast-cancer-wdbc.txt
need_shared reference/retina-debrecen.txt

ridge() { # NAME CSV SITES L2
    cat <<END
version: 1
study: $1
sites:
$(for i in $(seq 0 $(($3 - 1))); do
        echo "  - {name: site$i, data: $2, rows: {column: site, equals: site$i}}"
    done)
task:
  kind: logistic
  method: newton
  target: y
  split: {column: set, train: train, test: test}
  l2: $4
rounds: {deadline_ms: ${DEADLINE_MS:-2000}, grace_ms: 100, linger_ms: 1000}
END
}
reference() { # CSV REFERENCE LAMBDA: "name estimate", names from the header
    names=$(head -n 1 "$1" | tr -d '\r' | tr ',' '\n' | sed -e 1,2d -e '$d')
    values=$(awk -v want="lambda=$3," 'index($0, "ridge logistic") == 1 {
            on = index($0, want) > 0 }
        on && /^w\[0\]/ { sub(/^[^:]*: /, ""); print }' "$2" | tr ' ' '\n')
    names=$(printf '(intercept)\n%s\n' "$names")
    echo "$names" >"$work/names"
    echo "$values" >"$work/values"
    [ "$(wc -l <"$work/names")" = "$(wc -l <"$work/values")" ] ||
        fail "the reference has other columns than $1"
    paste -d ' ' "$work/names" "$work/values"
}
check() { # NAME CSV REFERENCE SITES L2 LAMBDA
    ridge "$1" "$shared/$2" "$4" "$5" >"$work/$1.yaml"
    "$starling" sim cluster "$work/$1.yaml" --out "$work/$1" 2>"$work/$1.err"
    reference "$shared/$2" "$shared/$3" "$6" >"$work/$1.expected"
    "$json" against "$work/$1/result.json" 1e-6 <"$work/$1.expected"
    rm -r "$work/$1"
}
wdbc=data/breast-cancer-wdbc/wdbc.csv retina=data/retina-debrecen/retina-prepared.csv
check wdbc $wdbc reference/breast-cancer-wdbc.txt 4 1 1.0
check wdbc $wdbc reference/breast-cancer-wdbc.txt 4 10 10.0
check retina $retina reference/retina-debrecen.txt 5 1 1.0
check retina $retina reference/retina-debrecen.txt 5 0.01 0.01
