#!/usr/bin/env bash
# The study in one command: makes the environment on first use, says what the run will cost, runs it, and says where
# the figures and the report are. Run again after an interruption: it goes on where it stopped.
#
#   bash run_snakemake_pipeline.sh [scaling …] [--scale laptop|published] [any snakemake flag]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

EXPERIMENTS="scaling"
targets=() flags=() scale=laptop cores=() quiet=no
while (($#)); do
  case "$1" in
    --scale) scale="${2:-}"; shift ;;
    --scale=*) scale="${1#*=}" ;;
    -c | --cores | -j | --jobs) flags+=("$1" "${2:-}"); cores=(--cores "${2:-}"); shift ;;
    --cores=* | -c=*) flags+=("$1"); cores=(--cores "${1#*=}") ;;
    -h | --help | --unlock | --list* | -l | --version | -v | --lint* | --dag | --rulegraph | --summary | -D | --report*)
      flags+=("$1"); quiet=yes ;;
    -*) flags+=("$1") ;;
    *) if [[ " all $EXPERIMENTS " == *" $1 "* ]]; then targets+=("$1"); else flags+=("$1"); fi ;;
  esac
  shift
done
if [[ "$scale" != laptop && "$scale" != published ]]; then
  echo "error: --scale $scale: it must be laptop or published" >&2
  exit 2
fi

source envs/activate.sh
folder=config results=results
if [[ "$scale" != laptop ]]; then folder="config/$scale" results="results/$scale"; fi

if [[ "$quiet" == no ]]; then
  chosen="${targets[*]:-all}"
  [[ " $chosen " == *" all "* ]] && chosen="$EXPERIMENTS"
  files=()
  for experiment in $chosen; do files+=("$folder/$experiment.yaml"); done
  [[ "${cores[*]:-}" =~ ^--cores\ [0-9]+$ ]] || cores=()
  gpatlas cost "${files[@]}" --results "$results" "${cores[@]}"
fi

# bars on a terminal, plain lines in a log; networks take turns on a GPU
[[ -t 2 ]] && flags=(--logger rich "${flags[@]}")
command -v nvidia-smi >/dev/null && flags=(--resources gpu=1 "${flags[@]}")
snakemake --snakefile workflow/Snakefile --config scale="$scale" "${flags[@]}" -- "${targets[@]}"

if [[ "$quiet" == no && ! " ${flags[*]:-} " =~ \ (-n|--dry-run|--dryrun|--touch|-t)\  ]]; then
  report="$results/report.html"
  ((${#targets[@]} == 1)) && [[ "${targets[0]}" != all ]] && report="$results/${targets[0]}/report.html"
  echo "Figures: $results/*/figures/   Report: $report"
fi
