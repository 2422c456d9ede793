"""Speed and memory beside the published pipeline: `python -m tests.benchmarks` prints ours, theirs and the ratio.

pytest-benchmark runs the same work under `bash run_tests.sh tests/benchmarks --benchmark-only`.
"""
