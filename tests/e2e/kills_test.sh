# Many kills -9 in a study, of any node, at any moment, started again each time:
# the result of a quiet run, and on the tapes of all lives nothing signed twice
# and no ephemeral key used again. BUILD [KILLS [SEED]]: as many kills, over as
# many studies as they take; the seed fixes who, when, for how long.
. "$(dirname "$0")/lib.sh"
kills=${2:-6} seed=${3:-1} per_study=6 done=0 number=0
study "$work/wait.yaml"
study "$work/active.yaml" 's/^trust: semi-honest/trust: active/'
for kind in wait active; do
    "$starling" sim cluster "$work/$kind.yaml" --out "$work/$kind" \
        2>"$work/$kind.err"
done
start() { # SITE
    STARLING_TAPE=$work/run/$1/tape.txt node "$work/run" "$1"
    eval "pid_$1=$pid"
}
# Ends when the study does, or after so many kills; waits for all nodes.
one_study() { # KIND
    rm -f "$work/stage.out" # the study before was ready, too
    stage "$work/$1.yaml" "$work/run"
    stager=$!
    for site in ann ben cyd dan eve; do start $site; done
    awk -v seed="$seed$number" -v count=$per_study 'BEGIN {
        split("ann ben cyd dan eve", name, " "); srand(seed)
        for (; count > 0; count--)
            print name[1 + int(5 * rand())], int(250 * rand()) / 1000,
                int(20 + 200 * rand()) / 1000 }' >"$work/moments"
    while read -r site moment away; do
        sleep "$moment"
        eval "victim=\$pid_$site"
        kill -9 "$victim" 2>/dev/null || continue # it has finished
        wait "$victim" 2>/dev/null || true
        done=$((done + 1))
        sleep "$away"
        start "$site"
    done <"$work/moments"
    for site in ann ben cyd dan eve; do
        eval "wait \$pid_$site" || fail "$site ended with status $? (seed $seed$number)"
        "$json" same "$work/run/$site/result.json" "$work/$1/result.json" \
            state_hash || fail "another result at $site (seed $seed$number)"
    done
    "$build/e2e_tapes" "$work/run" >"$work/tapes.out" ||
        fail "the tapes of seed $seed$number"
    kill "$stager"
    wait "$stager" 2>/dev/null || true
    children=
    rm -rf "$work/run"
}
while [ $done -lt "$kills" ]; do
    number=$((number + 1))
    one_study wait
    [ $done -ge "$kills" ] || one_study active
done
echo "$done kills in $number pairs of studies, seed $seed: exact, nothing signed twice, nothing reused"
