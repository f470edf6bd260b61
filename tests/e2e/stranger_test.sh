# Somebody with another CURVE key, who calls himself ben: no answer, and a line
# in the log of the node that he called. A node's own keys are checked at home.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
stage "$work/study.yaml" "$work/run"
mkdir -p "$work/strange/ben"
cp "$work/run/ben/rows.csv" "$work/strange/ben/"
key=$("$starling" init --no-passphrase --out "$work/strange/ben/node.keys" 2>"$work/init.err")
awk -v key="$key" '/name: ben/ { sub(/key: [^}]*/, key) } { print }' \
    "$work/run/study.yaml" >"$work/strange/study.yaml"
cmp -s "$work/run/study.yaml" "$work/strange/study.yaml" &&
    fail "the stranger is no stranger"
node "$work/run" ann
ann=$pid
node "$work/strange" ben
ben=$pid
await "$work/run/ann/log.txt" 'refused|stranger|unknown key' 10
! grep -q '"event": *"differs"\|"paired"' "$work/strange/ben/events.jsonl" ||
    fail "the stranger was answered"
kill $ann $ben

cp "$work/strange/ben/node.keys" "$work/run/cyd/node.keys"
complains 1 'key' "$starling" run "$work/run/study.yaml" --as cyd \
    --data "$work/run/cyd/rows.csv" --keys "$work/run/cyd/node.keys" \
    --out "$work/run/cyd"
