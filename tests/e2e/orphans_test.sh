# Whatever ends a cluster ends its nodes.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
cat >>"$work/study.yaml" <<END
network: {crash: [{site: dan, round: 1, at: before-y}]}
END
nodes() { # how many run
    count=0
    for line in /proc/[0-9]*/cmdline; do
        ! tr '\0' ' ' 2>/dev/null <"$line" | grep -q " run $1/study.yaml" ||
            count=$((count + 1))
    done
    echo $count
}
await_nodes() { # FOLDER COUNT
    for _ in $(seq 100); do
        [ "$(nodes "$1")" != "$2" ] || return 0
        sleep 0.05
    done
    return 1
}
for number in INT TERM KILL; do
    "$starling" sim cluster "$work/study.yaml" --out "$work/$number" \
        2>"$work/$number.err" &
    cluster=$!
    children="$children $cluster"
    # Four nodes wait for the fifth.
    await "$work/$number.err" '^dan killed'
    await_nodes "$work/$number" 4 || fail "the test sees no nodes"
    # A shell starts background jobs with SIGINT ignored; the cluster takes it.
    kill -$number $cluster
    status=0
    wait $cluster || status=$?
    [ $number = KILL ] || [ $status = 1 ] || fail "$number: status $status"
    await_nodes "$work/$number" 0 || fail "nodes outlive SIG$number"
done
