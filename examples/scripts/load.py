"""Pretends to load rows somewhere, drops the backup, and emits ROWS."""

import argparse
import json
import os

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--input", required=True, help="the rows as a JSON list")
parser.add_argument("--backup", required=True, help="the file that backs them up")
arguments = parser.parse_args()

rows = json.loads(arguments.input)
for row in rows:
    print(f"loaded {row['sensor']}: {row['value']:.1f} F")
os.remove(arguments.backup)
print(f"ROWS={len(rows)}")
