# Sourced by the run scripts: makes .venv when there is none (or when what it is made from has changed), activates it.
environment=.venv
wanted="$(cat pyproject.toml constraints.txt | cksum)"

find_python() { # Python 3.11 or newer, by the names it may have
  local name
  for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  echo "error: Python 3.11 or newer is needed, and none of python3, python3.11 … is; install one and try again" >&2
  exit 2
}

# the stamp is written last, so that an interrupted installation is done again
if [[ ! -f "$environment/stamp" || "$(cat "$environment/stamp")" != "$wanted" ]]; then
  python="$(find_python)"
  echo "Making the environment $environment (about two minutes, 2 GB) …" >&2
  rm -f "$environment/stamp"
  "$python" -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]' >&2
  echo "$wanted" >"$environment/stamp"
fi
source "$environment/bin/activate"
