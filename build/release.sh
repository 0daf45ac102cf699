#!/usr/bin/env bash
# Cross-compiles the binaries for the platforms given, and packs them and the image
# into dist/release with their checksums. VERSION and LDFLAGS come from the Makefile.
set -euo pipefail
cd "$(dirname "$0")/.."
out=dist/release
rm -rf "$out"
mkdir -p "$out"
for platform in "$@"; do
	dir=$(mktemp -d)
	GOOS=${platform%/*} GOARCH=${platform#*/} CGO_ENABLED=0 \
		go build -trimpath -ldflags "$LDFLAGS" -o "$dir/" ./cmd/...
	cp LICENSE "$dir/"
	tar -C "$dir" -czf "$out/mizzen-$VERSION-${platform/\//-}.tar.gz" .
	rm -r "$dir"
	echo "$platform"
done
tar -C dist/image -cf "$out/mizzen-$VERSION-image.tar" .
(cd "$out" && sha256sum ./* >SHA256SUMS)
cat "$out/SHA256SUMS"
