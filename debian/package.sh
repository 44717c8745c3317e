#!/usr/bin/env bash
# Makes the Debian packages in build/packages and checks them; prints the path of the main one.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
out=$root/build/packages
source=$out/source/schedd
log=$out/log

say() { printf 'package: %s\n' "$*" >&2; }

mkdir -p "$out"
# One at a time: a guest is started beside the tests, or by hand meanwhile.
exec 9>"$out/lock"
flock 9
touch "$out/started"
mkdir -p "$source"
# What was compiled the last time stays. The build is as deep below the sources as the usual one, so that the
# compiler cache knows its objects; times of files are kept.
find "$source" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
(cd "$root" && git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar --null -T - -cf -) | tar -C "$source" -xf -
say "building in $source, log in $log"
# debhelper has a home and a locale of its own, with which the compiler cache would not be found.
cache=${CCACHE_DIR:-$(ccache -k cache_dir 2>/dev/null || true)}
if ! (cd "$source" && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}" \
    CCACHE_DIR=$cache CCACHE_BASEDIR=$source CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=locale \
    NINJA_STATUS="[%f/%t] " dpkg-buildpackage -b -nc -uc -us) >"$log" 2>&1; then
    say "it cannot be built; the log ends:"
    tail -n 40 "$log" >&2
    exit 1
fi
mv "$out"/source/*.deb "$out"/source/*.changes "$out"/source/*.buildinfo "$out/"
find "$out" -maxdepth 1 -name 'schedd*_*' ! -newer "$out/started" -delete # of earlier versions
say "lintian"
lintian --allow-root --fail-on error --tag-display-limit 0 "$out"/*.changes >&2
say "made: $(cd "$out" && echo *.deb)"
echo "$out"/schedd_*.deb
