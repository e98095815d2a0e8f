#!/bin/sh
# Creates .venv with the first Python >= 3.11 found ($PYTHON, python3, python3.13 ...), or says what is missing.
# A name on the PATH may be a pyenv shim of a version that is not there, so each one is tried.
set -eu

can_make_venv() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

python=
for name in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 python3.14 python; do
    "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
    if can_make_venv "$name"; then python=$name; break; fi
    python=${python:-$name}
done

if [ -z "$python" ]; then
    echo "Descent Lab needs Python 3.11 or newer; python3 here: $(python3 --version 2>&1 | head -n 1)." >&2
    echo "Install one (python.org, your package manager, uv or pyenv), or name it: make run PYTHON=/path/to/python" >&2
    exit 1
fi

if ! can_make_venv "$python"; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing $package, which Debian keeps apart from Python ..."
        { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$package"; } >/dev/null || true
    fi
    if ! can_make_venv "$python"; then
        echo "$python cannot create virtual environments: its module ensurepip is missing." >&2
        echo "On Debian or Ubuntu: sudo apt-get install $package" >&2
        exit 1
    fi
fi

echo "Creating .venv with $("$python" --version) ..."
"$python" -m venv .venv
