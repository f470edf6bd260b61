# on_loss: stop: a member is lost before its Y, and every other node ends with
# that reason, without a result.
. "$(dirname "$0")/lib.sh"
study "$work/study.yaml" 's/^on_loss: wait/on_loss: stop/'
cat >>"$work/study.yaml" <<END
network: {crash: [{site: dan, round: 2, at: before-y}]}
END
status=0
"$starling" sim cluster "$work/study.yaml" --out "$work/run" 2>"$work/run.err" ||
    status=$?
[ $status = 1 ] || fail "exit status $status, expected 1"
for site in ann ben cyd eve; do
    grep -qi 'stopped.*dan' "$work/run/$site/log.txt" ||
        fail "$site does not say why: $(cat "$work/run/$site/log.txt")"
    [ ! -e "$work/run/$site/result.json" ] || fail "$site left a result"
done
[ ! -e "$work/run/result.json" ] || fail "a result of a stopped study"
tail -n 1 "$work/run.err" | grep -q 'starling: .*dan' ||
    fail "the cluster does not say why: $(tail -n 1 "$work/run.err")"
