#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# usage: test_options.sh NVMELAB DOCS-HARNESS-MD
#
# Verbs and options of the program and of docs/harness.md agree, both ways.

set -eu
nvmelab=$1
docs=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Options that the docs name, per "### `verb`" section.
awk '/^### `/ { gsub(/[#` ]/, ""); verb = $0; next }
     /^## / { verb = "" }
     verb {
         line = $0
         while (match(line, /`[^`]*`/)) {
             code = substr(line, RSTART + 1, RLENGTH - 2)
             line = substr(line, RSTART + RLENGTH)
             n = split(code, words, /[ ,\/]+/)
             for (i = 1; i <= n; i++) {
                 if (words[i] ~ /^--[a-z]/) {
                     print verb, words[i]
                 }
             }
         }
     }' "$docs" | sort -u >"$work/docs"
"$nvmelab" --dump-options | sort -u >"$work/program"
diff -u "$work/docs" "$work/program" || {
    echo "docs/harness.md (-) and the program (+) disagree" >&2
    exit 1
}

# Every verb of the program is in the table of verbs, and the reverse.
"$nvmelab" --help | sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' | grep -v nvmelab |
    sort -u >"$work/verbs"
# shellcheck disable=SC2016
sed -n 's/^| `\([a-z]*\)[ `].*/\1/p' "$docs" |
    grep -xE 'doctor|kernel|run|qemu|trace|context|demo' | sort -u >"$work/table"
diff -u "$work/table" "$work/verbs" || {
    echo "verbs of docs/harness.md (-) and the program (+) disagree" >&2
    exit 1
}

# --help goes to stdout and is no error, for every verb.
while read -r verb; do
    "$nvmelab" "$verb" --help 2>"$work/err" | grep -q "nvmelab $verb"
    [ ! -s "$work/err" ]
done <"$work/verbs"
"$nvmelab" --version | grep -q '^nvmelab '
