"""``make bench`` or ``python -m benchmarks [engine ...]``: one table; exit status 1 if a target is missed."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.table import table

SUBJECTS = ("engine", "maps", "app", "build")  # modules of this package that have rows()


def main(chosen: list[str]) -> int:
    """Run the chosen subjects, or all."""
    unknown = [name for name in chosen if name not in SUBJECTS]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; there are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    rows = []
    for name in chosen or SUBJECTS:
        for row in import_module(f"benchmarks.{name}").rows():
            print(f"measured: {row.name}", file=sys.stderr)
            rows.append(row)
    print(table(rows))
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
