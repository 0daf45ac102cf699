#!/usr/bin/env bash
# Gives the control plane of the tests (test/cluster/kube) the versions of modules that
# Mizzen's own go.mod has, where both have them: what is compiled for the one is then
# compiled for the other. It costs a rebuild of the control plane, so do it when
# Kubernetes itself is bumped, not each time that something is.
set -euo pipefail
cd "$(dirname "$0")/.."
versions() { awk '/^\t/ && $2 ~ /^v/ { print $1, $2 }' "$1" | sort; }
while read -r module ours theirs; do
	[ "$ours" = "$theirs" ] || (cd test/cluster/kube && go mod edit -require="$module@$ours" && echo "$module $theirs -> $ours")
done < <(join <(versions go.mod) <(versions test/cluster/kube/go.mod))
cd test/cluster/kube
go mod tidy
