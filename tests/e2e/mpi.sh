#!/bin/sh
# Several processes that share the nodes leave the same files as one, byte by
# byte. Of a build with -DMPI=ON.
. "$(dirname "$0")/lib.sh"
command -v mpirun >/dev/null || {
    echo 'skipped: no mpirun'
    exit 77
}
# On one machine, without its network; in a container, as root.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_plm=isolated OMPI_MCA_oob_tcp_if_include=lo
export OMPI_MCA_btl=self,vader OMPI_MCA_btl_vader_single_copy_mechanism=none

awk -v folder="$work" 'BEGIN {
    for (i = 0; i < 5000; i++)
        print sin(i) "," cos(i) "," sin(i * i + 1) >(folder "/all.csv")
    print "a,b,y" >(folder "/rows.csv")
    for (r = 0; r < 15000; r++)
        print sin(3 * r) "," cos(r * r) "," r % 3 >(folder "/rows.csv")
    for (t = 0; t < 400; t++)
        print t "," t % 20 "," (t + 1) % 20 >(folder "/wake.csv") }'
printf '6,3\n7,3\n8,3\n8,5\n12,0\n' >"$work/offline.csv"
printf '5,0,1\n6,0,1\n7,0,1\n8,0,1\n9,1,2\n' >"$work/drop.csv"
printf '5,4,10\n5,6,-3\n' >"$work/lies.csv"

consensus='problem: {kind: consensus, init: init.csv}
algorithms:
- {name: gossip}
- {name: push-sum}
- {name: pairwise}
- {name: clipped-gossip, tau: 0.3}
- {name: choco-gossip, gamma: 0.3, unsafe: yes, compressor: {kind: rand-k, k: 1}}'
learning='problem: {kind: model, model: softmax, data: rows.csv, target: y, batch: 4, noise: 0.01}
algorithms:
- {name: dgd-cta, step: 0.1}
- {name: dgd-atc, step: 0.1}
- {name: extra, step: 0.1}
- {name: d2, step: 0.1, weights: {rule: lazy-metropolis}}
- {name: gt-cta, step: 0.1}
- {name: gt-atc, step: 0.1}
- {name: push-pull, step: 0.1}
- {name: sgp, step: 0.1}
- {name: momentum-tracking, step: 0.1, beta: 0.9}
- {name: relaysgd, step: 0.1, graph: {name: bintree}}
- {name: fedavg, step: 0.1, local_steps: 2}
- {name: scaffold, step: 0.1, local_steps: 2}
- {name: kgt, step: 0.1, server_step: 0.5, local_steps: 2}
- {name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 2}
- {name: choco-sgd, step: 0.1, gamma: 0.2, unsafe: yes, compressor: {kind: sign}}
- {name: beer, step: 0.1, gamma: 0.2, unsafe: yes, compressor: {kind: top-k, k: 2}}
- {name: epidemic, step: 0.1, degree: 2}
- {name: teleportation, step: 0.1, tokens: 4}
- {name: adpsgd, step: 0.1}
- {name: dgd-atc, step: 0.1, graph: {name: base, k: 1}, label: base}
- {name: gt-atc, step: 0.1, graph: {name: one-peer-exponential}, label: one-peer}'

alone() { # OUT, ARGS
    "$starling" sim converge "$work/run.yaml" --out "$work/$1" --threads 1 \
        >"$work/lines" 2>&1 </dev/null || fail "$(cat "$work/lines")"
}
spread_in_place() { # PROCESSES, OUT, ARGS: becomes mpirun
    count=$1 out=$work/$2
    shift 2
    cd "$work"
    exec mpirun -n "$count" --oversubscribe sh "$work/numbered.sh" "$starling" \
        sim converge "${where:-$work/}run.yaml" --out "$out" "$@" \
        >"$work/lines" 2>&1 </dev/null
}
spread() { (spread_in_place "$@"); }
cat >"$work/numbered.sh" <<END
echo \$\$ >"$work/process.\$OMPI_COMM_WORLD_RANK"
[ \$OMPI_COMM_WORLD_RANK != "\${ASTRAY:-none}" ] || cd /
exec "\$@"
END
same() { # OUT OUT
    for file in trajectories.csv spectrum.json manifest.json report.html; do
        cmp "$work/$1/$file" "$work/$2/$file"
    done
    [ ! -e "$work/$2/.runs" ] || fail 'the kept runs are still there'
}
try() { # NODES, STEPS, PROCESSES, MORE, REST
    printf 'version: 1\nnodes: %s\nsteps: %s\n%s\n%s\n' "$1" "$2" "$4" "$5" \
        >"$work/run.yaml"
    head -n "$1" "$work/all.csv" >"$work/init.csv"
    sed -n '2,4p' "$work/run.yaml" | paste -s -d ' '
    rm -rf "$work/one" "$work/many"
    alone one
    for count in $3; do
        spread "$count" many || fail "$count: $(cat "$work/lines")"
        [ "$(grep -c '^after' "$work/lines")" = 1 ] ||
            fail "not one that speaks: $(cat "$work/lines")"
        same one many
    done
}
ring='graph: {name: ring}'
# Who averages exactly or wanders does not go with nodes that are away.
there=$(echo "$learning" | grep -vE 'fedavg|scaffold|teleportation')
# More processes than nodes, sums that go on from one to the next, whole blocks.
try 20 20 '2 5' "$ring" "$consensus"
try 20 20 2 "$ring
network: {wake: wake.csv}" "$consensus"
try 20 20 2 "$ring
network: {byzantine: lies.csv}" "$(echo "$consensus" | grep -v pairwise)"
try 3 5 5 "$ring" "$consensus"
try 2500 6 2 'graph: {name: regular, degree: 4}' "$consensus"
try 5000 6 2 'graph: {name: one-peer-exponential}' "$(echo "$consensus" | head -n 4)"
try 20 20 '2 3' "$ring" "$learning"
try 20 20 2 "$ring
precision: float32" "$learning"
try 20 20 3 "$ring
network: {offline: offline.csv, drop: drop.csv, loss: 0.1, compute_ms: 3, latency_ms: 2}" \
    "$there"
try 5000 4 2 "$ring" "$(echo "$learning" | head -n 8)"
try 20 10 2 "$ring
network: {compute_ms: 3, compute_law: exponential, latency_ms: 2, barrier: neighbourhood, offline: 0.1}" \
    "$there"
try 20 10 2 "$ring
network: {compute_ms: 3, compute_law: exponential, latency_ms: 2, barrier: none, offline: 0.1}" \
    "$(echo "$learning" | grep -v '^- {name' ; echo '- {name: adpsgd, step: 0.1}')"

# One is killed, once there is a checkpoint: mpirun ends the others. One process
# goes on from what two have left, and two from what one has left.
cat >"$work/run.yaml" <<END
version: 1
nodes: 20
steps: 5000
every: 100
$ring
$(echo "$learning" | head -n 2)
- {name: relaysgd, step: 0.1, graph: {name: bintree}}
END
alone one
kill_one() { # OUT, RANK: at a checkpoint
    while [ ! -e "$work/$1/.runs/0.at" ]; do
        kill -0 "$children" 2>/dev/null || fail "it ended: $(cat "$work/lines")"
    done
    kill -9 "$(cat "$work/process.$2")"
    ! wait "$children" || fail 'mpirun says that all went well'
    children=
    [ ! -e "$work/$1/trajectories.csv" ] || fail 'it was too fast to be killed'
}
spread_in_place 2 left --checkpoint-every 100 &
children=$!
kill_one left 1
cp -r "$work/left" "$work/more"
alone left
grep -q '^relaysgd: goes on after step' "$work/lines" || fail 'it began anew'
same one left
spread 3 more || fail "$(cat "$work/lines")"
grep -q '^relaysgd: goes on after step' "$work/lines" || fail 'it began anew'
same one more
rm "$work/process".*
OMPI_COMM_WORLD_RANK=0 sh "$work/numbered.sh" "$starling" sim converge \
    "$work/run.yaml" --out "$work/single" --checkpoint-every 100 \
    >"$work/lines" 2>&1 </dev/null &
children=$!
kill_one single 0
spread 2 single || fail "$(cat "$work/lines")"
grep -q '^relaysgd: goes on after step' "$work/lines" || fail 'it began anew'
same one single

# A mistake is told once; one process alone in trouble ends all of them.
export ASTRAY=2 where=./
! spread 3 astray || fail 'a process without the file took part'
[ "$(grep -c '^starling: ' "$work/lines")" = 1 ] ||
    fail "not one line: $(cat "$work/lines")"
grep -q '^starling: ./run.yaml: No such file' "$work/lines"
unset ASTRAY where
sed -i 's/bintree/bintre/' "$work/run.yaml"
! spread 3 wrong || fail 'a wrong graph was taken'
[ "$(grep -c '^starling: .*bintree' "$work/lines")" = 1 ] ||
    fail "not one line: $(cat "$work/lines")"
