#!/bin/sh
# Fetch axe-core, which looks for what stands in the way of people who use a
# page by keyboard or screen reader: one pinned version, once, into DIR.
# usage: axe.sh DIR; prints the path of its script
set -eu

VERSION=4.14.1
# "integrity" in the registry's own words, on the day it was pinned.
SHA512=FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==

mkdir -p "$1"
cd "$1"
script=$PWD/axe-$VERSION.js
if [ ! -s "$script" ]; then
	file=$(npm pack --silent "axe-core@$VERSION")
	found=$(openssl dgst -sha512 -binary "$file" | openssl base64 -A)
	if [ "$found" != "$SHA512" ]; then
		echo "axe.sh: '$file' is not the pinned one: sha512-$found" >&2
		exit 1
	fi
	tar -xzOf "$file" package/axe.min.js >axe.part
	mv axe.part "$script"
	rm -f "$file"
fi
printf '%s\n' "$script"
