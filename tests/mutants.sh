#!/usr/bin/env bash
# Each tests/mutants/*.patch takes one check out; a test has to go red for it.
#   tests/mutants.sh [NAME...]   builds a scratch copy and tries all, or these
#   tests/mutants.sh --list      what there is
#   tests/mutants.sh --table     the same as docs/mutants.md
#   tests/mutants.sh --check     whether all still apply and name real tests
#   tests/mutants.sh --refresh   writes anew what applies only loosely
# A patch begins with lines `Attack:`, `Check:` and `Test: CTEST [FUNCTION]`.
# JOBS (2): copies tried at the same time. TMPDIR needs 100 MB for each.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 2
top=$PWD patches=tests/mutants jobs=${JOBS:-2} limit=120 work=

say() { printf 'mutants: %s\n' "$*" >&2; }
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
field() { sed -n "1,/^---/s/^$1: //p" "$patches/$2.patch"; }
names() { # all, by attack and name
    local file name
    for file in "$patches"/*.patch; do
        name=$(basename "$file" .patch)
        printf '%03d %s\n' "$(field Attack "$name" | grep -o '^[0-9]*')" "$name"
    done | sort | cut -d ' ' -f 2
}
target() { # CTEST: what to build for it
    case $1 in
    e2e.*) echo all ;;
    *.timing) echo "timing_${1%.timing}" ;;
    *) echo "test_${1/./_}" ;;
    esac
}

list() {
    local name
    for name in $(names); do
        printf '%-34s %-4s %s\n' "$name" "$(field Attack "$name")" \
            "$(field Test "$name")"
    done
}

table() {
    local name test attack all missing=
    cat <<'END'
# Every check that can be taken out, and who notices

Written by `tests/mutants.sh --table`; `tests/mutants.sh` builds a scratch copy
and shows for each line that without the check the test is red, and green with
it. The attacks are those of PROTOCOL.md, section 9; `-` is none: a wrong result.

| attack | the check | mutant | test |
|---|---|---|---|
END
    for name in $(names); do
        test=$(field Test "$name")
        printf '| %s | %s | `%s` | `%s` |\n' "$(field Attack "$name")" \
            "$(field Check "$name")" "$name" "${test/ /\`: \`}"
    done
    all=" $(for name in $(names); do field Attack "$name"; done | tr ',\n' '  ') "
    for attack in $(seq 32); do
        [[ $all == *" $attack "* ]] || missing+=", $attack"
    done
    [ -z "$missing" ] || printf '\nNo mutant yet: %s.\n' "${missing#, }"
}

# Where the sources of a ctest entry are.
sources_of() {
    local file=tests/${1%%.*}/${1#*.}
    case $1 in
    *.timing) echo "tests/timing/${1%.timing}_timing.c" ;;
    e2e.*) echo "${file}_test.sh" ;;
    *) echo "${file}_test.c" ;;
    esac
}
check() {
    local name test function status=0
    command -v git >/dev/null || { echo 'SKIPPED: no git here'; exit 77; }
    for name in $(names); do
        read -r test function <<<"$(field Test "$name")"
        git apply --check "$patches/$name.patch" 2>&1 ||
            { status=1; say "$name does not apply"; }
        [ -n "$(field Check "$name")" ] &&
            grep -qw -- "$function" "$(sources_of "$test")" ||
            { status=1; say "$name names no test: $test $function"; }
    done
    table | cmp -s - docs/mutants.md ||
        { status=1; say 'docs/mutants.md is not what --table writes'; }
    return $status
}

copy() { # FOLDER: what git knows, as it stands
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard |
        tar -c --null --ignore-failed-read -T - 2>/dev/null | tar -x -C "$1"
}
build() { # TARGET...; without -Werror: what a mutant leaves is unused
    cmake --build build --parallel "$((($(nproc) + jobs - 1) / jobs))" \
        --target "$@" >build.log 2>&1
}
run() { # CTEST: 0 green, 1 red, 77 skipped; what it said is in test.log
    ctest --test-dir build -R "^${1/./\\.}\$" --no-tests=error --timeout $limit \
        --output-on-failure >test.log 2>&1 || return 1
    ! grep -q 'Skipped' test.log || return 77
}
seen() { # FUNCTION: it failed, or was the last to run
    [ -z "$1" ] || grep -q "FAILED  \] $1\$" test.log ||
        [ "$(sed -n 's/.*RUN      \] //p' test.log | tail -n 1)" = "$1" ]
}

attempt() { # NAME: one word
    local name=$1 test function patch=$top/$patches/$1.patch word
    read -r test function <<<"$(field Test "$name")"
    git apply "$patch" 2>/dev/null || { echo 'does not apply'; return; }
    if ! build "$(target "$test")"; then
        word='does not build'
    elif run "$test"; then
        word=GREEN
    elif [ $? = 77 ]; then
        word=SKIPPED
    elif seen "$function"; then
        word=red
    else
        word='red elsewhere'
    fi
    git apply -R "$patch"
    echo "$word"
}

worker() { # FOLDER NAME...: writes FOLDER/../rows/NAME
    local folder=$1 name start word test
    shift
    [ $# -gt 0 ] || return 0
    copy "$folder"
    cd "$folder" || return 1
    local tests
    tests=$(for name; do field Test "$name" | cut -d ' ' -f 1; done | sort -u)
    # shellcheck disable=SC2046 # lists of words
    cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_C_FLAGS=-O1 >build.log 2>&1 &&
        build $(for test in $tests; do target "$test"; done | sort -u) ||
        { tail -n 20 build.log >&2; return 1; }
    for test in $tests; do
        run "$test" || { say "$test is not green unchanged"; tail test.log >&2
            return 1; }
    done
    for name; do
        start=$SECONDS
        word=$(attempt "$name")
        say "$name: $word"
        printf '%-34s %-4s %-15s %4d s  %s\n' "$name" "$(field Attack "$name")" \
            "$word" $((SECONDS - start)) "$(field Test "$name")" \
            >"../rows/$name"
    done
}

try() { # NAME...
    local name i=0 status=0 red=0
    local -a part
    work=$(mktemp -d) || exit 2
    export GIT_CEILING_DIRECTORIES=$work # the copies are nobody's repository
    mkdir "$work/rows"
    for name; do
        [ -f "$patches/$name.patch" ] || { say "no such mutant: $name"; exit 2; }
        part[i++ % jobs]+=" $name"
    done
    for ((i = 0; i < jobs; i++)); do
        # shellcheck disable=SC2086 # names have no spaces
        (worker "$work/$i" ${part[i]:-}) &
    done
    for ((i = 0; i < jobs; i++)); do
        wait -n || status=1
    done
    printf '%-34s %-4s %-15s %6s  %s\n' mutant for test '' 'which has to be red'
    for name; do
        cat "$work/rows/$name" 2>/dev/null ||
            printf '%-34s      not tried\n' "$name"
        grep -q ' red  ' "$work/rows/$name" 2>/dev/null && red=$((red + 1))
    done
    printf '%d of %d tests are red without their check\n' "$red" $#
    [ $status = 0 ] && [ $red = $# ]
}

refresh() { # by patch(1), which allows for changed lines around
    local name status=0 file
    work=$(mktemp -d) || exit 2
    copy "$work/a"
    cp -r "$work/a" "$work/b"
    for name in $(names); do
        file=$top/$patches/$name.patch
        git apply --check "$file" 2>/dev/null && continue
        if (cd "$work/b" && patch -s -p1 --no-backup-if-mismatch -F 3 \
            -r - <"$file" >/dev/null); then
            { sed '/^---/,$d' "$file"
              (cd "$work" && diff -r -U2 a b | sed '/^diff /d
                  s/^\(--- [^\t]*\|+++ [^\t]*\)\t.*/\1/'); } >"$work/new"
            cp "$work/new" "$file"
            say "$name: written anew, read it"
        else
            status=1
            say "$name: does not apply at all"
        fi
        rm -rf "$work/b"
        cp -r "$work/a" "$work/b"
    done
    return $status
}

case ${1:-} in
--list) list ;;
--table) table ;;
--check) check ;;
--refresh) refresh ;;
-*) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
'') # shellcheck disable=SC2046
    try $(names) ;;
*) try "$@" ;;
esac
