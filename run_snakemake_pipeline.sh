#!/usr/bin/env bash
# The study in one command: makes the environment on first use, says what the run will cost, runs it, and says where
# the figures and the report are. Run again after an interruption: it goes on where it stopped.
#
#   bash run_snakemake_pipeline.sh [scaling …] [--scale laptop|published] [--anyway] [any snakemake flag]
#
# What does not fit this machine is refused before it starts; --anyway starts it all the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

EXPERIMENTS="scaling dilution pleiotropy frontier automl gpfn perceiver"
targets=() flags=() settings=() scale=laptop cores=() quiet=no pricing=() profile=default
while (($#)); do
  case "$1" in
    --config | -C) # ours and the user's become one list; `scaling=my.yaml` runs another file
      while [[ "${2:-}" == *=* ]]; do settings+=("$2"); shift; done ;;
    --scale) scale="${2:-}"; shift ;;
    --scale=*) scale="${1#*=}" ;;
    -c | --cores | -j | --jobs) flags+=("$1" "${2:-}"); cores=(--cores "${2:-}"); shift ;;
    --cores=* | -c=*) flags+=("$1"); cores=(--cores "${1#*=}") ;;
    --anyway) pricing+=(--anyway) ;;
    --workflow-profile | --executor | -e) flags+=("$1" "${2:-}"); profile="${2:-}"; shift ;;
    --workflow-profile=* | --executor=*) flags+=("$1"); profile="${1#*=}" ;;
    -n | --dry-run | --dryrun) flags+=("$1"); pricing+=(--anyway) ;;
    -h | --help | --unlock | --list* | -l | --version | -v | --lint* | --dag | --rulegraph | --summary | -D | --report*)
      flags+=("$1"); quiet=yes ;;
    -*) flags+=("$1") ;;
    *)
      if [[ " all $EXPERIMENTS " == *" $1 "* ]]; then
        targets+=("$1")
      elif ((${#flags[@]} == 0)) && [[ "$1" != */* ]]; then # no flag yet whose value it could be, and no file
        echo "error: no experiment '$1'; known are: $EXPERIMENTS, all" >&2
        exit 2
      else
        flags+=("$1")
      fi
      ;;
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
  for experiment in $chosen; do
    file="$folder/$experiment.yaml"
    for setting in ${settings[@]+"${settings[@]}"}; do [[ "$setting" == "$experiment="* ]] && file="${setting#*=}"; done
    files+=("$file")
  done
  case "$profile" in default | gpu | */gpu | local) ;; *) pricing+=(--elsewhere) ;; esac # jobs run on other machines
  [[ "${cores[*]:-}" =~ ^--cores\ [0-9]+$ ]] || cores=()
  gpatlas cost "${files[@]}" --results "$results" ${cores[@]+"${cores[@]}"} ${pricing[@]+"${pricing[@]}"}
fi

# a killed run leaves Snakemake's lock behind; ours dies with the run, so that the other can be told from a live one
mkdir -p .snakemake
if command -v flock >/dev/null; then
  exec 9>.snakemake/run.lock
  if ! flock --nonblock 9; then
    echo "error: another run is going on in this folder; wait for it or stop it" >&2
    exit 2
  fi
  if compgen -G ".snakemake/locks/*" >/dev/null; then
    snakemake -s workflow/Snakefile --unlock >/dev/null 2>&1 || true
    if [[ -d results ]]; then find results -name '.*.part' -type f -delete; fi # what it was writing
  fi
fi

# bars on a terminal, plain lines in a log; networks share a GPU
if [[ -t 2 ]]; then flags+=(--logger rich); fi
if [[ "$profile" == default ]] && command -v nvidia-smi >/dev/null; then flags+=(--workflow-profile gpu); fi
if ((${#targets[@]})); then targets=(-- "${targets[@]}"); fi
snakemake --snakefile workflow/Snakefile ${flags[@]+"${flags[@]}"} --config scale="$scale" \
  ${settings[@]+"${settings[@]}"} ${targets[@]+"${targets[@]}"}

if [[ "$quiet" == no && ! " ${flags[*]:-} " =~ \ (-n|--dry-run|--dryrun|--touch|-t)\  ]]; then
  reports="$results/report.html"
  if ((${#targets[@]})) && [[ " ${targets[*]} " != *" all "* ]]; then
    reports=$(printf "$results/%s/report.html " "${targets[@]:1}") # the first is --
  fi
  echo "Figures: $results/*/figures/   Report: ${reports% }"
fi
