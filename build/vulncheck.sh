#!/bin/sh
# Runs govulncheck ($1). A finding fails; a vulnerability database that cannot be
# reached is told as a notice, since it says nothing about this code.
out=$("$1" ./... 2>&1)
code=$?
printf '%s\n' "$out"
if [ $code -eq 1 ] && printf '%s' "$out" | grep -q 'fetching vulnerabilities'; then # findings are 3
	echo "notice: the vulnerability database could not be reached: NOT checked for known vulnerabilities" >&2
	exit 0
fi
exit $code
