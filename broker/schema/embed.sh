#!/bin/sh
# Print SQL files, in order, as the C arrays of schema.h. As bytes: a compiler
# need not take a string that long.
set -eu
printf '#include "schema.h"\n\n'
n=0
for f; do
	n=$((n + 1))
	printf 'static const char sql_%d[] = {' "$n"
	od -An -v -tu1 "$f" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
	printf '0};\n'
done
printf 'const char *const schema_sql[SCHEMAS] = {'
i=0
while [ "$i" -lt "$n" ]; do
	i=$((i + 1))
	printf ' sql_%d,' "$i"
done
printf ' };\n'
