# Sourced after lib.sh by the tests with bad networks and killed nodes.
weather=$build/e2e_weather

# A study of COUNT sites n1, n2, ... that share the cohort's rows evenly;
# $sites are their names.
many_sites() { # COUNT TO DEADLINE_MS
    sites=$(seq -f n%.0f "$1" | tr '\n' ' ')
    awk -F, -v OFS=, -v count="$1" 'NR > 1 { $1 = "n" dealt[$2]++ % count + 1 } 1' \
        "$here/cohort.csv" >"$work/rows.csv"
    {
        printf 'version: 1\nstudy: siege\non_loss: wait\nsites:\n'
        for site in $sites; do
            printf '  - {name: %s, data: %s, ' "$site" "$work/rows.csv"
            printf 'rows: {column: site, equals: %s}}\n' "$site"
        done
        # LONG: ten sums, one of them long; else a few short ones, which a line
        # of 256 kbit/s takes in a test's time
        if [ -n "${LONG:-}" ]; then
            printf 'task:\n  kind: logistic\n  method: newton\n  target: y\n'
        else
            printf 'task:\n  kind: linear\n  method: newton\n  target: dose\n'
            printf '  features: [age, smoker]\n'
        fi
        printf '  split: {column: set, train: train, test: test}\n'
        printf 'rounds: {max: 40, deadline_ms: %s, linger_ms: %s}\n' "$3" "$3"
    } >"$2"
}
# What a good network comes to, in $work/quiet.
quiet() { # STUDY
    "$starling" sim cluster "$1" --out "$work/quiet" 2>"$work/quiet.err"
}
# Node i of a staged study moves to 10.77.0.i.
spread() { # OUT
    awk '/127\.0\.0\.1:/ { sub(/127\.0\.0\.1:[0-9]+/, "10.77.0." ++i ":4100") } 1' \
        "$1/study.yaml" >"$1/spread.yaml"
    mv "$1/spread.yaml" "$1/study.yaml"
}
# Starts node NUMBER of the network, in $pid; a COMMAND before it may limit it.
launch() { # OUT NUMBER [COMMAND...]
    launch_out=$1 number=$2
    shift 2
    in="$weather in $number $*" STARLING_TAPE=$launch_out/n$number/tape.txt \
        node "$launch_out" "n$number"
}
# Every node of a run that has ended came to what the good network came to.
exact() { # OUT
    for site in $sites; do
        "$json" same "$1/$site/result.json" "$work/quiet/result.json" state_hash &&
            "$json" near "$1/$site/result.json" "$work/quiet/result.json" 0 ||
            fail "$site came to another result"
    done
}
