#!/bin/sh
# The lab reproduces every column of the reference folder, through experiment
# files that it writes from the formulas; without the folder, what is known in
# closed form.
. "$(dirname "$0")/lib.sh"

verify() { # FEWEST FACTS, ARGS
    fewest=$1
    shift
    "$starling" sim verify --quick --failures "$@" >"$work/facts" ||
        fail "a known fact does not hold: $(cat "$work/facts")"
    passed=$(tail -n 1 "$work/facts" | cut -d ' ' -f 1)
    [ "$passed" -ge "$fewest" ] || fail "only $passed facts were checked"
}
# Mistakes, and a folder without the files: told, not passed over.
complains 1 'none: found no folder' "$starling" sim verify "$work/none"
complains 2 'did you mean --quick' "$starling" sim verify --quik
complains 1 'none.yaml: No such file' "$starling" sim converge \
    "$work/none.yaml" --out "$work/x"
complains 2 'found no --out' "$starling" sim converge "$work/none.yaml"
mkdir "$work/empty" # the closed forms alone
! "$starling" sim verify --quick "$work/empty" >"$work/facts" ||
    fail 'an empty folder is fine'
grep -qE '^1[3-9][0-9] pass, 26 fail, 3 skipped$' "$work/facts" ||
    fail "a known fact does not hold: $(grep FAIL "$work/facts")"
[ "$(grep -c '\(csv\|json\) *FAIL: .*No such file' "$work/facts")" = 26 ] ||
    fail "a missing file was not told: $(grep FAIL "$work/facts")"
# Stopped on the way it leaves nothing behind.
mkdir "$work/scratch"
TMPDIR=$work/scratch "$starling" sim verify >"$work/facts" 2>"$work/stopped" &
stopped=$!
await "$work/facts" '^fact'
kill -TERM "$stopped"
! wait "$stopped" || fail 'a stopped verification is fine'
grep -q 'stopped by signal 15' "$work/stopped" || fail 'it does not say so'
[ -z "$(ls "$work/scratch")" ] || fail 'its folder is left'

# An experiment's own files: the same bytes for any number of threads.
seq 1 12 >"$work/x.csv"
cat >"$work/e.yaml" <<'END'
version: 1
nodes: 12
graph: {name: torus, rows: 3, columns: 4}
problem: {kind: consensus, init: x.csv}
steps: 20
algorithms:
  - {name: gossip}
  - {name: choco-gossip, gamma: 0.3, compressor: {kind: sign}, label: signs}
seeds: [1, 2]
END
for threads in 1 2; do
    "$starling" sim converge "$work/e.yaml" --out "$work/$threads" --quiet \
        --threads $threads >"$work/lines"
done
cmp "$work/1/trajectories.csv" "$work/2/trajectories.csv"
head -n 1 "$work/1/trajectories.csv" | grep -q '^step,gossip:err,gossip:err_ci95'
[ "$(wc -l <"$work/1/trajectories.csv")" = 22 ] || fail 'not a row for each step'
within lambda2 "$("$json" get "$work/1/spectrum.json" lambda2)" 0.6 1e-12
grep -q "signs" "$work/1/report.html"
cmp "$work/1/report.html" "$work/2/report.html"

# A report of what diverges and of labels that HTML would take for its own:
# every tag closed, nothing fetched.
well_formed() {
    awk 'BEGIN { RS = "<" }
        NR == 1 || /^!/ { next }
        { tag = $0; sub(/>.*/, "", tag); split(tag, word, /[ \n]/) }
        tag ~ /^\// { if (open[depth--] != substr(tag, 2)) exit 1; next }
        tag !~ /\/$/ { open[++depth] = word[1] }
        END { exit depth != 0 }' "$1" || fail "$1 is not well-formed"
    ! grep -qiE 'https?:|src=|href=|url\(|@import' "$1" ||
        fail "$1 takes something from elsewhere"
    ! command -v xmllint >"$work/xmllint" || xmllint --noout "$1"
}
well_formed "$work/1/report.html"
{
    printf 'node,k,c,a0\n'
    for i in 0 1 2 3; do printf '%s,0,%s,1\n' $i $i; done
} >"$work/q.csv"
cat >"$work/wild.yaml" <<'END'
version: 1
nodes: 4
graph: {name: ring}
problem: {kind: quadratic, file: q.csv}
steps: 2000
algorithms:
  - {name: dgd-atc, step: 9, label: "<a b='x'>&'</svg>"}
  - {name: scaffold, step: 0.5, local_steps: 5}
network: {compute_ms: 1}
END
"$starling" sim converge "$work/wild.yaml" --out "$work/wild" --json \
    >"$work/wild.json" 2>"$work/lines"
[ "$("$json" get "$work/wild.json" steps)" = 2000 ]
well_formed "$work/wild/report.html"
grep -q '<td>diverged</td>' "$work/wild/report.html"
grep -q '&#60;a b=&#39;x&#39;&#62;&#38;' "$work/wild/report.html"
for axis in steps 'bytes sent by all nodes' 'virtual milliseconds'; do
    [ "$(grep -c ">$axis</text>" "$work/wild/report.html")" = 3 ] ||
        fail "not three charts against $axis"
done
tail -n 1 "$work/wild/trajectories.csv" | grep -q '^2000,nan,nan,nan,'
grep -q "x.csv" "$work/1/manifest.json"

# What fails leaves nothing behind but finished runs: a mistake in the last
# entry, a disk that is full (files of 5 KiB at most) at the end.
sed 's/label: signs}/label: signs}\n  - {name: relaysgd, step: 0.1}/' "$work/e.yaml" \
    >"$work/last.yaml"
complains 1 'last.yaml:9: relaysgd: found a (consensus problem|graph)' \
    "$starling" sim converge "$work/last.yaml" --out "$work/last"
[ ! -e "$work/last" ] || fail 'a mistake left a folder'
full() {
    trap '' XFSZ
    ulimit -f 10
    exec "$starling" sim converge "$1" --out "$2" --quiet
}
! (full "$work/e.yaml" "$work/full") 2>"$work/full.err" >"$work/lines" ||
    fail 'a full disk is fine'
grep -q 'html.part: File too large; is the disk full' "$work/full.err" ||
    fail "a full disk: $(cat "$work/full.err")"
[ "$(ls -A "$work/full")" = .runs ] || fail "left: $(ls -A "$work/full")"
"$starling" sim converge "$work/e.yaml" --out "$work/full" --quiet >"$work/lines"
cmp "$work/1/trajectories.csv" "$work/full/trajectories.csv"
cp "$work/1/trajectories.csv" "$work/kept"
! (full "$work/e.yaml" "$work/1") 2>"$work/full.err" >"$work/lines" ||
    fail 'a full disk is fine'
cmp "$work/1/trajectories.csv" "$work/kept" # the older results are whole
for file in x.csv e.yaml; do # as another system's editor saves them
    sed 's/$/\r/' "$work/$file" >"$work/lines"
    cp "$work/lines" "$work/$file"
done
"$starling" sim converge "$work/e.yaml" --out "$work/crlf" --quiet >"$work/lines"
cmp "$work/1/trajectories.csv" "$work/crlf/trajectories.csv"

need_shared reference/decentralized/README.md
reference=$shared/reference/decentralized
verify 1000 "$reference"

# Every value that is changed is seen: a copy in which all are.
cp -r "$reference" "$work/changed"
change() { # FILE FIRST COLUMN, AWK CONDITION on rows and column c
    awk -F, -v OFS=, "NR > 1 { for (c = $2; c <= NF; c++) if ($3)
        \$c = sprintf(\"%.17g\", \$c + 0.05 * (1 + (\$c < 0 ? -\$c : \$c))) } 1" \
        "$reference/$1" >"$work/changed/$1"
}
for file in choco_gossip clipped_gossip consensus d2_torus4x4 loss_churn \
    logistic_trajectories pairwise_schedule push_sum quad_trajectories \
    virtual_clock; do
    change $file.csv 2 'NR == 5'
done
change base_graph_length.csv 3 1
change geometric_radius.csv 2 1
change static_exponential.csv 2 1
change fastest_mixing.csv 3 1
change large_n_consensus.csv 4 1
change pairwise_expected.csv 3 'c != 4'
change spectral.csv 3 'c == 3 + NR % 11 || (c == 7 && NR % 11 == 3)'
for file in "$work"/changed/*.json; do # a digit of every long fraction
    sed 's/\([0-9]\.[0-9]\{3\}\)4\([0-9]*\)/\19\2/; t
        s/\([0-9]\.[0-9]\{3\}\)[0-9]\([0-9]*\)/\14\2/' "$file" >"$work/json"
    cp "$work/json" "$file"
done
! "$starling" sim verify --quick "$work/changed" >"$work/facts" ||
    fail 'a changed folder is fine'
for file in "$work"/changed/*.csv; do
    name=${file##*/}
    grep -q "^$name .*FAIL$" "$work/facts" || fail "$name changed, all is fine"
    ! grep "^$name .*pass$" "$work/facts" | grep -v 'product of rounds\|could be built' ||
        fail "$name: a column's change was not seen"
done
for name in quad_states closed_forms base_graph_n25_k1; do
    grep -q "^$name.json .*FAIL$" "$work/facts" || fail "$name changed, all is fine"
done

# Other headers, fewer or more rows and columns, words for numbers.
rm -r "$work/changed"
cp -r "$reference" "$work/changed"
cd "$work/changed"
rm virtual_clock.csv
sed '1s/ring_25_mh/ring_24_mh/' "$reference/consensus.csv" >consensus.csv
cut -d, -f1-5 "$reference/push_sum.csv" >push_sum.csv
sed 's/\r*$/,0/' "$reference/loss_churn.csv" >loss_churn.csv
head -n 200 "$reference/quad_trajectories.csv" >quad_trajectories.csv
cat "$reference/geometric_radius.csv" - >geometric_radius.csv <<END
200,7
END
sed '9s/,[^,]*$/,nan/' "$reference/choco_gossip.csv" >choco_gossip.csv
sed '9s/,[^,]*$/,/' "$reference/clipped_gossip.csv" >clipped_gossip.csv
: >d2_torus4x4.csv
head -c 3000 "$reference/quad_states.json" >quad_states.json
sed 's/"zeta2"/"zeta"/' "$reference/closed_forms.json" >closed_forms.json
cd "$here"
! "$starling" sim verify --quick --failures "$work/changed" >"$work/facts" ||
    fail 'a changed folder is fine'
for told in 'virtual_clock.csv *FAIL: .*No such file' \
    "consensus.csv *FAIL: column 6: found 'ring_24_mh', expected 'ring_25_mh'" \
    "push_sum.csv *FAIL: column 5: found '', expected 'naive_row_avg_mse" \
    "loss_churn.csv *FAIL: column 15: found " \
    'quad_trajectories.csv *FAIL: found fewer than 201 rows' \
    'geometric_radius.csv *FAIL: found more than 6 rows' \
    "choco_gossip.csv *FAIL: line 9: found 'nan' as exact, expected a number" \
    "clipped_gossip.csv *FAIL: line 9: found '' as tau1e+09:good_var" \
    'd2_torus4x4.csv *FAIL: .*empty' 'quad_states.json *FAIL: ' \
    'closed_forms.json *Q: zeta^2 .*FAIL'; do
    grep -q "^$told" "$work/facts" || fail "no '$told' in: $(cat "$work/facts")"
done
