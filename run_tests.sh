#!/usr/bin/env bash
# The tests in one command, in the environment of the pipeline. Arguments go to pytest:
#   bash run_tests.sh                       the suite, minutes on 2 cores
#   bash run_tests.sh -m slow               what takes longer (also: verification, gpu, slurm, r)
#   bash run_tests.sh tests/benchmarks --benchmark-only
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source envs/activate.sh
exec python -m pytest "$@"
