"""Reads with polars what `archive_speed` reads from the archive: one hub's prices as known at an
instant. Prints a line for each way: its name, median milliseconds, rows."""

import statistics
import sys
import time
from datetime import datetime

import polars as pl

READS = 7


def main(parts: str, exported: str, hub: str, known_at: str) -> None:
    known = datetime.fromisoformat(known_at)

    def published(path: str) -> pl.LazyFrame:
        known_then = (pl.col("place") == hub) & (pl.col("published_at") <= known)
        return pl.scan_parquet(path).filter(known_then).select("interval_start", "published_at", "value")

    def newest(frame: pl.LazyFrame) -> pl.LazyFrame:
        ordered = frame.sort("interval_start", "published_at")
        return ordered.unique("interval_start", keep="last", maintain_order=True)

    ways = {
        "the archive's own files, filtered": lambda: published(f"{parts}/**/*.parquet"),
        "the archive's own files, newest vintage": lambda: newest(published(f"{parts}/**/*.parquet")),
        "one exported file, filtered": lambda: published(exported),
        "one exported file, newest vintage": lambda: newest(published(exported)),
    }
    for name, way in ways.items():
        times, rows = [], 0
        for _ in range(READS):
            start = time.perf_counter()
            rows = way().collect().height
            times.append(1_000 * (time.perf_counter() - start))
        print(f"{name}\t{statistics.median(times):.3f}\t{rows}")


if __name__ == "__main__":
    main(*sys.argv[1:])
