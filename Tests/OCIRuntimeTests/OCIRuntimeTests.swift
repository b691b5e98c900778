internal import TestSupport
internal import Testing

/// What the OCI runtime specification (runtime.md, config.md, config-linux.md) and runc's command line promise, asked of
/// every runtime that is there: ours in full, and Debian's crun and runc, which show that the tests ask for what is true.
@Suite(.enabled(if: OCIBench.isPossible, OCIBench.requirement)) enum OCIRuntimeTests {}
