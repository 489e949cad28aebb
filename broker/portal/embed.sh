#!/bin/sh
# Print the portal's files as the C arrays of portal.h, each with its content
# type and a strong entity tag. As bytes: a compiler need not take a string
# that long. Refuses to leave out what lies in the first file's folder.
set -eu
for f in "$(dirname "$1")"/*.html "$(dirname "$1")"/*.css \
	"$(dirname "$1")"/*.js "$(dirname "$1")"/*.svg; do
	[ -e "$f" ] || continue
	case " $* " in
	*"/${f##*/} "*) ;;
	*)
		echo "embed.sh: broker/meson.build does not name $f" >&2
		exit 1
		;;
	esac
done
printf '#include "portal.h"\n\n'
n=0
for f; do
	n=$((n + 1))
	printf 'static const unsigned char data_%d[] = {' "$n"
	od -An -v -tu1 "$f" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
	printf '};\n'
done
printf 'const struct portal_file portal_files[] = {\n'
n=0
for f; do
	n=$((n + 1))
	case "$f" in
	*.html) type='text/html; charset=utf-8' ;;
	*.css) type='text/css; charset=utf-8' ;;
	*.js) type='text/javascript; charset=utf-8' ;;
	*.svg) type='image/svg+xml' ;;
	*)
		echo "embed.sh: no content type for $f" >&2
		exit 1
		;;
	esac
	tag=$(sha256sum <"$f" | cut -c1-32)
	printf '{ "%s", "%s", "\\"%s\\"", data_%d, sizeof(data_%d) },\n' \
		"${f##*/}" "$type" "$tag" "$n" "$n"
done
printf '{ 0 } };\n'
