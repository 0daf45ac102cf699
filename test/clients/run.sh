#!/usr/bin/env bash
# Drives a running server with the public clients: `make test-clients`. What it
# needs it installs outside the tree, once: Python packages (pinned), grpcurl, and
# promtool. Arguments go to pytest, for example: run.sh -k stream
set -euo pipefail
cd "$(dirname "$0")/../.."

GRPCURL_VERSION=v1.9.4
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mizzen
tools=$cache/bin/$(go env GOVERSION)

# find_python prints an interpreter that the clients support: 3.11 to 3.13.
find_python() {
	local candidate
	for candidate in ${PYTHON:-} python3 python3.12 python3.11 python3.13; do
		if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
			echo "$candidate"
			return
		fi
	done
	echo 'test-clients needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: python3-venv); PYTHON names it' >&2
	return 1
}

# environment prints the folder of a virtual environment with the packages of a
# requirements file, and makes it if it is not there. A half-made one does not count.
environment() {
	local file=$1 folder
	folder=$cache/clients/$(basename "$file" .txt)-$({ "$python" --version && cat "$file"; } | sha256sum | cut -c1-16)
	if [ ! -e "$folder/complete" ]; then
		echo "installing the packages of $file into $folder" >&2
		rm -rf "$folder"
		"$python" -m venv "$folder"
		# MLServer says that it is for Python before 3.13; what is used here works there.
		"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python -r "$file" >&2
		touch "$folder/complete"
	fi
	echo "$folder"
}

# find_promtool prints where promtool is. It has no Go module that `go install` takes,
# so it comes out of Debian's package, which needs no installing.
find_promtool() {
	local folder=$cache/bin/promtool
	if type -P promtool; then return; fi
	if [ ! -x "$folder/usr/bin/promtool" ]; then
		echo "fetching promtool into $folder" >&2
		rm -rf "$folder" && mkdir -p "$folder"
		(
			cd "$folder"
			if ! apt-get download -q=2 prometheus 2>/dev/null >&2; then
				$([ "$(id -u)" = 0 ] || echo sudo) apt-get update -q=2
				apt-get download -q=2 prometheus 2>/dev/null
			fi
			dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb
		) >&2 || {
			echo 'test-clients needs promtool (of Prometheus) in PATH, or Debian to fetch it from' >&2
			return 1
		}
	fi
	echo "$folder/usr/bin/promtool"
}

make --no-print-directory --silent build
python=$(find_python)
clients=$(environment test/clients/requirements.txt)
mlserver=$(environment test/clients/requirements-mlserver.txt)
GRPCURL=$tools/grpcurl-$GRPCURL_VERSION/grpcurl
[ -x "$GRPCURL" ] || GOBIN=$(dirname "$GRPCURL") go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$GRPCURL_VERSION"
PROMTOOL=$(find_promtool)
export GRPCURL PROMTOOL PYTHONDONTWRITEBYTECODE=1
export MIZZEN=${MIZZEN:-$PWD/bin/mizzen}

# One process a file: every client registers messages of the same names.
status=0
for file in test/clients/test_*.py; do
	folder=$clients
	[ "$file" != test/clients/test_mlserver.py ] || folder=$mlserver
	code=0
	"$folder/bin/python" -m pytest -q --disable-warnings -p no:cacheprovider "$@" "$file" || code=$?
	[ $code = 0 ] || [ $code = 5 ] || status=1 # 5: -k chose none of this file
done
exit $status
