# Two nodes with other study files: within a second both say which field.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml"
stage "$work/study.yaml" "$work/run"
mkdir "$work/other"
cp -r "$work/run/ben" "$work/other/ben"
sed 's/^task:/task:\n  l2: 3/' "$work/run/study.yaml" >"$work/other/study.yaml"
node "$work/run" ann
ann=$pid
node "$work/other" ben
ben=$pid
for folder in "$work/run/ann" "$work/other/ben"; do
    await "$folder/log.txt" 'task\.l2' 5
    await "$folder/events.jsonl" '"event":"differs".*task\.l2' 5
    ms=$(sed -n '/"event":"differs"/{s/.*"ms":\([0-9]*\).*/\1/p;q}' \
        "$folder/events.jsonl")
    [ "$ms" -lt 1000 ] || fail "told only $ms ms after the start"
done
grep -q ben "$work/run/ann/log.txt" || fail "ann does not say who"
grep -q ann "$work/other/ben/log.txt" || fail "ben does not say who"
kill $ann $ben
