# Somebody with another CURVE key, who calls himself ann: no answer, and a line
# in the log of the node that he called. A node's own keys are checked at home.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
stage "$work/study.yaml" "$work/run"
mkdir -p "$work/strange/ann"
cp "$work/run/ann/rows.csv" "$work/strange/ann/"
key=$("$starling" init --no-passphrase --out "$work/strange/ann/node.keys" 2>"$work/init.err")
awk -v key="$key" '/name: ann/ { sub(/key: [^}]*/, key) } { print }' \
    "$work/run/study.yaml" >"$work/strange/study.yaml"
cmp -s "$work/run/study.yaml" "$work/strange/study.yaml" &&
    fail "the stranger is no stranger"
node "$work/run" ben
ben=$pid
node "$work/strange" ann
ann=$pid
await "$work/run/ben/log.txt" 'refused a stranger' 10
for folder in "$work/run/ben" "$work/strange/ann"; do
    ! grep -qE '"event":"(link_up|differs|paired)"' "$folder/events.jsonl" ||
        fail "there was an answer: $(cat "$folder/events.jsonl")"
done
kill $ann $ben

cp "$work/strange/ann/node.keys" "$work/run/cyd/node.keys"
complains 1 'key' "$starling" run "$work/run/study.yaml" --as cyd \
    --data "$work/run/cyd/rows.csv" --keys "$work/run/cyd/node.keys" \
    --out "$work/run/cyd"
