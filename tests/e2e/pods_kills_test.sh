# Kills -9 in a study of two pods, of any node, at any moment, started again each
# time: in each pod one state, in mode exact that of a quiet run, and on the tapes
# of all lives no second vector offered in a step and no second vote.
# BUILD [STUDIES [SEED]].
. "$(dirname "$0")/lib.sh"
. "$here/pods.sh"
studies=${2:-2} seed=${3:-1} per_study=6 killed=0
people "$work/people.csv" 2 3 600
pods_study "$work/gossip.yaml" 2 3 'method: dgd' 'max: 30, step: 2' \
    'graph: ring; method: gt-atc; rows: 600; patience_ms: 500'
pods_study "$work/exact.yaml" 2 3 'method: newton' 'max: 30' 'mode: exact'
pods_study "$work/quiet.yaml" 2 3 'method: newton' 'max: 30' ''
"$starling" sim world "$work/quiet.yaml" --out "$work/exact" >"$work/exact.err" 2>&1
start() { # SITE
    STARLING_TAPE=$work/run/$1/tape.txt node "$work/run" "$1"
    eval "pid_$1=$pid"
}
one_study() { # KIND NUMBER
    rm -f "$work/stage.out"
    stage "$work/$1.yaml" "$work/run"
    stager=$!
    for site in p0s0 p0s1 p0s2 p1s0 p1s1 p1s2; do start $site; done
    awk -v seed="$seed$2" -v count=$per_study 'BEGIN {
        srand(seed)
        for (; count > 0; count--)
            printf "p%ds%d %.3f %.3f\n", 2 * rand(), 3 * rand(),
                0.2 * rand(), 0.02 + 0.2 * rand() }' >"$work/moments"
    while read -r site moment away; do
        sleep "$moment"
        eval "victim=\$pid_$site"
        kill -9 "$victim" 2>/dev/null || continue # it has finished
        wait "$victim" 2>/dev/null || true
        killed=$((killed + 1))
        sleep "$away"
        start "$site"
    done <"$work/moments"
    for pod in 0 1; do
        quiet=$work/exact/result.json
        [ "$1" = exact ] || quiet=$work/run/p${pod}s0/result.json
        for site in p${pod}s0 p${pod}s1 p${pod}s2; do
            eval "wait \$pid_$site" || fail "$site ended with status $? (seed $seed$2)"
            "$json" same "$work/run/$site/result.json" "$quiet" state_hash ||
                fail "another state at $site ($1, seed $seed$2)"
        done
    done
    "$build/e2e_tapes" "$work/run" >"$work/tapes.out" ||
        fail "the tapes of seed $seed$2"
    grep 'of pods' "$work/tapes.out"
    kill "$stager"
    wait "$stager" 2>/dev/null || true
    children=
    rm -rf "$work/run"
}
for number in $(seq "$studies"); do
    one_study gossip "$number"
    one_study exact "$number"
done
[ $killed -gt 0 ] || fail "nobody was killed"
echo "$killed kills in $studies pairs of studies, seed $seed: one state a pod, nothing offered or voted twice"
