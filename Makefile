# `make run` and `make test` are all a newcomer needs; `make` lists the rest.
# GO may name another toolchain; RUN_FLAGS are further flags of `make run`.

GO        ?= go
RUN_FLAGS ?=
BENCH     ?= .
BENCHTIME ?= 1s
LINT      ?= $(shell $(GO) env GOPATH)/bin/golangci-lint
IMAGE     ?= jobwright:dev
DEMO      := --data-dir data --mcp-config manifests/demo/mcp.json --compose-root manifests/examples/compose

.DEFAULT_GOAL := help
.PHONY: help build run test race lint bench generate image tidy-check clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/jobwright and bin/builders-mcp
	CGO_ENABLED=0 $(GO) build -o bin/ ./cmd/...

run: build ## build and start the server with the demo builders on http://127.0.0.1:8080
	@mkdir -p data/app
	bin/jobwright serve $(DEMO) $(RUN_FLAGS)

test: ## vet and test everything; names once what this machine lacks
	@.ci/components
	$(GO) vet ./...
	$(GO) test ./...

race: ## test everything under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race ./...

lint: ## golangci-lint over everything
	$(LINT) run ./...

bench: ## run the benchmarks; BENCH=regexp and BENCHTIME=5s narrow and lengthen them
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

generate: ## generate deepcopy code, JSON code and CRDs from the types
	$(GO) generate ./...

image: ## import a static jobwright as docker image jobwright:dev, without any registry
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/image/jobwright ./cmd/jobwright
	tar -C bin/image -c jobwright | docker import --change 'ENTRYPOINT ["/jobwright"]' - $(IMAGE)

tidy-check: ## fail when go.mod or go.sum is not tidy
	$(GO) mod tidy -diff

clean: ## remove what was built; data/ stays
	rm -rf bin
