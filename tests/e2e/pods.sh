# Sourced after lib.sh by the tests of several pods: made-up people at sites
# p0s0, p0s1, ... that differ in size and case mix.
people() { # FILE PODS SIZE PEOPLE
    awk -v pods="$2" -v size="$3" -v people="$4" '
        function uniform() {
            seed = (seed * 16807) % 2147483647
            return seed / 2147483647
        }
        function normal() {
            return sqrt(-2 * log(uniform())) * cos(6.283185307 * uniform())
        }
        BEGIN {
            seed = 20261124
            print "site,x1,x2,y"
            for (i = 0; i < people; i++) {
                site = int(pods * size * uniform() ^ 1.5)
                if (i < 8 * pods * size)
                    site = i % (pods * size)
                p = int(site / size)
                a = normal() + 0.8 * (p % 2) - 0.4
                b = 0.6 * normal() + 0.2 * (site % size)
                y = uniform() < 1 / (1 + exp(-0.4 - 0.9 * a + 0.7 * b))
                printf "p%ds%d,%.6f,%.6f,%d\n", p, site % size, a, b, y
            }
        }' >"$1"
}
# PODS-KEYS with '; ' between them; without any the sites are one pod.
pods_study() { # FILE PODS SIZE TASK ROUNDS PODS-KEYS [MORE LINES]
    {
        printf 'version: 1\nstudy: pods\nsites:\n'
        for p in $(seq 0 $(($2 - 1))); do
            for i in $(seq 0 $(($3 - 1))); do
                name=p${p}s$i
                echo "  - {name: $name, data: $work/people.csv," \
                    "rows: {column: site, equals: $name}}"
            done
        done
        echo "task: {kind: logistic, target: y, standardise: none, $4}"
        echo "rounds: {deadline_ms: ${DEADLINE_MS:-2000}, grace_ms: 100, linger_ms: 1500, $5}"
        if [ -n "$6" ]; then
            printf 'pods:\n  sites: ['
            for p in $(seq 0 $(($2 - 1))); do
                [ "$p" = 0 ] || printf ', '
                printf '[%s]' "$(seq -f "p${p}s%g" -s ', ' 0 $(($3 - 1)))"
            done
            printf ']\n'
            echo "  $6" | sed 's/; /\n  /g'
        fi
        [ -z "${7:-}" ] || echo "$7"
    } >"$1"
}
# The mean negative log likelihood of all people under a pod's coefficients.
loss_of() { # RESULT KEYS...
    result=$1
    shift
    w0=$("$json" get "$result" "$@" coefficients 0 estimate)
    w1=$("$json" get "$result" "$@" coefficients 1 estimate)
    w2=$("$json" get "$result" "$@" coefficients 2 estimate)
    awk -F, -v w0="$w0" -v w1="$w1" -v w2="$w2" 'NR > 1 {
            eta = w0 + w1 * $2 + w2 * $3
            sum += log(1 + exp($4 == 1 ? -eta : eta))
            n++
        } END { printf "%.10f\n", sum / n }' "$work/people.csv"
}
