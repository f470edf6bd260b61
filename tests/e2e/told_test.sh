#!/bin/sh
# What `starling sim converge` says while it works: how much memory a large run
# takes, before it is taken, and on a terminal how much time is left.
. "$(dirname "$0")/lib.sh"
seq 1 8 >"$work/x.csv"
printf 'a,y\n0.5,0\n-0.5,1\n' >"$work/rows.csv"

experiment() { # NODES, STEPS, HIDDEN
    cat >"$work/run.yaml" <<END
version: 1
nodes: $1
steps: $2
every: $2
graph: {name: ring}
problem: {kind: model, model: mlp, hidden: $3, data: rows.csv, target: y}
algorithms:
  - {name: dgd-atc, step: 0.1}
  - {name: dgd-atc, step: 0.2, label: again}
seeds: [1, 2]
END
}
converge() { # ARGS
    "$starling" sim converge "$work/run.yaml" --out "$work/out" --threads 1 \
        "$@" >"$work/lines" 2>"$work/told" </dev/null ||
        fail "$(cat "$work/told")"
}

# 4500 states and messages of 4002 numbers: 2 x 4500 x 4008 x 8 bytes.
experiment 4500 1 1000
converge
printf '%s: 4500 nodes of 4002 numbers take 0.27 GiB\n' dgd-atc again |
    cmp - "$work/told"
converge --quiet
[ ! -s "$work/told" ] || fail "not quiet: $(cat "$work/told")"
experiment 450 1 1000
converge
[ ! -s "$work/told" ] || fail "small, and told: $(cat "$work/told")"

# Two processes that know nothing of each other would write the same files.
ldd "$build/starling-sim" | grep -q libmpi || OMPI_COMM_WORLD_SIZE=2 complains 1 \
    'found 2 processes of one run, expected one.*-DMPI=ON' \
    "$starling" sim converge "$work/run.yaml" --out "$work/out"

# A terminal sees how far it is.
experiment 8 1000000000 10
script -qefc "exec '$starling' sim converge '$work/run.yaml' \
    --out '$work/long' --threads 1" "$work/terminal" >/dev/null </dev/null &
children=$!
await "$work/terminal" 'dgd-atc: step [0-9]+ of 1000000000, [0-9]+ s left'
