"""Answers what cronsim thinks of cron expressions, for the differential test beside this file.

Reads lines of mode, expression, zone, begin, end (in seconds) and writes one line for each: the
firings after begin and before end, or what is wrong. Mode "sim" asks cronsim for its firings, mode
"walk" looks at the clock minute by minute and asks cronsim only which fields match.
"""

import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIRINGS_MAX = 60


def simulate(sim, end):
    firings = []
    for at in sim:
        second = int(at.timestamp())
        if end <= second or FIRINGS_MAX <= len(firings):
            break
        firings.append(second)
    return firings


def walk(sim, zone, begin, end):
    firings = []
    second = begin // 60 * 60 + 60
    while second < end and len(firings) < FIRINGS_MAX:
        at = datetime.fromtimestamp(second, timezone.utc).astimezone(zone)
        fields = at.minute in sim.minutes and at.hour in sim.hours and at.month in sim.months
        if fields and sim.match_day(at.date()):
            firings.append(second)
        second += 60
    return firings


for line in sys.stdin:
    mode, expression, name, begin, end = line.rstrip("\n").split("\t")
    zone, begin, end = ZoneInfo(name), int(begin), int(end)
    try:
        sim = CronSim(expression, datetime.fromtimestamp(begin, zone))
        firings = simulate(sim, end) if mode == "sim" else walk(sim, zone, begin, end)
        print(" ".join(map(str, firings)))
    except CronSimError:
        print("refused")
