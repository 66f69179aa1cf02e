"""Answers what cronsim and croniter think of cron expressions, for the tests beside this file.

Reads lines of mode, expression, zone, begin, end (in seconds) and writes one line for each: the
firings after begin and before end, or "refused". Mode "sim" asks cronsim for its firings, mode
"walk" looks at the clock minute by minute and asks cronsim only which fields match. Mode "iter"
asks croniter, mode "iter-vixie" asks it to combine day fields as Vixie's cron does.
"""

import re
import sys
from datetime import datetime, timezone
from itertools import takewhile
from zoneinfo import ZoneInfo

FIRINGS_MAX = 60


def limited(firings, end):
    firings = takewhile(lambda at: at < end, firings)
    return [at for _, at in zip(range(FIRINGS_MAX), firings)]


def simulate(expression, zone, begin):
    from cronsim import CronSim

    for at in CronSim(expression, datetime.fromtimestamp(begin, zone)):
        yield int(at.timestamp())


def walk(expression, zone, begin):
    from cronsim import CronSim

    sim = CronSim(expression, datetime.fromtimestamp(begin, zone))
    second = begin // 60 * 60
    while True:
        second += 60
        at = datetime.fromtimestamp(second, timezone.utc).astimezone(zone)
        fields = at.minute in sim.minutes and at.hour in sim.hours and at.month in sim.months
        if fields and sim.match_day(at.date()):
            yield second


def iterate(expression, zone, begin, is_vixie):
    from croniter import CroniterBadDateError, croniter

    # The last such weekday is L5 to croniter, not 5L.
    expression = re.sub(r"\b([0-7])L\b", r"L\1", expression)
    start = datetime.fromtimestamp(begin, zone)
    try:
        firings = croniter(
            expression,
            start,
            datetime,
            # The question is about some days; without a limit an impossible date takes long.
            max_years_between_matches=1,
            implement_cron_bug=is_vixie,
        )
        while True:
            yield int(firings.get_next().timestamp())
    except CroniterBadDateError:
        return


MODES = {
    "sim": simulate,
    "walk": walk,
    "iter": lambda *question: iterate(*question, is_vixie=False),
    "iter-vixie": lambda *question: iterate(*question, is_vixie=True),
}

for line in sys.stdin:
    mode, expression, name, begin, end = line.rstrip("\n").split("\t")
    zone, begin, end = ZoneInfo(name), int(begin), int(end)
    try:
        print(" ".join(map(str, limited(MODES[mode](expression, zone, begin), end))))
    except ValueError:
        print("refused")
