# Everything that a person or a machine does with the source. `make help` lists the targets.
PREFIX ?= /usr/local
DESTDIR ?=
SHARE = $(DESTDIR)$(PREFIX)/share
SWIFT ?= swift
RELEASE := .build/release

.PHONY: all build man deps fixtures servers try test test-vm test-build test-sanitized soak fuzz lint install bench order clean help

all: build

help:
	@sed -n 's/^## //p' Makefile

## make deps      install the Debian packages that building and testing need
deps:
	@sh .ci/install-dependencies.sh

## make build     the release executables: runimg (static), its second name runimg-oci, and runimg-image
build: deps
	$(SWIFT) build -c release --static-swift-stdlib --product runimg
	ln -sf runimg $(RELEASE)/runimg-oci
	$(SWIFT) build -c release --static-swift-stdlib --product runimg-image

## make man       the manual's pages and the completion scripts, in .build/man
man: build
	rm -rf .build/man
	$(RELEASE)/runimg __man .build/man/man1
	for shell in bash zsh fish; do $(RELEASE)/runimg completion $$shell > .build/man/runimg.$$shell || exit 1; done

## make fixtures  small OCI image layouts in rootfs-fixtures/out
fixtures: deps
	@sh rootfs-fixtures/make-fixtures.sh

## make servers   images with nginx and PostgreSQL, and docker to compare with, from Debian's packages; nothing is installed
servers: fixtures
	@sh rootfs-fixtures/make-servers.sh

## make try       build, then run a container from a fixture image
try: build fixtures
	@sh .ci/try.sh

test-build: deps
	$(SWIFT) build --build-tests

## make test      lint, build and the whole suite; TESTFLAGS='--filter NAME' for a part
test: lint build fixtures servers test-build
	@bash .ci/test.sh $(TESTFLAGS)

## make test-vm   launch, limits, callers of the OCI runtime and power cuts on Debian's own kernel in qemu; CGROUP=v1 for the older cgroups
test-vm: build fixtures servers test-build
	@bash Tests/VM/run.sh

## make test-sanitized   the suite with the C code under the address and undefined behaviour sanitizers
test-sanitized: deps fixtures servers
	@bash .ci/test-sanitized.sh $(TESTFLAGS)

## make fuzz      every fuzzer for FUZZ_SECONDS (60); FUZZ='Z1 Z5' for some
fuzz: deps
	@bash .ci/fuzz.sh

## make soak      kills, errors and power cuts at every single call; takes hours
soak: build fixtures servers test-build
	@RUNIMG_SOAK=1 TEST_TIMEOUT=24h bash .ci/test.sh --filter 'PowerCut|SyscallKill|FullDisk|DiskError|RunFaults|Leaks|Scale|OverlayComparison|UnionKill|Materialise|Removal|GarbageStress|Networks/Killed'
	@RUNIMG_SOAK=1 TEST_TIMEOUT=24h RUNIMG_OCI_RUNTIME=runimg-oci:crun:runc bash .ci/test.sh --filter 'OCIRuntimeTests.OCIRuntimeTests'

## make lint      what the formatter has to say about the source
lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

## make install   into PREFIX (/usr/local), below DESTDIR where given
install: man
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/libexec/runimg"
	install -s -m 0755 $(RELEASE)/runimg "$(DESTDIR)$(PREFIX)/bin/runimg"
	ln -sf runimg "$(DESTDIR)$(PREFIX)/bin/runimg-oci"
	install -s -m 0755 $(RELEASE)/runimg-image "$(DESTDIR)$(PREFIX)/libexec/runimg/runimg-image"
	install -d "$(SHARE)/man/man1"
	cp -dR --no-preserve=ownership .build/man/man1/. "$(SHARE)/man/man1"
	install -D -m 0644 .build/man/runimg.bash "$(SHARE)/bash-completion/completions/runimg"
	install -D -m 0644 .build/man/runimg.zsh "$(SHARE)/zsh/site-functions/_runimg"
	install -D -m 0644 .build/man/runimg.fish "$(SHARE)/fish/vendor_completions.d/runimg.fish"

## make bench     runimg, the kernel's floor and other engines side by side, as a table and a plot; BENCHFLAGS='--quick' for less
bench: build servers
	@python3 Tests/Bench/bench.py $(BENCHFLAGS)

## make order     measure anew which functions usual commands enter, and build with these side by side
order: build fixtures
	@bash .ci/order.sh
	rm -f $(RELEASE)/runimg
	@$(MAKE) build

## make clean     remove what was built
clean:
	rm -rf .build .build-fuzz .build-asan rootfs-fixtures/out
