#!/usr/bin/env bash
# Changes the module path in every go.mod, Go file and page of this tree.
set -euo pipefail
cd "$(dirname "$0")/.."

new=${1:?usage: .ci/rename.sh MODULE}
if ! [[ $new =~ ^[A-Za-z0-9._~/-]+$ ]]; then
	echo "rename: \"$new\" is not a module path" >&2
	exit 1
fi
old=$(awk '$1 == "module" { print $2; exit }' go.mod)
if [[ $old == "$new" ]]; then
	echo "rename: the module path is $new already" >&2
	exit 1
fi
pattern=${old//./\\.}
export LC_ALL=C # golden files may hold any bytes
grep -rlF --exclude-dir=.git --exclude-dir=node_modules "$old" . | while IFS= read -r file; do
	sed "s#$pattern#$new#g" "$file" >"$file.renamed"
	cat "$file.renamed" >"$file" # keeps the mode of the file
	rm "$file.renamed"
done
gofmt -w $(grep -rlIF --include='*.go' --exclude-dir=.git "$new" .)
echo "rename: $old is now $new"
