# Sourced by the tests of this folder: $1 is the build folder.
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
starling=$build/starling json=$build/e2e_json
shared=${STARLING_SHARED:-$here/../../../shared}
work=$(mktemp -d)
children= mounts=
end() {
    status=$?
    for child in $children; do kill -9 "$child" 2>/dev/null || true; done
    [ $status = 0 ] || [ $status = 77 ] || tell_logs
    for mount in $mounts; do umount -l "$mount" || true; done
    if [ -z "${KEEP:-}" ]; then rm -rf "$work"; else echo "kept: $work" >&2; fi
    exit $status
}
trap end EXIT
trap 'exit 130' INT TERM

tell_logs() { # what the nodes said, for whoever reads a failed test's output
    for log in "$work"/*/log.txt "$work"/*/*/log.txt "$work"/*.err; do
        [ ! -s "$log" ] || { echo "-- ${log#"$work"/}"; tail -n 8 "$log"; }
    done >&2
}
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
need_shared() { # FILE of the shared data, or the test is skipped
    [ -e "$shared/$1" ] || {
        echo "skipped: no $1 in \$STARLING_SHARED"
        exit 77
    }
}
# FILE PATTERN [SECONDS]: waits until a line matches; fails after a while.
await() {
    for _ in $(seq $((${3:-15} * 20))); do
        ! grep -qsE "$2" "$1" || return 0
        sleep 0.05
    done
    fail "no line like '$2' in ${1#"$work"/}: $(tail -n 3 "$1" 2>&1)"
}
# EXPECTED STATUS, PATTERN, COMMAND...: one line on stderr, like the pattern.
complains() {
    expected=$1 pattern=$2 status=0
    shift 2
    timeout 20 "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
    [ $status = "$expected" ] ||
        fail "exit status $status, expected $expected: $* ($(cat "$work/stderr"))"
    [ "$(grep -c . "$work/stderr")" = 1 ] ||
        fail "not one line but: $(cat "$work/stderr")"
    grep -qE "$pattern" "$work/stderr" ||
        fail "no '$pattern' in: $(cat "$work/stderr")"
}
# The study of tests/e2e. Builds that run slowly want longer deadlines.
study() { # TO [SED EXPRESSION]
    sed -e "s|data: cohort.csv|data: $here/cohort.csv|" \
        -e "s/deadline_ms: 2000/deadline_ms: ${DEADLINE_MS:-2000}/" ${2:+-e "$2"} \
        "$here/cohort.yaml" >"$1"
}
# The same, trained by rounds.
training() { # TO METHOD ROUNDS SUM [LINE]
    study "$1" "s/method: newton/method: $2/"
    sed -i "s/^rounds: {max: 40,/rounds: {$3,/" "$1"
    printf 'sum: {%s}\n%s\n' "$4" "${5:-}" >>"$1"
}
# Folders, keys, addresses as a local cluster makes them, and ports kept free:
# the test starts the nodes itself, with `node OUT SITE [ARGS]` in $pid; $in is
# a command in front of it.
stage() { # STUDY OUT
    "$build/e2e_stage" "$1" "$2" >"$work/stage.out" 2>"$work/stage.err" &
    children="$children $!"
    await "$work/stage.out" '^ready'
}
node() {
    folder=$1/$2 site=$2 out=$1
    shift 2
    OPENBLAS_NUM_THREADS=1 ${in:-} "$starling" run "$out/study.yaml" --as "$site" \
        --data "$folder/rows.csv" --keys "$folder/node.keys" --out "$folder" \
        --store "$folder/node.store" --json "$@" \
        >"$folder/events.jsonl" 2>"$folder/log.txt" </dev/null &
    pid=$!
    children="$children $pid"
}

within() { # WHAT A B TOLERANCE
    awk -v a="$2" -v b="$3" -v t="$4" \
        'BEGIN { d = a - b; exit !(d <= t && -d <= t) }' ||
        fail "$1: found $2, expected $3 within $4"
}
