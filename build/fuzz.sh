#!/bin/sh
# Runs every fuzz target of the module for $FUZZTIME, one after the other. Targets
# are found by their name, so that a new one needs no entry anywhere. What is found new
# is made smaller for a second at most: a minute, as is usual, would be all the time.
set -eu
found=0
for file in $(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do
	for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
		found=$((found + 1))
		echo "== $target in $(dirname "$file")"
		(cd "$(dirname "$file")" && go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 1s .)
	done
done
echo "$found fuzz targets ran"
test "$found" -gt 0
