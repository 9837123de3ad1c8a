# Makes .venv with the pinned dependencies, or finds it ready. Sourced by what people run; needs only Python >= 3.11.
#   . scripts/bootstrap.sh            what running needs
#   . scripts/bootstrap.sh testing    what testing adds

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        [ -n "$candidate" ] || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s' "$candidate"
            return
        fi
    done
    say "redrain: no Python >= 3.11 found. Install one, or name it: PYTHON=/path/to/python3.11 $0"
    exit 30
}

locks=(requirements.lock)
[ "${1:-}" = testing ] && locks+=(requirements-dev.lock)
wanted=$(cat pyproject.toml "${locks[@]}" | cksum)
stamp=.venv/ready-${1:-running}

if [ ! -x .venv/bin/python ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    python=$(find_python)
    say "redrain: setting up .venv with $("$python" --version) (once; half a minute or so)"
    [ -x .venv/bin/python ] || "$python" -m venv .venv || {
        say "redrain: could not make a virtual environment. On Debian: apt-get install python3-venv"
        exit 30
    }
    requirements=()
    for lock in "${locks[@]}"; do requirements+=(-r "$lock"); done
    pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)
    if ! "${pip[@]}" install "${requirements[@]}" 2> >(grep -v '^WARNING' >&2) ||
        ! "${pip[@]}" install --no-deps --no-build-isolation --editable . 2> >(grep -v '^WARNING' >&2); then
        say "redrain: installing the pinned dependencies failed; is there a package index within reach (see pip config)?"
        exit 30
    fi
    printf '%s' "$wanted" >"$stamp"
    # What testing needs includes what running needs.
    cat pyproject.toml requirements.lock | cksum | tr -d '\n' >.venv/ready-running
    say "redrain: ready"
fi
