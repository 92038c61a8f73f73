"""Emits RAW_DATA: a few readings, one of them unusable."""

import json
import time

time.sleep(0.3)
readings = [{"sensor": name, "value": value} for name, value in
            [("a", 20.5), ("b", None), ("c", 21.75), ("d", 19.0)]]
print("RAW_DATA=" + json.dumps(readings, separators=(",", ":")))
