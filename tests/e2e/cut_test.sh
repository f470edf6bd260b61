# Three transports on a network that parts: two say nothing to each other, the third
# goes on talking to both. Each notices that the others are gone, whether anything
# was said or not, and when the network is whole again all are linked as before.
[ -n "${STARLING_WEATHER:-}" ] || exec "$1/e2e_weather" 3 'seed 3' 'latency 1' \
    -- sh "$0" "$@"
. "$(dirname "$0")/lib.sh"
weather=$build/e2e_weather peer=$build/test_node_transport
[ -x "$peer" ] || exit 77 # built without cmocka
for member in 0 1 2; do
    mode=tell
    [ $member != 2 ] || mode=talk
    "$weather" in $((member + 1)) "$peer" $member $member heart $mode \
        tcp://10.77.0.1:4100 tcp://10.77.0.2:4100 tcp://10.77.0.3:4100 \
        >"$work/$member.out" 2>"$work/$member.err" </dev/null &
    children="$children $!"
done
all_say() { # WORD COUNT SECONDS: of each other, so often
    for member in 0 1 2; do
        for other in 0 1 2; do
            [ $member = $other ] || await_times "$work/$member.out" "$1 $other" "$2" "$3"
        done
    done
}
await_times() { # FILE LINE COUNT SECONDS
    for _ in $(seq $(($4 * 20))); do
        [ "$(grep -cx "$2" "$1")" -lt "$3" ] || return 0
        sleep 0.05
    done
    fail "not $3 times '$2' in ${1#"$work"/}: $(cat "$1")"
}
all_say up 1 20
for time in 1 2; do
    "$weather" say 'partition 1|2|3'
    all_say down $time 20 # never without keepalive or the user timeout
    "$weather" say heal
    all_say up $((time + 1)) 20
done
