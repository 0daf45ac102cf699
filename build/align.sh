#!/usr/bin/env bash
# Gives what the tests build besides Mizzen (the control plane, Prometheus, Helm)
# the versions of modules that Mizzen's own go.mod has, where both have them: what is
# compiled for the one is then compiled for the other. It costs a rebuild of them, so do
# it when Kubernetes or Prometheus is bumped, not each time that something is.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
# But for Prometheus itself: Mizzen has its parser, whose version the programs do not
# build with, since they want other versions of what is beside it.
versions() { awk '/^\t/ && $2 ~ /^v/ && $1 != "github.com/prometheus/prometheus" { print $1, $2 }' "$1" | sort; }
for dir in test/cluster/kube test/cluster/prometheus test/cluster/helm; do
	cd "$root/$dir"
	while read -r module ours theirs; do
		[ "$ours" = "$theirs" ] || { go mod edit -require="$module@$ours" && echo "$dir: $module $theirs -> $ours"; }
	done < <(join <(versions "$root/go.mod") <(versions go.mod))
	go mod tidy
done
