#!/bin/sh
# No branch and no address of PROGRAM may depend on what it marks as secret.
# Usage: tests/timing/run.sh PROGRAM. Skipped (77) where valgrind is not.
program=$1
unset DEBUGINFOD_URLS # nothing is fetched

command -v valgrind >/dev/null || { echo 'SKIPPED: no valgrind here'; exit 77; }
check() {
    valgrind --quiet --error-exitcode=99 --track-origins=yes "$program" "$@"
}

song=$(check canary 2>&1)
case $? in
77) echo "$song"; exit 77 ;;
99) ;;
*) printf 'a branch on a secret was not reported:\n%s\n' "$song"; exit 1 ;;
esac
check
