"""Emits FILES: the files of a folder as a JSON list."""

import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
files = sorted(str(path) for path in folder.iterdir() if path.is_file())
print("FILES=" + json.dumps(files))
