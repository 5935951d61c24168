#!/bin/sh
# Makes the files of a release, the same bytes each time: wheel, sdist, SBOM (CycloneDX 1.6, JSON) and SHA256SUMS.
#
#   sh docs/deploy/packaging/release.sh DIRECTORY
#
# Takes python3-venv and a package index for the files of release.lock. Runs in a checkout or in an unpacked sdist. Every
# file in the archives has the date that CHANGELOG.md gives to the version. The compressed files depend on zlib too, so
# compare builds of one Debian release.
set -eu

mkdir -p "${1:?usage: release.sh DIRECTORY}"
directory=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$source"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' chatserver/__init__.py)
date=$(sed -n "s/^## \[$version\] - \([0-9-]*\)$/\1/p" CHANGELOG.md)
[ -n "$date" ] || { echo "CHANGELOG.md gives no date to version $version" >&2; exit 1; }
SOURCE_DATE_EPOCH=$(date --utc --date="$date" +%s)
export SOURCE_DATE_EPOCH

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r docs/deploy/packaging/release.lock
"$work/venv/bin/python" -m hatchling build --directory "$directory"

# cyclonedx-py does not read a dynamic version.
sed "s/^dynamic = \[\"version\"\]$/version = \"$version\"/" pyproject.toml >"$work/pyproject.toml"
PYTHONWARNINGS=ignore "$work/venv/bin/cyclonedx-py" requirements --output-reproducible \
    --pyproject "$work/pyproject.toml" --output-file "$directory/chatserver-$version.cdx.json" requirements.lock

cd "$directory"
sha256sum "chatserver-$version"[-.]* >SHA256SUMS
