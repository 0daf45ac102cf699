#!/usr/bin/env bash
# Checks what a reviewer should not have to: formatting, go vet, tidy modules, and
# that generated files are what their sources say.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
fail() {
	echo "verify: $*" >&2
	status=1
}

echo "== gofmt"
unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
[ -z "$unformatted" ] || fail "run gofmt -w on: $unformatted"

# Compiled as the builds and tests compile, so that it is done once.
export CGO_ENABLED=0
while read -r mod; do
	# The programs of the tests' cluster are other people's, but for mains of a few
	# lines; go vet would compile all that they are made of.
	vet="go vet -trimpath ./..."
	case $mod in test/cluster/*) vet=true ;; esac
	echo "== $mod: go vet, go mod tidy, go mod verify"
	(cd "$(dirname "$mod")" && $vet && go mod tidy -diff && go mod verify) ||
		fail "$mod is not in order (see above)"
done < <(git ls-files 'go.mod' '*/go.mod')

echo "== generated files"
# Compared with the tree as it is, committed or not: a change under way must not
# look like drift.
hashes() { paste -d ' ' <(git ls-files | git hash-object --stdin-paths) <(git ls-files); }
before=$(hashes)
make --no-print-directory generate || fail "make generate failed"
drift=$(diff <(echo "$before") <(hashes) | sed -n 's/^> [0-9a-f]* //p') || true
[ -z "$drift" ] || fail "make generate changed these files, commit what it wrote: $drift"

[ $status -ne 0 ] || echo "verify: all in order"
exit $status
