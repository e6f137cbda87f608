#!/usr/bin/env bash
# Tags a release: the root and each nested module that users import.
#   .ci/tag.sh v0.3.0           prints the tags and what keeps from making them
#   .ci/tag.sh v0.3.0 --write   makes them; pushes nothing
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:-}
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || { echo "usage: .ci/tag.sh v1.2.3 [--write]" >&2; exit 2; }
root=$(awk '$1 == "module" { print $2; exit }' go.mod)
problems=()

[[ -z $(git status --porcelain) ]] || problems+=("there are changes that are not committed")
grep -q "^## ${version#v}\b" CHANGELOG.md || problems+=("CHANGELOG.md has no section \"## ${version#v}\"")

tags=("$version")
while IFS= read -r file; do
	folder=${file#./}
	folder=${folder%/go.mod}
	tags+=("$folder/$version")
	wants=$(awk -v root="$root" '{ for (i = 1; i < NF; i++) if ($i == root && $(i + 1) ~ /^v/) { print $(i + 1); exit } }' "$file")
	[[ -z $wants || $wants == "$version" ]] || problems+=("$folder requires $root $wants, not $version: go -C $folder mod edit -require=$root@$version")
done < <(find ./contrib -name go.mod -not -path '*/testdata/*' 2>/dev/null | sort)

for tag in "${tags[@]}"; do
	! git rev-parse -q --verify "refs/tags/$tag" >/dev/null || problems+=("the tag $tag is there already, and a tag is never moved")
	echo "$tag"
done
if ((${#problems[@]} > 0)); then
	printf 'tag.sh: %s\n' "${problems[@]}" >&2
	exit 1
fi
[[ ${2:-} == --write ]] || exit 0
for tag in "${tags[@]}"; do
	git tag -a "$tag" -m "$tag"
done
