# What people type. Each target is a script or a preset; see scripts/ and CMakePresets.json.
.DEFAULT_GOAL := help
.PHONY: help run test test-long e2e-cluster asan tsan fuzz bench format tidy

help:  ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run:  ## Set up, build, and run the demo: both programs and two small backends on loopback
	@scripts/setup build
	@scripts/demo

test:  ## Set up, build, and run all tests: unit to end to end, and again under ASan and UBSan
	@scripts/setup build test e2e
	@scripts/test

test-long:  ## The same at full size, ThreadSanitizer, every fuzz target for a minute, and a real Kubernetes node
	@scripts/setup build test e2e node bench
	@scripts/test --long

e2e-cluster:  ## Build the image, and test it on a real Kubernetes node: helm install, upgrade, restart under load (root)
	@scripts/setup build e2e node
	@scripts/e2e-cluster

asan:  ## The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/setup build test
	@scripts/test asan

tsan:  ## The C++ tests under ThreadSanitizer
	@scripts/setup build test
	@scripts/test tsan

fuzz:  ## Every fuzz target for a minute (SECONDS=n for longer)
	@scripts/setup build test
	@scripts/fuzz $(or $(SECONDS),60)

bench:  ## Proxy CPU per request beside nginx and HAProxy, in one interleaved run (ARGS=--help)
	@scripts/setup build bench
	@bench/compare/run $(ARGS)

format:  ## Format the sources in place
	@scripts/setup build test
	@scripts/format

tidy:  ## clang-tidy over everything
	@scripts/setup build test
	@scripts/tidy
