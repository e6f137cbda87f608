# make help lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
GO ?= go
SOAK_FUZZ ?= 5s
SOAK_COUNT ?= 20

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-10s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: dev
dev: ## run the sample with a local Redis, a local database and no account
	$(GO) run ./cmd/restash dev

.PHONY: test
test: ## run all tests (needs only Go)
	$(GO) test ./...

.PHONY: race
race: ## run all tests under the race detector
	$(GO) test -race ./...

.PHONY: lint
lint: ## gofmt, go vet and staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l . >&2; exit 1; }
	$(GO) vet ./...
	$(GO) -C tools build -o "$$($(GO) env GOCACHE)/restash-staticcheck" honnef.co/go/tools/cmd/staticcheck
	"$$($(GO) env GOCACHE)/restash-staticcheck" ./...

.PHONY: generate
generate: ## write the *_gen.go files again
	$(GO) generate ./...

.PHONY: golden
golden: ## write the golden files again (the -update flag of client and internal/entry)
	$(GO) test -count=1 -run Golden ./client ./internal/entry -update

.PHONY: house
house: ## print the numbers of the house: sizes of functions, what is too much
	$(GO) test -count=1 -v -run '^TestHouse' .

.PHONY: fuzz
fuzz: ## new fuzzing, 5 s a target, before handing in (FUZZ=30s for longer)
	.ci/fuzz.sh $${FUZZ:-5s}

.PHONY: bench
bench: ## run all benchmarks with their allocations
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: mutants
mutants: ## break each guard of the first promise on purpose and want its test to fail (about ten minutes)
	RESTASH_MUTANTS=all $(GO) test -count=1 -v -timeout=60m -run '^TestMutantsAreKilled$$' .

.PHONY: soak
soak: ## long stress: -race many times over, then new fuzzing
	RESTASH_SOAK=1 $(GO) test -race -count=$(SOAK_COUNT) -timeout=60m ./...
	.ci/fuzz.sh $(SOAK_FUZZ)

.PHONY: differ
differ: ## send 10^7 random commands to the local server and to a real Redis (about 40 minutes)
	RESTASH_REQUIRE=redis RESTASH_COMMANDS=10000000 RESTASH_SEED=$${SEED:-$$(date +%s)} $(GO) test -count=1 -v -timeout=180m -run '^TestDiffer$$' ./upstashtest/internal/engine

.PHONY: ci
ci: ## everything that CI runs
	.ci/run

.PHONY: rename
rename: ## change the module path: make rename MODULE=example.com/you/restash
	@test -n "$(MODULE)" || { echo 'usage: make rename MODULE=example.com/you/restash' >&2; exit 1; }
	.ci/rename.sh "$(MODULE)"
