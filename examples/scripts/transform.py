"""Takes readings as JSON and emits CLEAN_DATA: those with a value, in Fahrenheit."""

import json
import sys
import time

time.sleep(0.5)
readings = [r for r in json.loads(sys.argv[1]) if r["value"] is not None]
clean = [{"sensor": r["sensor"], "value": r["value"] * 9 / 5 + 32} for r in readings]
print("CLEAN_DATA=" + json.dumps(clean, separators=(",", ":")))
