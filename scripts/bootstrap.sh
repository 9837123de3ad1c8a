# Makes .venv with the pinned dependencies, or finds it ready. Sourced by what people run; needs only Python >= 3.11.
#   . scripts/bootstrap.sh            what running needs
#   . scripts/bootstrap.sh testing    what testing adds

set -euo pipefail
unset CDPATH # cd would look there first, and print what it finds
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
cd "$root"
export PYTHONUTF8=1 # whatever the locale, the name of this folder is read as it is written

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

# Sourced without an argument, $1 is the first option of the caller's user, which says nothing of what is needed.
need=running
locks=(requirements.lock)
if [ "${1:-}" = testing ]; then
    need=testing
    locks+=(requirements-dev.lock)
fi
wanted=$(cat pyproject.toml "${locks[@]}" | cksum)
stamp=.venv/ready-$need

# An environment knows its own path: one that was copied or moved would run the code from where it was made.
made_at=$(sed -n 's/^command = .* -m venv //p' .venv/pyvenv.cfg 2>/dev/null || true)
if [ -n "$made_at" ] && [ "$made_at" != "$root/.venv" ]; then
    say "redrain: .venv was made for $made_at; making it anew"
    rm -rf .venv
fi

if [ ! -x .venv/bin/python ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    python=$(find_python)
    say "redrain: setting up .venv with $("$python" --version) (once; half a minute or so)"
    [ -x .venv/bin/python ] || "$python" -m venv .venv || {
        say "redrain: could not make a virtual environment. On Debian: apt-get install python3-venv"
        exit 30
    }
    requirements=()
    for lock in "${locks[@]}"; do requirements+=(-r "$lock"); done
    # pip takes options from the environment and its configuration; these would install elsewhere, or nothing.
    unset PIP_TARGET PIP_PREFIX PIP_ROOT PIP_DRY_RUN PIP_PYTHON PIP_REQUIREMENT PIP_EDITABLE PIP_CONSTRAINT
    export PIP_USER=0
    pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)
    if ! "${pip[@]}" install "${requirements[@]}" 2> >(grep -v '^WARNING' >&2) ||
        ! "${pip[@]}" install --no-deps --no-build-isolation --editable . 2> >(grep -v '^WARNING' >&2); then
        say "redrain: installing the pinned dependencies failed; is there a package index within reach (see pip config)?"
        exit 30
    fi
    # pip names this folder by its whole path, which Python reads in the encoding of the locale.
    for path in .venv/lib/python*/site-packages/_redrain.pth; do printf '../../../..\n' >"$path"; done
    printf '%s' "$wanted" >"$stamp"
    # What testing needs includes what running needs.
    cat pyproject.toml requirements.lock | cksum | tr -d '\n' >.venv/ready-running
    say "redrain: ready"
fi
