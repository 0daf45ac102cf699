# Mizzen's habits. `make help` lists the targets. `make build test` need Go and
# make alone; the other targets install what they need, outside this tree.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X mizzen.dev/internal/version.version=$(VERSION)

# Tools are built from pinned sources, once a Go version, and kept here.
GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION   := v1.9.0
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mizzen
TOOLS := $(CACHE)/bin/$(shell go env GOVERSION)
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)/golangci-lint
GOVULNCHECK   := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck

# The image must stay small: it is pulled on every node.
MAX_IMAGE := 12MiB
# Where `make push` puts the images.
REGISTRY ?= ghcr.io/mizzen-dev

# How long `make fuzz` spends on each target.
FUZZTIME ?= 10s
# What `make test` adds to go test, for example TESTFLAGS=-race.
TESTFLAGS ?=
# The interpreter of the Python peers of `make bench`, and flags for the comparison.
PYTHON ?= python3
BENCHFLAGS ?=
# The directory of cases that `make fixtures` checks.
FIXTURES ?=

.DEFAULT_GOAL := help
.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the binaries into bin/
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/...

# The tests run a Kubernetes API server that is built from modules, once. Without
# cgo (which the race detector needs) and with -trimpath, what is compiled for it
# serves the tests as well; what waits for its build may take longer than go test's
# 10 minutes. go vet is left to `make verify`: it looks at all dependencies too.
CGO_OF_TESTS = $(if $(findstring -race,$(TESTFLAGS)),1,0)

.PHONY: test
test: ## run the tests (Go and make alone)
	CGO_ENABLED=0 go run -trimpath ./test/cluster/cmd build test
	CGO_ENABLED=$(CGO_OF_TESTS) go test -trimpath -vet=off -timeout 30m $(TESTFLAGS) ./...

# What mizzen consists of, and the corpora that it is tried with. The tests of the
# cluster half start an API server, and are made for Linux.
.PHONY: test-serving
test-serving: ## the tests of the serving half alone, on any system
	go test $$(go list -deps ./cmd/mizzen ./internal/hostile | grep '^mizzen.dev/')

# Each tier of the tests on a real Kubernetes builds what it needs first, and says how
# far it is. Root, or KUBECONFIG (docs of test/cluster), is all they want.
E2EFLAGS ?= -v

# What is about the tests' own cluster is not for another, and the guide wants one of which
# it may say what names outside it mean.
OF_OWN = $(if $(KUBECONFIG),,$(1))
CORE = $(if $(KUBECONFIG),kube probe helm,core)
# Tests mostly wait: of own clusters two at once take little longer than one.
CLUSTERS = $(if $(KUBECONFIG),1,2)
CORE_TESTS = test/e2e/core $(call OF_OWN,test/cluster) test/e2e/install

.PHONY: e2e
e2e: e2e-core e2e-edge e2e-scale $(call OF_OWN,e2e-guide) ## all tests on a real Kubernetes (as root, or KUBECONFIG=…)

.PHONY: e2e-core
e2e-core: ## the cluster itself, S3, DNS: apply, fetch, roll, isolate, kill, delete
	CGO_ENABLED=0 go run -trimpath ./test/cluster/cmd build $(CORE)
	$(MAKE) --no-print-directory -k -j $(CLUSTERS) $(CORE_TESTS)

.PHONY: $(CORE_TESTS)
$(CORE_TESTS):
	CGO_ENABLED=0 go test -trimpath -tags e2e -count=1 -timeout 20m $(E2EFLAGS) ./$@

.PHONY: e2e-edge
e2e-edge: ## Gateway and Ingress, certificates
	CGO_ENABLED=0 go run -trimpath ./test/cluster/cmd build $(CORE) $(call OF_OWN,edge)
	CGO_ENABLED=0 go test -trimpath -tags e2e -count=1 -p 1 -timeout 20m $(E2EFLAGS) $(call OF_OWN,./test/cluster/edge) ./test/e2e/edge

.PHONY: e2e-scale
e2e-scale: ## metrics, HPA, KEDA
	CGO_ENABLED=0 go run -trimpath ./test/cluster/cmd build $(CORE) $(call OF_OWN,scale)
	CGO_ENABLED=0 go test -trimpath -tags e2e -count=1 -p 1 -timeout 20m $(E2EFLAGS) $(call OF_OWN,./test/cluster/scale) ./test/e2e/scale

.PHONY: e2e-guide
e2e-guide: ## every command of docs/guide.md, with what edge and scale have, and policies (and Python, curl)
	CGO_ENABLED=0 go run -trimpath ./test/cluster/cmd build core edge scale policy
	CGO_ENABLED=0 go test -trimpath -tags e2e -count=1 -timeout 20m $(E2EFLAGS) ./test/e2e/guide

# A thousand Models whose pods nobody runs; SCALEFLAGS='-args -models 100' are fewer.
SCALEFLAGS ?=

.PHONY: scale
scale: ## 1,000 Models on simulated nodes: time, memory and writes of the operator (as root)
	CGO_ENABLED=0 go run -trimpath ./test/cluster/cmd build core kwok
	CGO_ENABLED=0 go test -trimpath -tags e2e -count=1 -timeout 20m -v ./test/e2e/thousand $(SCALEFLAGS)

.PHONY: test-clients
test-clients: build ## drive a running server with the public clients (installs Python packages)
	bash test/clients/run.sh

.PHONY: test-browser
test-browser: build ## open /docs in a headless Chromium and predict from the page (installs it)
	bash test/browser/run.sh

.PHONY: fixtures
fixtures: ## check a directory of cases: make fixtures FIXTURES=DIR
	@test -n '$(FIXTURES)' || { echo 'usage: make fixtures FIXTURES=DIR (a directory of cases, or of archives of cases)' >&2; exit 2; }
	go run ./test/fixtures/check '$(FIXTURES)'

.PHONY: lint
lint: $(GOLANGCI_LINT) $(GOVULNCHECK) ## golangci-lint and govulncheck; of what mizzenctl writes, kube-score and actionlint
	$(GOLANGCI_LINT) run ./...
	sh build/vulncheck.sh $(GOVULNCHECK)
	@# These disagree with Mizzen's own dependencies: each has a module of its own. What
	@# they read is outside of it, so that go test would not see that it has changed.
	cd test/kubescore && CGO_ENABLED=0 go test -trimpath -vet=off -count=1 ./...
	cd test/actionlint && CGO_ENABLED=0 go test -trimpath -vet=off -count=1 ./...

$(GOLANGCI_LINT):
	GOBIN=$(@D) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

$(GOVULNCHECK):
	GOBIN=$(@D) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

.PHONY: verify
verify: ## formatting, go vet, go.mod, and that what is generated is up to date
	bash build/verify.sh

.PHONY: generate
generate: ## write again what is generated: protocol code, the references in docs
	go generate ./...
	go test -trimpath ./api/v1alpha1/example ./internal/config ./internal/operator/health ./cmd/mizzen ./cmd/mizzenctl -run '^TestReference$$' -count=1 -update

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10s)
	FUZZTIME=$(FUZZTIME) sh build/fuzz.sh

.PHONY: bench
bench: build ## Go benchmarks, then the servers side by side
	go test -run '^$$' -bench . -benchmem ./...
	go run ./test/bench -python '$(PYTHON)' $(BENCHFLAGS)

.PHONY: cover
cover: ## test coverage by function, and as bin/coverage.html
	@mkdir -p bin
	go test -coverpkg=./... -coverprofile=bin/coverage.out ./...
	go tool cover -func=bin/coverage.out | tail -1
	go tool cover -html=bin/coverage.out -o bin/coverage.html

.PHONY: image
image: build ## build the container images without Docker: OCI layouts in dist/image and dist/image-mizzenctl
	for arch in amd64 arm64; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/linux-$$arch/ ./cmd/... || exit; \
	done
	bin/mizzen image -t 'mizzen:$(VERSION)' $(IMAGE_MIZZEN) --to dist/image
	bin/mizzen image -t 'mizzenctl:$(VERSION)' $(IMAGE_MIZZENCTL) --to dist/image-mizzenctl

IMAGE_MIZZEN := --binary bin/linux-amd64/mizzen --binary bin/linux-arm64/mizzen --max-size $(MAX_IMAGE)
IMAGE_MIZZENCTL := --program mizzenctl --binary bin/linux-amd64/mizzenctl --binary bin/linux-arm64/mizzenctl

.PHONY: push
push: image ## push both images to REGISTRY, with Docker's credentials
	bin/mizzen image -t '$(REGISTRY)/mizzen:$(VERSION)' $(IMAGE_MIZZEN) --push
	bin/mizzen image -t '$(REGISTRY)/mizzenctl:$(VERSION)' $(IMAGE_MIZZENCTL) --push

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64

.PHONY: release
release: image ## cross-compile the binaries and pack them and the images into dist/release
	VERSION='$(VERSION)' LDFLAGS='$(LDFLAGS)' bash build/release.sh $(PLATFORMS)

.PHONY: clean
clean: ## remove what was built here
	rm -rf bin dist
