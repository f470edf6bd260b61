# The demonstration, on the table if it is here, else on made-up patients.
. "$(dirname "$0")/lib.sh"
told() {
    grep -qE "$1" "$work/story" || fail "the story lacks '$1': $(cat "$work/story")"
}
"$starling" demo --out "$work/made" --kill hill@3 >"$work/story" </dev/null
told 'these 600 are made up'
told 'nothing but their sum can be opened, and only$'
told 'when 3 of the five sign for it'
told 'hill is killed in round 3'
told 'hill is started again'
told 'largest difference .* [0-9.]+e-(0[7-9]|[1-9][0-9])\.'
table=$shared/data/breast-cancer-wdbc
if [ -e "$table/breast_cancer.csv" ]; then
    "$starling" demo --out "$work/real" --data "$table" >"$work/story"
    told '569 patients'
    told 'river is killed in round 4 .*after it sent its masked vector'
    told 'rebuild the masks of river'
    told "its slice of the sum is completed from [a-z]+'s copy"
    told 'river has caught up'
    told '^ *radius_mean '
    for site in north harbour hill river lake; do
        told "^$site is up"
        told "^ *$site +[0-9.]+ +[0-9.]+ +[0-9]+$"
    done
    "$starling" demo --out "$work/calm" --data "$table" --kill none \
        >"$work/story"
    ! grep -q 'is killed' "$work/story" || fail "somebody died"
    "$json" same "$work/calm/result.json" "$work/real/result.json" state_hash
fi
complains 0 'river was not killed: round 99 never came' "$starling" demo \
    --out "$work/spared" --kill river@99
complains 2 'kill NAME@ROUND' "$starling" demo --kill nobody@4
complains 1 'breast_cancer.csv' "$starling" demo --data "$work/none" --out "$work/none"
