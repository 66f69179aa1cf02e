#!/usr/bin/env bash
# Installs what the tests need beyond the Rust toolchain into target/ and runs them all.
set -euo pipefail
cd "$(dirname "$0")"

# Two other implementations of cron, to compare with. Without them that test is skipped.
if [ ! -e target/cron/installed-1 ]; then
    { python3 -m venv target/cron &&
        target/cron/bin/pip install --quiet cronsim==2.8 croniter==7.0.0 &&
        touch target/cron/installed-1; } ||
        echo "no cronsim and croniter: cron is not compared with them" >&2
fi

# The binary is built as its users build it, so that the end-to-end tests run the real thing.
cargo test --release --workspace --locked "$@"
