#!/bin/sh
# Prints what only a machine with a GPU can say, in under 12 minutes; --help says how.
cd "$(dirname "$0")/.." || exit
test -n "$PYTHON" || PYTHON=.venv/bin/python
test -x "$PYTHON" || PYTHON=python3
exec "$PYTHON" -m benchmarks.gpu "$@"
