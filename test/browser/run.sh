#!/usr/bin/env bash
# Drives the page at /docs in a real browser; `make test-browser` builds
# bin/mizzen first. Installs Debian's Chromium where there is no browser.
set -euo pipefail
cd "$(dirname "$0")"
for name in chromium chromium-browser google-chrome; do
	if BROWSER=$(command -v "$name"); then break; fi
done
if [ -z "${BROWSER:-}" ]; then
	echo "installing Chromium"
	as_root=$([ "$(id -u)" = 0 ] || echo sudo)
	$as_root apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
	BROWSER=$(command -v chromium)
fi
export BROWSER
go test -count=1 -v ./...
