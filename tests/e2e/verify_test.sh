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
mkdir "$work/empty"
verify 120 "$work/empty" # the closed forms alone
grep -q '^quad_trajectories.csv *SKIPPED' "$work/facts" ||
    fail "a missing file was not told: $(cat "$work/facts")"

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
grep -q '"lambda2": 0.6' "$work/1/spectrum.json"
grep -q "signs" "$work/1/report.html"
cmp "$work/1/report.html" "$work/2/report.html"
grep -q "x.csv" "$work/1/manifest.json"

need_shared reference/decentralized/README.md
verify 900 "$shared/reference/decentralized"
