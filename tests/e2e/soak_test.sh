# Four nodes wait for a fifth that is started and killed again and again, and for
# a sixth that never comes, or they would finish: each time new links and a new
# attempt, and no more memory, file descriptors or threads than after the first
# ones. BUILD [TIMES]
. "$(dirname "$0")/lib.sh"
times=${2:-12}
study "$work/study.yaml" "/name: eve/{p;s/name: eve/name: fay/}"
stage "$work/study.yaml" "$work/run"
nodes=
for site in ann ben cyd dan; do
    node "$work/run" "$site"
    nodes="$nodes $pid"
done
sample() { # of all waiting nodes: kB, descriptors, threads
    for of in $nodes; do
        awk '/^VmRSS/ { kb = $2 } /^Threads/ { print kb, $2 }' /proc/"$of"/status
        find /proc/"$of"/fd | wc -l
    done | awk 'NF == 2 { kb += $1; threads += $2 } NF == 1 { files += $1 }
        END { print kb, files, threads }'
}
attempts() { grep -c '"attempt"' "$work/run/ann/events.jsonl" || true; }
for time in $(seq "$times"); do
    node "$work/run" eve
    await "$work/run/eve/events.jsonl" '"link_up"'
    kill -9 "$pid"
    wait "$pid" 2>/dev/null || true
    [ "$time" != $((times / 4)) ] || first=$(sample)
done
last=$(sample)
echo "after $((times / 4)) times: $first; after $times: $last (kB, files, threads of four); $(attempts) attempts"
echo "$first $last" | awk '{ exit !($4 < $1 + 4 * 1024 && $5 <= $2 + 16 && $6 <= $3) }' ||
    fail "it grows: $first, then $last"
