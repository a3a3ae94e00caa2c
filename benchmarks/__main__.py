"""`python -m benchmarks`: every measurement, one after another; --markdown for the README."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks import core, page, sessions, sweep

Row = tuple[str, str, str]
HEAD: Row = ("What", "Measured", "Bound")
PARTS = {"Core": core, "Sweep": sweep, "Page": page, "Sessions": sessions}
PACKAGES = ("numba", "numpy", "streamlit", "plotly")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def machine() -> str:
    """What the numbers were measured on, as one line."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = platform.python_version()
    return f"{_processor()}, {os.cpu_count()} cores, Python {python}, {packages}"


def aligned(rows: list[Row]) -> str:
    """The rows as text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    lines = [HEAD, *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table; a row that starts with blanks belongs to the one above."""
    shown = [(f"&emsp;{what.strip()}" if what[0] == " " else what, *rest) for what, *rest in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (HEAD, ("---",) * 3, *shown))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    wants_markdown = parser.parse_args().markdown
    print(f"Measured on: {machine()}", flush=True)
    for title, part in PARTS.items():
        rows = part.measure()
        heading, table = (f"### {title}\n", markdown) if wants_markdown else (title, aligned)
        print(f"\n{heading}\n{table(rows)}", flush=True)


if __name__ == "__main__":
    main()
