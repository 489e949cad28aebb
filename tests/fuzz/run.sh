#!/bin/sh
# Fuzz with libFuzzer: run.sh BUILD [TARGET [SECONDS]]; all targets unless told,
# a minute each. What is found is left in BUILD/fuzz/TARGET, crashes beside it.
set -eu

build=$1
target=${2:-}
seconds=${3:-60}
here=$(cd "$(dirname "$0")" && pwd)

for program in "$build"/tests/fuzz/fuzz_*; do
	test -f "$program" && test -x "$program" || continue
	name=${program##*/fuzz_}
	case $target in "" | "$name") ;; *) continue ;; esac
	corpus=$build/fuzz/$name
	mkdir -p "$corpus"
	echo "fuzz: $name, $seconds s"
	"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-verbosity=0 -print_final_stats=1 -artifact_prefix="$corpus/../$name-" \
		"$corpus" "$here/seeds/$name"
	found=yes
done
test -n "${found:-}" || {
	echo "fuzz: no target '$target' in $build/tests/fuzz" >&2
	exit 1
}
