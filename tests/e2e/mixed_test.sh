# Members on unlike machines: OpenBLAS kernels of several processors and other
# numbers of threads round differently, and still all states are one.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
"$starling" sim cluster "$work/study.yaml" --out "$work/alike" 2>"$work/alike.err"
"$starling" sim cluster "$work/study.yaml" --out "$work/mixed" \
    --env ann:OPENBLAS_CORETYPE=Haswell --env ann:OPENBLAS_NUM_THREADS=2 \
    --env ben:OPENBLAS_CORETYPE=Sandybridge --env ben:OPENBLAS_VERBOSE=2 \
    --env cyd:OPENBLAS_CORETYPE=Prescott --env cyd:OPENBLAS_VERBOSE=2 \
    --env dan:OPENBLAS_CORETYPE=Nehalem --env dan:OPENBLAS_NUM_THREADS=2 \
    2>"$work/mixed.err"
for site in ann ben cyd dan eve; do
    "$json" same "$work/mixed/$site/result.json" "$work/mixed/result.json" \
        state_hash || fail "$site has another state"
done
"$json" near "$work/mixed/result.json" "$work/alike/result.json" 1e-8
# The setting must have reached OpenBLAS, or the test shows nothing.
case $(uname -m) in x86_64)
    cat "$work/mixed/ben/log.txt" "$work/mixed/ben/events.jsonl" |
        grep -q 'Core: Sandybridge' || fail "ben ran on its usual kernels" ;;
esac
