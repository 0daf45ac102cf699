#!/usr/bin/env bash
# Cross-compiles the binaries for the platforms given, and packs them, the images and
# the operator's installation into dist/release with their checksums. VERSION and LDFLAGS
# come from the Makefile.
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
tar -C dist/image-mizzenctl -cf "$out/mizzenctl-$VERSION-image.tar" .
sed "s|\(/mizzenctl\):latest$|\1:$VERSION|" config/install.yaml >"$out/mizzen-$VERSION-install.yaml"
(cd "$out" && sha256sum ./* >SHA256SUMS)
cat "$out/SHA256SUMS"
