#!/usr/bin/env bash
# Installs what the tests need beyond the Rust toolchain, and runs them all.
set -euo pipefail
cd "$(dirname "$0")"

# A real S3-compatible server. Without it the tests of archives in buckets say that they are skipped.
if [ ! -x target/s3/bin/moto_server ]; then
    { python3 -m venv target/s3 && target/s3/bin/pip install --quiet 'moto[server]==5.2.5'; } ||
        echo "moto could not be installed (python3 with venv and pip needed); tests of buckets are skipped" >&2
fi

# Two other implementations of cron, to compare with. Without them that test is skipped.
if [ ! -e target/cron/installed-1 ]; then
    { python3 -m venv target/cron &&
        target/cron/bin/pip install --quiet cronsim==2.8 croniter==7.0.0 &&
        touch target/cron/installed-1; } ||
        echo "no cronsim and croniter: cron is not compared with them" >&2
fi

# Other people's scores, to compare ours with. Without them that test is skipped.
if [ ! -e target/verification/installed-1 ]; then
    { python3 -m venv target/verification &&
        target/verification/bin/pip install --quiet numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 \
            scikit-learn==1.9.1 statsmodels==0.15.0 scores==2.7.0 &&
        touch target/verification/installed-1; } ||
        echo "no scikit-learn, statsmodels and scores: verification is not compared with them" >&2
fi

# The binary is built as its users build it, so that the end-to-end tests run the real thing.
cargo test --release --workspace --locked "$@"
