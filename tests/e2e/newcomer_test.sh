#!/bin/sh
# The algorithm that docs/lab.md adds, compiled out of its text, runs from an
# experiment file like any other and finds the optimum.
. "$(dirname "$0")/lib.sh"
{
    echo node,k,c,a0
    for i in 0 1 2 3 4 5 6 7 8 9 10 11; do
        echo "$i,0,$((i * 7 % 5)),$((1 + i % 3))"
    done
} >"$work/q.csv"
cat >"$work/e.yaml" <<'END'
version: 1
nodes: 12
graph: {name: ring}
problem: {kind: quadratic, file: q.csv}
steps: 2000
every: 1000
algorithms:
  - {name: shrink-dgd, step: 0.3}
  - {name: dgd-atc, step: 0.3}
END
"$build/newcomer" converge "$work/e.yaml" --out "$work/out" --quiet >"$work/lines"
err() { # LABEL: before, after
    awk -F, -v name="$1:err" 'NR == 1 { for (c = 1; c <= NF; c++) if ($c == name) at = c }
        NR == 2 { first = $at } END { print first, $at }' \
        "$work/out/trajectories.csv"
}
set -- $(err shrink-dgd) $(err dgd-atc)
awk "BEGIN { exit !($2 < $1 / 100 && $2 < $4 / 100) }" ||
    fail "shrink-dgd ends at $2, a fixed step at $4"
complains 1 "shrink-dgd: found W with column" "$build/newcomer" converge "$(
    sed 's/ring}/star}\nweights: {rule: uniform}/' "$work/e.yaml" >"$work/w.yaml"
    echo "$work/w.yaml"
)" --out "$work/out"
complains 1 "found the algorithm 'shrink-dgd'" "$starling" sim converge \
    "$work/e.yaml" --out "$work/out" # the program as it is has none

# The document's experiment runs as it stands, and so does its Python.
block() { # KIND: the first of the document's blocks of that kind
    awk -v kind="$1" '$0 == "```" kind && !n++ { on = 1; next } /^```/ { on = 0 } on' \
        "$here/../../docs/lab.md"
}
mkdir "$work/doc"
cd "$work/doc"
block yaml >torus.yaml
awk 'BEGIN { print "node,k,c,a0,a1"
    for (i = 0; i < 16; i++) printf "%d,0,%d,2,0\n%d,1,%d,0,1\n", i, i % 5, i, i % 3 }' >q.csv
"$starling" sim converge torus.yaml --out results --quiet >"$work/lines"
head -n 1 results/trajectories.csv | grep -q ',gt-atc:err,.*,d2_lazy:err,'
if command -v python3 >"$work/lines"; then
    block python >read.py
    [ "$(python3 read.py)" = "$(python3 -c "import csv
print(float(list(csv.DictReader(open('results/trajectories.csv')))[-1]['gt-atc:err']))")" ]
fi
