"""The same work in Python, for comparison: called by `cargo bench -p forecast` with the folder of the history
and the described hours.

1. polars describes every issue day by a tenth of what the program does: for each of the 72 target
   hours the climatology (hour of day x month, from what precedes the issue day), the highest price
   at the same hour of day of the last 7 days, and the rank of the newest net load among 60 days.
2. LightGBM learns from the program's own features, all thresholds pooled with the climatology as
   offset, the same weights by age, as many leaves and iterations as such a model needs.

Needs: pip install lightgbm polars pyarrow
"""

import sys
import time

import lightgbm
import numpy
import polars

THRESHOLDS = [50.0, 100.0, 200.0, 500.0, 1_000.0]
HALF_LIFE_DAYS = 500.0


def log_loss(log_odds, exceeded):
    z = numpy.where(exceeded, -log_odds, log_odds)
    return numpy.mean(numpy.logaddexp(0.0, z))


def describe(folder):
    started = time.perf_counter()
    prices = (
        polars.scan_parquet(f"{folder}/rt_lmp_5min_hubavg.parquet")
        .group_by(polars.col("interval_start_utc").dt.truncate("1h").alias("hour"))
        .agg(polars.col("lmp_usd_mwh").max().alias("max"))
        .sort("hour")
        .collect()
    )
    system = polars.read_parquet(f"{folder}/system_hourly.parquet")
    names = {name: name for name in system.columns}
    net = next(n for n in names if n.startswith("load")), next(n for n in names if n.startswith("wind"))
    joined = prices.join(
        system.select(polars.col(system.columns[0]).alias("hour"), net[0], net[1]), on="hour", how="left"
    ).with_columns(
        local=polars.col("hour").dt.convert_time_zone("America/Chicago"),
        net=polars.col(net[0]) - polars.col(net[1]),
    ).with_columns(
        hour_of_day=polars.col("local").dt.hour(), month=polars.col("local").dt.month(), day=polars.col("local").dt.date()
    )
    for threshold in THRESHOLDS:
        joined = joined.with_columns((polars.col("max") > threshold).cast(polars.Float64).alias(f"e{threshold}"))
    events = [polars.col(f"e{t}") for t in THRESHOLDS]
    cells = joined.with_columns(
        [e.cum_sum().over("hour_of_day", "month").alias(f"c{i}") for i, e in enumerate(events)]
        + [
            polars.col("max").rolling_max(7).over("hour_of_day").alias("max_7d"),
            polars.col("net").rolling_rank(1_440, min_samples=24).alias("rank") if hasattr(polars.Expr, "rolling_rank")
            else polars.col("net").rolling_quantile(0.9, window_size=1_440, min_samples=24).alias("rank"),
        ]
    )
    issues = cells.select("day").unique()
    targets = issues.join(polars.DataFrame({"lead_day": [1, 2, 3]}), how="cross").join(
        polars.DataFrame({"hour_of_day": list(range(24))}).cast(polars.Int8), how="cross"
    )
    described = targets.join(cells.drop("hour"), on=["day", "hour_of_day"], how="left")
    print(f"polars: describe {described.height} hours, 7 features: {time.perf_counter() - started:.2f} s")


def matrix(table, names, threshold):
    own = [n for n in names if n.endswith(f"@{threshold}")]
    common = [n for n in names if "@" not in n]
    values = table.select(common + own).to_numpy().astype(numpy.float32)
    return numpy.column_stack([values, numpy.full(len(values), threshold, dtype=numpy.float32)])


def train(path):
    table = polars.read_parquet(path)
    extra = {"learnt", "tested", "age_days"}
    names = [n for n in table.columns if n not in extra and not n.startswith(("exceeded@", "offset@"))]
    for rounds, leaves in [(100, 7), (300, 7)]:
        parts, tests = [], []
        for threshold in range(len(THRESHOLDS)):
            known = table.filter(polars.col(f"exceeded@{threshold}").is_not_null())
            for into, chosen in [(parts, "learnt"), (tests, "tested")]:
                rows = known.filter(polars.col(chosen) == 1.0)
                weights = numpy.exp2(-rows["age_days"].to_numpy() / HALF_LIFE_DAYS)
                exceeded = rows[f"exceeded@{threshold}"].to_numpy()
                into.append((matrix(rows, names, threshold), exceeded, rows[f"offset@{threshold}"].to_numpy(), weights))
        started = time.perf_counter()
        x, y, offset, weights = (numpy.concatenate([part[i] for part in parts]) for i in range(4))
        data = lightgbm.Dataset(x, y, weight=weights, init_score=offset)
        settings = {
            "objective": "binary", "num_leaves": leaves, "learning_rate": 0.05, "lambda_l2": 50.0,
            "min_sum_hessian_in_leaf": 20.0, "feature_fraction": 0.4, "num_threads": 2, "verbose": -1, "seed": 1,
        }
        model = lightgbm.train(settings, data, num_boost_round=rounds)
        seconds = time.perf_counter() - started
        losses = [log_loss(o + model.predict(t, raw_score=True), e == 1.0) for t, e, o, _ in tests]
        base = [log_loss(o, e == 1.0) for _, e, o, _ in tests]
        print(
            f"LightGBM, {rounds} trees of {leaves} leaves: train on {len(y)} rows in {seconds:.2f} s; log-loss of 2024, "
            f"mean over thresholds: {numpy.mean(losses):.5f} (offset alone {numpy.mean(base):.5f})"
        )


if __name__ == "__main__":
    describe(sys.argv[1])
    train(sys.argv[2])
