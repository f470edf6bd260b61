# Two pods of three real processes that add up their sums have, bit for bit, the
# state of one pod of six, also where a node of each is killed and comes back.
. "$(dirname "$0")/lib.sh"
. "$here/pods.sh"
people "$work/people.csv" 2 3 600
pods_study "$work/study.yaml" 2 3 'method: newton' 'max: 30' 'mode: exact'
pods_study "$work/one.yaml" 2 3 'method: newton' 'max: 30' ''
"$starling" sim cluster "$work/one.yaml" --out "$work/one" 2>"$work/one.err"
"$starling" sim cluster "$work/study.yaml" --out "$work/run" \
    --kill p0s1@unmask@2+50 --kill p1s0@y@3+50 2>"$work/run.err" ||
    fail "$(tail -n 3 "$work/run.err")"
for site in p0s1 p1s0; do
    grep -q "$site killed in round" "$work/run.err" || fail "$site was not killed"
done
expected=$("$json" get "$work/one/result.json" state_hash)
for pod in 0 1; do
    [ "$("$json" get "$work/run/result.json" pods $pod state_hash)" = "$expected" ] ||
        fail "pod $pod has another state than one pod of all sites"
    for i in 0 1 2; do
        "$json" same "$work/run/p${pod}s$i/result.json" "$work/one/result.json" \
            coefficients 1 estimate || fail "p${pod}s$i has other coefficients"
    done
done
echo "state hash $expected in both pods, and in one pod of all sites"

# The same of a model that is trained by rounds; in lanes of 16 bits it ends near.
rounds='max: 12, local_steps: 5, step: 0.5'
pods_study "$work/study.yaml" 2 3 'method: fedavg' "$rounds" 'mode: exact'
pods_study "$work/narrow.yaml" 2 3 'method: fedavg' "$rounds" 'mode: exact' \
    'sum: {lanes: 16}'
pods_study "$work/one.yaml" 2 3 'method: fedavg' "$rounds" ''
"$starling" sim world "$work/one.yaml" --out "$work/one" >"$work/one.err" 2>&1
for study in study narrow; do
    "$starling" sim cluster "$work/$study.yaml" --out "$work/$study" \
        2>"$work/run.err" || fail "$(tail -n 3 "$work/run.err")"
done
"$json" same "$work/study/p1s2/result.json" "$work/one/result.json" state_hash ||
    fail "pods train another model than one pod of all sites"
one=$(loss_of "$work/one/result.json")
narrow=$(loss_of "$work/narrow/result.json" pods 1)
echo "loss $one, in lanes of 16 bits $narrow"
within "the loss in lanes of 16 bits" "$narrow" "$one" 1e-4
[ "$narrow" != "$one" ] || fail "lanes of 16 bits round nothing"
