"""Prints how many next firings croniter computes per second: RULE ZONE BEGIN COUNT."""

import sys
from datetime import datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from croniter import croniter

rule, zone, begin, count = sys.argv[1:]
begin = datetime.fromisoformat(begin).astimezone(ZoneInfo(zone))
end = begin + timedelta(days=366)
begun = perf_counter()
firings = croniter(rule, begin, datetime)
for _ in range(int(count)):
    if end <= firings.get_next():
        firings.set_current(begin)
print(int(count) / (perf_counter() - begun))
