#!/bin/sh
# Writes what docs/lab.md tells a newcomer to write: alg_shrink.h, alg_shrink.c
# and alg.c with two more lines, under TO/sim/lab.
#   tests/newcomer.sh SOURCE TO
set -eu
source=$1 to=$2/sim/lab
mkdir -p "$to"
block() { # which of the document's blocks of C
    awk -v which="$1" '/^```c$/ { on = ++n == which; next } /^```/ { on = 0 } on' \
        "$source/docs/lab.md"
}
block 1 >"$to/alg_shrink.h"
block 2 >"$to/alg_shrink.c"
lines=$(cat "$to/alg_shrink.h" "$to/alg_shrink.c" | wc -l)
[ "$lines" -gt 20 ] && [ "$lines" -lt 58 ] || {
    echo "docs/lab.md: found an algorithm of $lines + 2 lines, expected under 60" >&2
    exit 1
}
sed -e 's|^#include "sim/lab/alg_sgp.h"|&\n#include "sim/lab/alg_shrink.h"|' \
    -e 's|&alg_meet_adpsgd,|& \&alg_shrink_dgd,|' \
    "$source/sim/lab/alg.c" >"$to/alg.c"
[ "$(grep -c alg_shrink "$to/alg.c")" = 2 ]
