#!/bin/sh
# The example experiments show what is published, and one that is killed
# resumes and ends with the same files.
. "$(dirname "$0")/lib.sh"
docs=$here/../../docs

converge() { # EXPERIMENT, OUT
    "$starling" sim converge "$1" --out "$work/$2" --quiet --threads 1 \
        >"$work/$2.lines"
}
last() { # OUT, COLUMN: its last value
    awk -F, -v name="$2" 'NR == 1 { for (c = 1; c <= NF; c++) if ($c == name) at = c }
        END { if (!at) exit 1; print $at }' "$work/$1/trajectories.csv" ||
        fail "no column $2"
}
holds() { # EXPRESSION over numbers
    awk "BEGIN { exit !($1) }" || fail "not so: $1"
}

# Message loss 0, 1, 10 %: RelaySGD and SGP hold, D2 breaks.
converge "$docs/lab-loss.yaml" loss
for name in relaysgd sgp; do
    holds "$(last loss $name@0.1:err) < 0.05"
    holds "$(last loss $name@0.01:err) < 1.5 * $(last loss $name@0:err) + 0.01"
done
holds "$(last loss d2@0:err) < 0.02"
holds "$(last loss d2@0.01:err) > 3 * $(last loss d2@0:err)"
holds "$(last loss d2@0.1:err) > 30 * $(last loss d2@0:err)"

# alpha 1, 0.1, 0.01: what gradient tracking and K-GT gain grows.
converge "$docs/lab-unlike.yaml" unlike
for alpha in 1 0.1 0.01; do
    for name in gt-atc kgt; do
        holds "$(last unlike $name@$alpha:cons) < 1e-5 * $(last unlike dgd-atc@$alpha:cons)"
        holds "$(last unlike $name@$alpha:gap) < $(last unlike dgd-atc@$alpha:gap)"
    done
done
holds "$(last unlike dgd-atc@0.01:cons) > $(last unlike dgd-atc@0.1:cons)"
holds "$(last unlike dgd-atc@0.1:cons) > $(last unlike dgd-atc@1:cons)"

# Ten values and five seeds, killed half way, against the whole run.
cp "$docs/lab-targets.csv" "$work"
sed -e 's/^steps: .*/steps: 2000/' -e 's/^every: .*/every: 20/' \
    -e 's/values: .*/values: [0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1]}/' \
    "$docs/lab-loss.yaml" >"$work/long.yaml"
converge "$work/long.yaml" whole
kill_after() { # RUN: starts or goes on, and is killed once that one is kept
    "$starling" sim converge "$work/long.yaml" --out "$work/part" --quiet \
        --threads 1 >/dev/null &
    children=$!
    for _ in $(seq 2000); do
        [ ! -e "$work/part/.runs/$1" ] || break
        sleep 0.01
    done
    kill -9 $children
    wait $children || true
    children=
    [ -e "$work/part/.runs/$1" ] || fail "run $1 was not kept"
    [ ! -e "$work/part/trajectories.csv" ] || fail 'it was too fast to be killed'
}
kill_after 20
before=$(ls -i "$work/part/.runs/1" "$work/part/.runs/20")
kill_after 60
[ "$(ls -i "$work/part/.runs/1" "$work/part/.runs/20")" = "$before" ] ||
    fail 'what was kept was computed again'
cp "$work/part/.runs/3" "$work/kept"
: >"$work/part/.runs/4" # a file that a crash cut short does not count
converge "$work/long.yaml" part
for file in trajectories.csv spectrum.json manifest.json report.html; do
    cmp "$work/whole/$file" "$work/part/$file"
done
[ ! -e "$work/part/.runs" ] || fail 'the kept runs are still there'

# What was kept of another experiment does not count either.
mkdir -p "$work/other/.runs"
cp "$work/kept" "$work/other/.runs/3"
converge "$docs/lab-loss.yaml" other
cmp "$work/loss/trajectories.csv" "$work/other/trajectories.csv"
complains 1 "found the key 'network.los', which has no value in this file" \
    "$starling" sim converge --out "$work/x" "$(
        sed 's/network.loss/network.los/' "$work/long.yaml" >"$work/wrong.yaml"
        echo "$work/wrong.yaml"
    )"
