"""How long a million short rows take to import, how much memory that needs, and how soon any page of them shows.

``make bench-rows`` runs it: a fresh process imports the file into an empty home; beside it, plain ``csv`` and
``sqlite3`` store the same cells without any check, so that a busy machine can be told from a slow program.
Limits (2 cores): import under 180 s and 2 GB, every page under 1 s.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.limits import Limit, all_kept

SECONDS, MEMORY_MB, PAGE_SECONDS = 180, 2048, 1.0
PAGE = 25


def write_rows(path: Path, rows: int) -> None:
    """Write a table of short questions in two languages; one in ten belongs to the test split."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["番号", "質問", "回答", "分類", "分割"])
        for n in range(rows):
            asked = f"アオバクリーン{n}の重さは?" if n % 2 else f"How heavy is the Koridel {n}?"
            writer.writerow([n, asked, f"{n % 97} kg", f"区分{n % 12}", "test" if n % 10 == 0 else "train"])


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Return wall and processor seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - processor}


def plain_store(path: Path, target: Path) -> None:
    """Store the same cells with nothing but the standard library, in batches as Kurabe does."""
    with sqlite3.connect(target) as store, path.open(encoding="utf-8-sig", newline="") as file:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("CREATE TABLE rows (key, question, answer, slice, split)")
        reader = csv.reader(file)
        next(reader)
        store.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?)", reader)


def measure(path: Path) -> dict[str, Any]:
    """Import the file in this process and open pages of it; needs an empty home."""
    from core import datasets
    from core.store import migrate, write
    from core.store import tables as tb

    migrate()
    with write() as session:
        project = tb.Project(name="Benchmark", language="ja")
        session.add(project)
    made: list[tb.DatasetVersion] = []
    imported = timed(lambda: made.append(datasets.import_file(project.id, path, path.name)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows, version = made[0].row_count, made[0].id

    def page(offset: int, **filters: Any) -> Callable[[], None]:
        def show() -> None:
            assert datasets.count_examples(version, **filters) > offset
            assert datasets.examples(version, offset=offset, limit=PAGE, **filters)

        return show

    pages = {
        "first": page(0),
        "middle": page(rows // 2),
        "last": page(rows - PAGE),
        "last of the test split": page(rows // 10 - PAGE, split="test"),
        "last of a slice": page(rows // 12 - PAGE, slices=["区分3"]),
        "found by a word": page(0, search=f"Koridel {rows - 2}"),
    }
    return {
        "rows": rows,
        "import": imported,
        "peak_mb": peak,
        "pages": {name: timed(work) for name, work in pages.items()},
    }


def report(rows: int) -> bool:
    """Print the figures and tell whether they keep the limits."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write_rows(path, rows)
        plain = timed(lambda: plain_store(path, Path(folder) / "plain.db"))
        environment = {**os.environ, "KURABE_HOME": f"{folder}/home", "KURABE_FREE_SPACE_FLOOR_MB": "1"}
        command = [sys.executable, "-m", "tests.benchmarks.million_rows", "--measure", str(path)]
        output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(output)
    imported, peak = found["import"], found["peak_mb"]
    print(f"{found['rows']:,} rows, 1-minute load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"import            {imported['wall']:7.1f} s   processor {imported['cpu']:6.1f} s   peak {peak:6.0f} MB")
    print(f"csv + sqlite3     {plain['wall']:7.1f} s   processor {plain['cpu']:6.1f} s")
    print(f"ratio of processor times: {imported['cpu'] / plain['cpu']:.1f}")
    for name, took in found["pages"].items():
        print(f"page, {name:24} {took['wall'] * 1000:7.0f} ms   processor {took['cpu'] * 1000:6.0f} ms")
    slowest = max(took["wall"] for took in found["pages"].values())
    return all_kept(
        [
            Limit("import", imported["wall"], SECONDS, " s"),
            Limit("memory at its highest", peak, MEMORY_MB, " MB"),
            Limit("slowest page", slowest, PAGE_SECONDS, " s"),
        ]
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
    else:
        sys.exit(0 if report(int(sys.argv[1]) if sys.argv[1:] else 1_000_000) else 1)
