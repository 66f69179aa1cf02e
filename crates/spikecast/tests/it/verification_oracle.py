"""Recomputes what `spikecast evaluate --json` says with scikit-learn, scipy, statsmodels and `scores`.

Arguments: forecasts (CSV), truth (CSV), the JSON document. Prints every number that differs, then
how many were compared. Nothing here is shared with the program.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
import scores as verification
import statsmodels.api as sm
import xarray as xr
from scipy import ndimage, stats
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

warnings.filterwarnings("ignore")
CLIP = 1e-6
COLUMNS = {"combined": "probability"}
CLIMATOLOGIES = ["climatology", "climatology_recent"]
compared, differing = 0, []


def same(name, ours, theirs, absolute=1e-9):
    global compared
    compared += 1
    if ours is None:
        ours = float("nan")
    both_undefined = np.isnan(ours) and np.isnan(theirs)
    if not both_undefined and not abs(ours - theirs) <= absolute + 1e-9 * abs(theirs):
        differing.append(f"{name}: {ours!r} here, {theirs!r} there")


def read(forecasts, truth):
    hours = pd.read_csv(forecasts, parse_dates=["issue_time", "target_start"])
    prices = pd.read_csv(truth, parse_dates=["target_start"])
    hours = hours.merge(prices, on=["settlement_point", "target_start"])
    hours["exceeded"] = hours.threshold < hours.highest_price
    known = hours.exceeded | hours.covered
    hours = hours[known].copy()
    local = hours.target_start.dt.tz_convert("America/Chicago")
    issued = hours.issue_time.dt.tz_convert("America/Chicago")
    hours["hour"] = local.dt.hour
    hours["month"] = local.dt.month
    hours["weekend"] = 5 <= local.dt.dayofweek
    hours["lead_day"] = (
        local.dt.tz_localize(None).dt.normalize() - issued.dt.tz_localize(None).dt.normalize()
    ).dt.days
    return hours


def of_row(hours, row):
    if row["settlement_point"] != "pooled":
        hours = hours[hours.settlement_point == row["settlement_point"]]
    if row["lead_day"] != "pooled":
        hours = hours[hours.lead_day == row["lead_day"]]
    return hours[hours.threshold == row["threshold"]] if "threshold" in row else hours


def column(row):
    return COLUMNS.get(row["forecaster"], row["forecaster"])


def clipped(probability):
    return np.clip(probability, CLIP, 1 - CLIP)


def losses(hours, name):
    p, y = hours[name].to_numpy(), hours.exceeded.to_numpy()
    q = clipped(p)
    return (p - y) ** 2, -np.where(y, np.log(q), np.log(1 - q))


def weekly_interval(hours, own, reference):
    """A block bootstrap of its own: the same blocks, other draws."""
    week = hours.target_start.map(lambda at: int(at.timestamp())).to_numpy() // (7 * 86400)
    sums = pd.DataFrame({"week": week, "own": own, "reference": reference}).groupby("week").sum()
    if len(sums) < 8:
        return None
    drawn = np.random.default_rng(1).integers(0, len(sums), (4000, len(sums)))
    skill = 1 - sums.own.to_numpy()[drawn].sum(1) / sums.reference.to_numpy()[drawn].sum(1)
    return np.quantile(skill, [0.05, 0.95])


def check_scores(name, row, hours, of):
    p, y = hours[of].to_numpy(), hours.exceeded.to_numpy()
    same(f"{name} hours", row["hours"], len(y))
    same(f"{name} exceedances", row["exceedances"], y.sum())
    same(f"{name} base rate", row["base_rate"], y.mean())
    scored = {
        "brier": lambda who: brier_score_loss(y, hours[who]),
        "log_loss": lambda who: log_loss(y, clipped(hours[who]), labels=[False, True]),
    }
    for index, (loss, score) in enumerate(scored.items()):
        same(f"{name} {loss}", row[loss], score(of))
        tougher = min(CLIMATOLOGIES, key=score)
        same(f"{name} {loss} skill", row[f"{loss}_skill"], 1 - score(of) / score(tougher))
        interval = weekly_interval(hours, losses(hours, of)[index], losses(hours, tougher)[index])
        if interval is not None:
            spread = 0.12 * (interval[1] - interval[0]) + 1e-9
            same(f"{name} {loss} lower", row[f"{loss}_skill_lower"], interval[0], spread)
            same(f"{name} {loss} upper", row[f"{loss}_skill_upper"], interval[1], spread)
    both = 0 < y.sum() < len(y)
    same(f"{name} AUC", row["roc_auc"], roc_auc_score(y, p) if both else np.nan)
    precision = average_precision_score(y, p) if y.any() else np.nan
    same(f"{name} AP", row["average_precision"], precision)
    pairs, told_apart = 0, 0.0
    for _, group in hours.groupby("hour"):
        weight = group.exceeded.sum() * (~group.exceeded).sum()
        if weight:
            told_apart += weight * roc_auc_score(group.exceeded, group[of])
            pairs += weight
    same(f"{name} AUC within hours", row["within_hour_auc"], told_apart / pairs if pairs else np.nan)
    if len(np.unique(p)) == len(p) and 10 <= len(p):
        observed, forecast, size = bins(p, y)
        error = np.average(np.abs(observed - forecast), weights=size)
        same(f"{name} ECE", row["calibration_error"], error)


def bins(p, y):
    """Ten bins of equal size; where sizes divide, scikit-learn has the same."""
    order, n = np.argsort(p), len(p)
    parts = np.split(order, [k * n // 10 for k in range(1, 10)])
    observed = np.array([y[part].mean() for part in parts])
    forecast = np.array([p[part].mean() for part in parts])
    if n % 10 == 0:
        theirs = calibration_curve(y, p, n_bins=10, strategy="quantile")
        same("scikit-learn's bins", np.abs(theirs - np.array([observed, forecast])).max(), 0.0)
    return observed, forecast, np.array([len(part) for part in parts])


def check_comparison(row, hours):
    mine, other = losses(hours, "probability"), losses(hours, row["against"])
    index = 0 if row["loss"] == "brier" else 1
    days = pd.DataFrame({"day": hours.issue_time, "d": mine[index] - other[index]})
    d = days.groupby("day").d.mean().to_numpy()
    n, h = len(d), hours.lead_day.max()
    lags = max(int(np.floor(4 * (n / 100) ** (2 / 9))), h - 1)
    fit = sm.OLS(d, np.ones(n)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False}
    )
    statistic = fit.tvalues[0] * np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    name = f"Diebold-Mariano {row}"
    same(f"{name} days", row["days"], n)
    same(f"{name} difference", row["difference"], d.mean())
    same(f"{name} statistic", row["statistic"], statistic, 1e-8)
    same(f"{name} p", row["p_value"], 2 * stats.t.sf(abs(statistic), n - 1), 1e-8)


def check_decompositions(name, row, hours, of):
    p, y = hours[of].to_numpy(), hours.exceeded.to_numpy().astype(float)
    n, base = len(y), y.mean()
    if len(np.unique(p)) == n:
        observed, forecast, size = bins(p, y)
        mean = lambda values: np.average(values, weights=size)
        excess = mean(observed * (1 - observed) / (size - 1))
        terms = np.array(
            [mean((forecast - observed) ** 2), mean((observed - base) ** 2), base * (1 - base)]
        )
        variance = base * (1 - base) / (n - 1)
        corrected = terms + [-excess, variance - excess, variance]
        for index, term in enumerate(["reliability", "resolution", "uncertainty"]):
            same(f"{name} {term}", row["murphy"][term], terms[index])
            same(f"{name} {term} corrected", row["murphy_corrected"][term], corrected[index])
    isotonic = IsotonicRegression(y_min=0, y_max=1).fit(p, y)
    recalibrated = brier_score_loss(y, isotonic.predict(p))
    same(f"{name} MCB", row["corp"]["miscalibration"], brier_score_loss(y, p) - recalibrated)
    same(f"{name} DSC", row["corp"]["discrimination"], base * (1 - base) - recalibrated)
    same(f"{name} UNC", row["corp"]["uncertainty"], base * (1 - base))
    counts = np.histogram(p, np.arange(51) / 50)[0]
    for bar, (here, there) in enumerate(zip(row["refinement"], counts)):
        same(f"{name} refinement {bar}", here, there)
    curve = row["calibration_curve"]
    for end in ["lowest", "highest"]:
        theirs = isotonic.predict([step[end] for step in curve])
        for step, observed in zip(curve, theirs):
            same(f"{name} curve", step["observed"], observed)
    if row["settlement_point"] == "pooled" and row["consistency_band"]:
        check_band(name, row, p)


def check_band(name, row, p):
    """Draws of its own, so the band agrees only as well as draws tell."""
    random, at = np.random.default_rng(2), [point["forecast"] for point in row["consistency_band"]]
    curves = []
    for _ in range(60):
        drawn = (random.random(len(p)) < p).astype(float)
        curves.append(IsotonicRegression(y_min=0, y_max=1).fit(p, drawn).predict(at))
    for index, end in enumerate(["lower", "upper"]):
        theirs = np.quantile(curves, [0.05, 0.95][index], axis=0)
        ours = np.array([point[end] for point in row["consistency_band"]])
        same(f"{name} band {end}, mean distance", float(np.abs(ours - theirs).mean()), 0.0, 0.03)


def check_alerts(name, row, hours, of):
    p, y = hours[of].to_numpy(), hours.exceeded.to_numpy()
    if len(np.unique(p)) < len(p):
        return
    for table in row["alerts"]:
        count = max(int(np.floor(len(p) * table["budget"] + 0.5)), 1)
        cut = np.sort(p)[-count]
        alerted = cut <= p
        contingency = verification.categorical.BinaryContingencyManager(
            xr.DataArray(alerted.astype(float)), xr.DataArray(y.astype(float))
        ).transform()
        here = f"{name} alerts {table['budget']}"
        same(f"{here} cut", table["cut"], cut)
        same(f"{here} POD", table["detected"], float(contingency.probability_of_detection()))
        same(f"{here} FAR", table["false_alarm_ratio"], float(contingency.false_alarm_ratio()))
        same(f"{here} CSI", table["critical_success"], float(contingency.critical_success_index()))
        check_spells(here, table, hours, alerted)


def check_spells(name, table, hours, alerted):
    found = np.zeros(4, int)
    series = hours.assign(alerted=alerted)
    for _, group in series.groupby(["settlement_point", "lead_day"]):
        hour = (group.target_start - hours.target_start.min()) // pd.Timedelta(hours=1)
        length = hour.max() + 3
        line = {key: np.zeros(length, bool) for key in ["exceeded", "alerted"]}
        for key, marks in line.items():
            marks[hour.to_numpy()[group[key].to_numpy()] + 1] = True
        for at, (these, those) in enumerate([("exceeded", "alerted"), ("alerted", "exceeded")]):
            runs, count = ndimage.label(line[these])
            near = np.unique(runs[ndimage.binary_dilation(line[those], [1, 1, 1])])
            found[2 * at] += count
            found[2 * at + 1] += len(near[0 < near])
    same(f"{name} spells", table["spells"], found[0])
    same(f"{name} spells caught", table["spells_caught"], found[1])
    same(f"{name} alert runs", table["alert_runs"], found[2])
    same(f"{name} false runs", table["false_runs"], found[2] - found[3])


def check_value(name, row, hours, of):
    p, y = xr.DataArray(hours[of].to_numpy()), xr.DataArray(hours.exceeded.to_numpy().astype(float))
    ratios = [point["cost_loss_ratio"] for point in row["value"]]
    values = verification.probability.relative_economic_value(
        p, y, cost_loss_ratios=ratios, probability_thresholds=ratios
    )
    for place, point in enumerate(row["value"]):
        at = {"cost_loss_ratio": place, "probability_threshold": place}
        same(f"{name} value at {ratios[place]}", point["value"], float(values.isel(at)))


def check_curve(row, hours):
    thresholds = sorted(hours.threshold.unique())
    hours = of_row(hours, row)
    keys = ["settlement_point", "issue_time", "target_start"]
    curves = hours.pivot(index=keys, columns="threshold", values=column(row)).dropna()
    prices = hours.groupby(keys).highest_price.first().loc[curves.index]
    exponents, prices = np.log(thresholds), prices.to_numpy()
    # An observation between two thresholds is the same as one at the upper of them; beyond the
    # highest the package has no place for it, so those hours are integrated directly.
    inside = prices <= thresholds[-1]
    squared = (curves.to_numpy() - (prices[:, None] > np.array(thresholds))) ** 2
    theirs = np.trapezoid(squared, exponents, axis=1)
    theirs[inside] = verification.probability.crps_cdf(
        xr.DataArray(
            1 - curves.to_numpy()[inside],
            dims=["row", "threshold"],
            coords={"threshold": exponents},
        ),
        xr.DataArray(exponents[np.searchsorted(thresholds, prices[inside])], dims=["row"]),
        integration_method="trapz",
        preserve_dims=["row"],
    ).total.to_numpy()
    same(f"twCRPS {row} hours", row["hours"], len(curves))
    same(f"twCRPS {row}", row["threshold_weighted_crps"], theirs.mean())


def check_stability(row, hours):
    issues = of_row(hours, row).sort_values("issue_time")
    groups = issues.groupby(["settlement_point", "target_start"])[column(row)].apply(list)
    full = [issues for issues in groups if len(issues) == 3]
    data = xr.DataArray(np.array(full), dims=["hour", "issue"])
    index = verification.continuous.flip_flop_index(data, "issue")
    same(f"flip-flop {row} hours", row["hours"], len(full))
    same(f"flip-flop {row}", row["flip_flop"], float(index.mean()))
    same(f"revision {row}", row["revision"], np.abs(np.diff(full, axis=1)).mean())


def part_of(hours, row):
    if row["by"] == "hour_of_day":
        return hours[hours.hour // 3 == int(row["part"][:2]) // 3]
    if row["by"] == "month":
        return hours[hours.month == pd.to_datetime(row["part"], format="%B").month]
    if row["by"] == "day_kind":
        return hours[hours.weekend == (row["part"] == "weekend")]
    if row["by"] == "usual_rate":
        return hours[(hours.climatology < hours.exceeded.mean()) == (row["part"] == "usually quiet")]
    return None


def main():
    hours = read(sys.argv[1], sys.argv[2])
    with open(sys.argv[3]) as file:
        document = json.load(file)
    for row in document["scores"]:
        name = f"{row['settlement_point']} {row['threshold']} {row['lead_day']} {row['forecaster']}"
        check_scores(name, row, of_row(hours, row), column(row))
    for row in document["comparisons"]:
        check_comparison(row, of_row(hours, row))
    for row in document["verifications"]:
        name, here = f"{row['settlement_point']} {row['threshold']} {row['forecaster']}", of_row(hours, row)
        check_decompositions(name, row, here, column(row))
        check_alerts(name, row, here, column(row))
        check_value(name, row, here, column(row))
    for row in document["divisions"]:
        part = part_of(of_row(hours, row), row)
        if part is not None:
            check_scores(f"{row['threshold']} {row['by']} {row['part']}", row, part, "probability")
    for row in document["curves"]:
        check_curve(row, hours)
    for row in document["stability"]:
        check_stability(row, hours)
    print("\n".join(differing[:40]))
    print(f"{compared} compared, {len(differing)} differ")
    sys.exit(1 if differing else 0)


main()
