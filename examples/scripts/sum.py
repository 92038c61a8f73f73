"""Takes a JSON list of numbers (or of their texts) and emits TOTAL."""

import json
import sys

print(f"TOTAL={sum(int(number) for number in json.loads(sys.argv[1]))}")
