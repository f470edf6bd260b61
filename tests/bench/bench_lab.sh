#!/bin/sh
# The lab beside a researcher's numpy, in one run, everything once a turn:
#   tests/bench/bench_lab.sh BUILD [BASELINES [TURNS]]
# BASELINES has gen_data.py, baseline_w1.py and baseline_w2.py, for which
# python3-numpy, -scipy and -networkx are needed; their data are made in a
# scratch directory unless BENCH_DATA names one. Without BASELINES the lab alone.
# One JSON line a case, the best of all turns, node-rounds per second and, "_cpu",
# per second of processor time (all threads'): the ratio to trust where others
# use the machine. numpy is the faster of its dense and its sparse product.
# TINY=1 only tries it.
#   gather  a plain gather alone beside the lab, and that with one read of each
#           node's data ("moves"): below 1 the lab is faster
#   copy    a plain copy of the states beside it
set -eu
build=$(cd "$1" && pwd) baselines=${2:-} turns=${3:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

if [ -n "$baselines" ]; then
    baselines=$(cd "$baselines" && pwd)
    if [ -z "${BENCH_DATA:-}" ]; then
        export BENCH_DATA="$work/data"
        /usr/bin/python3 "$baselines/gen_data.py" >&2
    fi
fi

# numpy CLOCK SCRIPT NODES ROUNDS ENGINE THREADS: its rate by that clock
numpy() {
    clock=$1 script=$baselines/$2.py
    shift 2
    /usr/bin/python3 -c '
import sys, time
time.time = getattr(time, sys.argv[1])
sys.argv = sys.argv[2:]
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"))' \
        "$clock" "$script" "$@" |
        sed -nE 's/.*"node_rounds_per_s": ([0-9.]+).*/\1/p'
}

# rates FILE: "NAME RATE" of every rate of a line of bench_converge
rates() {
    grep -oE '"(load|bytes_per_node|peak_bytes|[a-z_]+_per_(cpu_)?s)":[0-9.]+' "$2" |
        sed -E "s/\"([a-z_]+)\":/$1_\\1 /"
}

# one_case WORKLOAD NODES ROUNDS THREADS [NUMPY_ROUNDS ENGINE...]
one_case() {
    workload=$1 nodes=$2 rounds=$3 threads=$4
    shift 4
    : >"$work/rates"
    for _ in $(seq "$turns"); do
        for precision in float64 float32; do
            "$build/bench_converge" "$workload" "$nodes" "$rounds" "$threads" \
                "$precision" >"$work/line"
            rates "$precision" "$work/line" >>"$work/rates"
        done
        if [ -z "$baselines" ] || [ $# -lt 2 ]; then
            continue
        fi
        for engine in $(echo "$*" | cut -d ' ' -f 2-); do
            for clock in time process_time; do
                echo "$clock $(numpy $clock "baseline_$workload" "$nodes" \
                    "$1" "$engine" "$threads")" >>"$work/rates"
            done
        done
    done
    awk -v workload="$workload" -v nodes="$nodes" -v threads="$threads" '
        { if (!($1 in best) || $2 > best[$1]) best[$1] = $2 }
        function ratio(name, a, b) {
            if (best[a] > 0 && best[b] > 0)
                printf ",\"%s\":%.2f", name, best[a] / best[b]
        }
        function all(p) {
            rate = p "_node_rounds"
            printf ",\"%s\":%d,\"%s_cpu\":%d", p, best[rate "_per_s"], p,
                best[rate "_per_cpu_s"]
            ratio(p "/numpy", rate "_per_s", "time")
            ratio(p "/numpy_cpu", rate "_per_cpu_s", "process_time")
            ratio("gather/" p "_cpu", p "_gather_per_cpu_s", rate "_per_cpu_s")
            ratio("moves/" p "_cpu", p "_moves_per_cpu_s", rate "_per_cpu_s")
            ratio("copy/" p "_cpu", p "_copies_per_cpu_s", rate "_per_cpu_s")
            printf ",\"%s_bytes_per_node\":%d,\"%s_peak_bytes\":%.0f", p,
                best[p "_bytes_per_node"], p, best[p "_peak_bytes"]
        }
        END {
            printf "{\"workload\":\"%s\",\"n\":%d,\"threads\":%d,\"load\":%s",
                workload, nodes, threads, best["float64_load"]
            if (best["time"] > 0)
                printf ",\"numpy\":%d,\"numpy_cpu\":%d", best["time"],
                    best["process_time"]
            all("float64")
            all("float32")
            print "}"
        }' "$work/rates"
}

if [ "${TINY:-}" ]; then
    one_case w1 12 2 1
    one_case average 12 2 1
    exit
fi
one_case w1 100 1000 1 400 np npcsr
one_case w1 1000 200 1 100 np npcsr
one_case w1 1000 200 2 100 np npcsr
one_case w1 10000 20 1 20 npcsr
one_case w1 10000 20 2 20 npcsr
one_case w1 100000 4 1
one_case w2 16 20 2 20 np
one_case w2 64 10 2 10 np
one_case average 10000 100 1
one_case average 100000 20 1
one_case average 1000000 20 1
