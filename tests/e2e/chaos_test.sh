# Five real nodes in bad weather: loss, delay, cuts that heal, kill -9 with a
# return, SIGSTOP with SIGCONT; then the result of a good network, bit for bit,
# nothing signed twice, nothing reused. BUILD [STUDIES [SEED]]; the seed fixes
# the weather and the plan of events.
[ -n "${STARLING_WEATHER:-}" ] || exec "$1/e2e_weather" 5 "seed ${3:-1}" \
    'latency 20' 'loss 0.02' -- sh "$0" "$@"
. "$(dirname "$0")/lib.sh"
. "$here/siege.sh"
studies=${2:-1} seed=${3:-1} events=8 number=0
many_sites 5 "$work/study.yaml" "${DEADLINE_MS:-3000}"
quiet "$work/study.yaml"
begin() { # NUMBER
    launch "$work/run" "$1"
    eval "pid_$1=$pid"
}
event() { # MOMENT WHAT NODE [MORE]
    sleep "$1"
    eval "victim=\$pid_$3"
    case $2 in
    kill)
        kill -9 "$victim" 2>/dev/null || return 0 # it has finished
        wait "$victim" 2>/dev/null || true
        sleep "$4"
        begin "$3" ;;
    stop)
        kill -STOP "$victim" 2>/dev/null || return 0
        sleep "$4"
        kill -CONT "$victim" 2>/dev/null || true ;;
    cut)
        "$weather" say "partition $4"
        sleep 0.6
        "$weather" say heal ;;
    loss) "$weather" say "loss $4" ;;
    line) "$weather" say "latency $4 10" "kbit $((100000 / ($4 + 10)))" ;;
    esac
}
while [ $number -lt "$studies" ]; do
    number=$((number + 1))
    rm -f "$work/stage.out"
    stage "$work/study.yaml" "$work/run"
    stager=$!
    spread "$work/run"
    for node in 1 2 3 4 5; do begin $node; done
    awk -v seed="$seed$number" -v count=$events 'BEGIN {
        srand(seed)
        split("kill kill stop cut loss line", what, " ")
        split("1,2|3,4,5 1|2,3,4,5 1,3,5|2,4 1|2|3|4|5", side, " ")
        for (; count > 0; count--) {
            w = what[1 + int(6 * rand())]
            more = w == "cut" ? side[1 + int(4 * rand())] : \
                w == "loss" ? int(15 * rand()) / 100 : \
                w == "line" ? int(80 * rand()) : int(1000 * rand()) / 1000
            print int(400 * rand()) / 1000, w, 1 + int(5 * rand()), more
        } }' >"$work/plan"
    while read -r moment what node more; do
        event "$moment" "$what" "$node" "$more"
    done <"$work/plan"
    for node in 1 2 3 4 5; do
        eval "wait \$pid_$node" ||
            fail "n$node ended with status $?: $(cat "$work/plan")"
    done
    exact "$work/run"
    "$build/e2e_tapes" "$work/run" >"$work/tapes.out"
    kill "$stager" && wait "$stager" 2>/dev/null || true
    children=
    rm -rf "$work/run"
done
echo "$number studies in bad weather, seed $seed: exact, nothing signed twice"
