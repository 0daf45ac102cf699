#!/usr/bin/env bash
# Fetches the files of Swagger UI that Mizzen carries: refresh.sh VERSION, such as
# 5.35.0. Nothing of the package is run or changed; the two large files are kept
# compressed. A test compares the contents with SHA256SUMS.
set -euo pipefail
cd "$(dirname "$0")"
version=${1:?usage: refresh.sh VERSION}
dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
(cd "$dir" && npm pack --silent "swagger-ui-dist@$version" >/dev/null && tar xzf ./*.tgz)
for file in swagger-ui-bundle.js swagger-ui.css; do
	gzip -9 -n -c "$dir/package/$file" >"$file.gz"
done
for file in LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt; do
	cp "$dir/package/$file" .
	chmod 644 "$file"
done
echo "$version" >VERSION
(cd "$dir/package" && sha256sum swagger-ui-bundle.js swagger-ui.css LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt) >SHA256SUMS
