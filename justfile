# The recipes of a contributor. The longer ones are scripts in ci/, which CI runs without `just`.

# Lists the recipes.
default:
    @just --list

# Format, lints and unit tests: under a minute when little has changed.
check:
    ci/check

# All tests on the in-process API server; those of the real control plane and Krew are ignored.
test *words:
    cargo test --workspace --locked {{words}}

# All tests, those on the real control plane and with the real Krew too. Needs Go, and some minutes the first time.
test-real *words:
    ci/test-real {{words}}

# The product beside kubectl, as a table. `KUBEBUILDER_ASSETS` adds the rows on a real API server.
bench:
    cargo bench --locked

# The crate's own documentation.
docs:
    ci/docs

# The program for Windows and for Linux on arm64, run under Wine and qemu where they can be had.
platforms:
    ci/platforms

# All that CI runs.
ci:
    ci/all
