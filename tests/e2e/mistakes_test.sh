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

# Which rows are whose.
world() { # STATUS PATTERN STUDY, and a cluster of it: the same complaint
    complains "$1" "$2" "$starling" sim world "$3" --out "$work/wrong"
    complains "$1" "$2" "$starling" sim cluster "$3" --out "$work/wrong" --quiet
}
study "$work/sitee.yaml" 's/column: site,/column: sitee,/'
world 1 "cohort.csv:1: found no column 'sitee'.*nearest is 'site'" "$work/sitee.yaml"
complains 1 "found no column 'sitee'" "$starling" run "$work/sitee.yaml" --as ann --check
cut -d, -f2- "$here/cohort.csv" >"$work/own.csv"
"$starling" run "$work/study.yaml" --as ann --check --data "$work/own.csv" >"$work/check"
grep -q "own.csv has no column 'site': all its rows are taken" "$work/check" ||
    fail "--check is silent about the filter: $(cat "$work/check")"
grep -q "^rows  *$(($(grep -c . "$work/own.csv") - 1)): " "$work/check" ||
    fail "--check counts other rows: $(cat "$work/check")"
"$starling" run "$work/study.yaml" --as ann --check >"$work/check"
grep -q "^rows  *$(grep -c '^ann,' "$here/cohort.csv"): " "$work/check" ||
    fail "--check counts others' rows: $(cat "$work/check")"

# Steps and penalty are for all sites' rows: that those of the smallest site do
# not bear them alone is no fault.
training "$work/ridge.yaml" fedavg 'max: 9, step: 0.2, local_steps: 20' 'lanes: 64'
sed -i 's/target: y/target: y\n  l2: 1000/' "$work/ridge.yaml"
"$starling" sim world "$work/ridge.yaml" --out "$work/ridge" >/dev/null
"$starling" run "$work/ridge.yaml" --as eve --check >"$work/check" ||
    fail "--check refuses rows that can take part"
grep -q 'leaves *fedavg' "$work/check" && grep -q 'alone, whose fit runs away' "$work/check" ||
    fail "--check does not say what is tried: $(cat "$work/check")"

# A cluster speaks of the files that the user has.
changed() { # NAME AWK: a study of changed rows
    awk -F, -v OFS=, "$2 { print }" "$here/cohort.csv" >"$work/$1.csv"
    sed "s|data: cohort.csv|data: $work/$1.csv|" "$here/cohort.yaml" >"$work/$1.yaml"
}
changed word 'NR == 150 { $4 = "much" }'
world 1 "word.csv:150: column 'dose': found 'much'" "$work/word.yaml"
changed huge '$1 == "cyd" { $4 = "3e18" }'
world 1 "cyd .*huge.csv: column 'dose' holds numbers beyond 1e15" "$work/huge.yaml"
changed few '$1 == "eve" && $2 == "test" && seen++ { next }'
world 1 'eve .*few.csv: found 1 test rows, expected none, or 5 at least' "$work/few.yaml"

# The command line.
complains 2 'unknown flag --kil .did you mean --kill' "$starling" demo --kil
complains 2 'unknown flag --jsn .did you mean --json' "$starling" sim cluster --jsn
complains 2 'unknown flag --sed .did you mean --seed' "$starling" sim world --sed 4
complains 2 'see starling sim --help' "$starling" sim wrld
complains 1 'found 3 members, of which 1 may lie' "$starling" sim world \
    "$here/siege.yaml" --chaos --members 3-3 --seeds 1-2
complains 2 'ann@z@3, expected .* before-keys, keys' "$starling" sim cluster \
    "$work/study.yaml" --out "$work/x" --kill ann@z@3
complains 0 'ann was not killed: round 99 never came' "$starling" sim cluster \
    "$work/study.yaml" --out "$work/x" --quiet --kill ann@y@99
cluster 1 'features: found an empty list' 's/^  method/  features: []\n  method/'

# One class at one site is noted, with its name, in a result of either kind.
changed some '$1 == "cyd" { $6 = 1 }'
"$starling" sim world "$work/some.yaml" --out "$work/some" >/dev/null
"$json" get "$work/some/result.json" notes 0 | grep -q '^cyd: all training rows' ||
    fail "a world's result does not say that cyd has one class"
"$starling" sim cluster "$work/some.yaml" --out "$work/some" --quiet
"$json" get "$work/some/result.json" notes 1 | grep -q '^cyd: all training rows' ||
    fail "a cluster's result does not say that cyd has one class"

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
