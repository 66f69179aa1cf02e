#!/usr/bin/env bash
# Installs what the tests need (nothing beyond the Rust toolchain so far) and runs them all.
set -euo pipefail
cd "$(dirname "$0")"

# The binary is built as its users build it, so that the end-to-end tests run the real thing.
cargo test --release --workspace --locked "$@"
