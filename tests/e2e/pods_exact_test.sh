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
