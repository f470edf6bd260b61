# A newcomer's mistakes: one clear line each, and the right exit status.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
stage "$work/study.yaml" "$work/run"
run() { # STATUS PATTERN [ARGS], as ann; later ARGS win
    status=$1 pattern=$2
    shift 2
    complains "$status" "$pattern" "$starling" run "$work/run/study.yaml" \
        --as ann --data "$work/run/ann/rows.csv" \
        --keys "$work/run/ann/node.keys" --out "$work/results" "$@"
}
cluster() { # STATUS PATTERN [SED EXPRESSION]
    study "$work/wrong.yaml" "$3"
    complains "$1" "$2" "$starling" sim cluster "$work/wrong.yaml" \
        --out "$work/wrong" --quiet
}
rows=$work/run/ann/rows.csv

# Files and columns.
complains 1 'none.yaml: No such file' "$starling" sim cluster "$work/none.yaml" --out "$work/x"
run 1 'none.csv: No such file' --data "$work/none.csv"
run 1 'none.keys' --keys "$work/none.keys"
sed '1s/dose/dosis/' "$rows" >"$work/column.csv"
run 1 "column.csv:1: .*dose" --data "$work/column.csv"
sed '7s/,[0-9.]*,/,much,/2' "$rows" >"$work/text.csv"
sed '7s/[^,]*/much/4' "$rows" >"$work/text.csv"
run 1 "text.csv:7: .*much" --data "$work/text.csv"
head -n 1 "$rows" >"$work/empty.csv"
run 1 'empty.csv' --data "$work/empty.csv"

# The study.
cluster 1 'wrong.yaml:13: .*metod.*method' 's/method: newton/metod: newton/'
cluster 1 'wrong.yaml:.*3' '/name: [cde]/d'
cluster 1 'wrong.yaml:.*threshold' 's/^rounds:/sum: {threshold: 6}\nrounds:/'
cluster 1 "wrong.yaml:.*'zoe'|wrong.yaml:.*zoe" \
    's/^rounds:/network: {crash: [{site: zoe, round: 1, at: after-y}]}\nrounds:/'
cluster 1 'no row.*zoe' 's/equals: ann/equals: zoe/'
run 1 "zoe" --as zoe
run 2 'PHASE@ROUND|hold' --hold nonsense

# One class at every site: no model, said once and clearly.
awk -F, -v OFS=, 'NR > 1 { $6 = 1 } { print }' "$here/cohort.csv" >"$work/ones.csv"
sed "s|data: cohort.csv|data: $work/ones.csv|" "$here/cohort.yaml" >"$work/ones.yaml"
complains 1 'all .* rows of all sites have y=1' "$starling" sim cluster \
    "$work/ones.yaml" --out "$work/ones" --quiet
[ ! -e "$work/ones/result.json" ] || fail "a result of one class"

# The machine.
: >"$work/file"
run 1 'file/results: ' --out "$work/file/results"
complains 1 'file/results: .*folder' "$starling" sim cluster \
    "$work/study.yaml" --out "$work/file/results"
node "$work/run" ann
await "$work/run/ann/events.jsonl" '"started"'
run 1 'port is in use' --store "$work/second.store"
kill $pid
# A file size limit is met like a full disk, and needs no root.
(
    trap '' XFSZ
    ulimit -f 4
    run 1 '(full|large|room).*' --out "$work/full" --store "$work/full.store"
)
