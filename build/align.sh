#!/usr/bin/env bash
# Gives Mizzen and the programs that its tests build (the control plane, Prometheus,
# KEDA …) one version of each module that Mizzen or the control plane have, the highest
# of any: what is compiled for one of them is then compiled for the others, which is most
# of them. It costs a rebuild of all, so do it when Kubernetes or one of the programs is
# bumped, not each time that something is.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
# The kubelet is older on purpose, Kyverno and Syft are the guide's alone, and what is
# not here shares little.
dirs=(. test/cluster/{kube,prometheus,helm,coredns,cert-manager,traefik,metrics-server,keda})

# apart says which modules stay as they are, since not all can do with another: Mizzen
# has Prometheus's parser, whose version the program need not be; and what Traefik logs
# with is of an older OpenTelemetry.
apart() { # DIR MODULE
	case $1:$2 in
	*:github.com/prometheus/prometheus | *:github.com/gobwas/glob) ;;
	*/traefik:go.opentelemetry.io/* | */traefik:github.com/grpc-ecosystem/*) ;;
	*) false ;;
	esac
}

required() { awk '/^\t/ && $2 ~ /^v/ { print $1, $2 }' "$1" | sort; } # GO.MOD

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat <(required go.mod) <(required test/cluster/kube/go.mod) | cut -d' ' -f1 | sort -u >"$work/shared"
GOWORK=$work/go.work go work init "${dirs[@]/#/$root/}"
GOWORK=$work/go.work go list -m -f '{{if not .Main}}{{.Path}} {{.Version}}{{end}}' all | sort | join "$work/shared" - >"$work/highest"
for dir in "${dirs[@]}"; do
	cd "$root/$dir"
	while read -r module best ours; do
		[ "$ours" = "$best" ] || apart "$dir" "$module" ||
			{ go mod edit -require="$module@$best" && echo "$dir: $module $ours -> $best"; }
	done < <(join "$work/highest" <(required go.mod))
	go mod tidy
done
