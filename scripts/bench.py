#!/usr/bin/env python3
"""Times `loom` beside GNU make on the same commands, alternating, and prints medians and ratios.

usage: bench.py LOOM [--rounds N] [--trace WFFORMAT.json]
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

WORKERS = 2


def workflow(tasks):
    """`tasks` are (name, command, names it depends on)."""
    lines = ["workflow:", "  name: bench", "  tasks:"]
    for name, command, after in tasks:
        execution = f", execution: {{depends_on: [{', '.join(after)}]}}" if after else ""
        lines.append(f"    - {{name: {name}, plugin: cmd, params: {{command: '{command}'}}{execution}}}")
    return "\n".join(lines) + "\n"


def makefile(tasks):
    names = " ".join(name for name, _, _ in tasks)
    lines = [f".PHONY: all {names}", f"all: {names}"]
    for name, command, after in tasks:
        lines += [f"{name}: {' '.join(after)}", f"\t@{command}"]
    return "\n".join(lines) + "\n"


def independent():
    return [(f"t{nth}", "true", []) for nth in range(1000)]


def chain():
    return [(f"t{nth}", "true", [f"t{nth - 1}"] if nth else []) for nth in range(200)]


def layers():
    tasks = []
    for layer in range(50):
        for place in range(20):
            before = {(place + step) % 20 for step in (0, 1, 7)} if layer else set()
            after = [f"t{layer - 1}_{other}" for other in sorted(before)]
            tasks.append((f"t{layer}_{place}", "true", after))
    return tasks


def trace(path):
    with open(path, encoding="utf-8") as file:
        specification = json.load(file)["workflow"]["specification"]["tasks"]
    names = {task["id"]: f"t{nth}" for nth, task in enumerate(specification)}
    return [(names[task["id"]], "true", [names[on] for on in task["parents"]]) for task in specification]


def seconds(command, **options):
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, **options)
    spent = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed with {done.returncode}: {done.stderr.decode()}")
    return spent


class Bench:
    def __init__(self, loom, folder, rounds):
        self.loom, self.folder, self.rounds = loom, folder, rounds

    def run(self, file):
        store = os.path.join(self.folder, "store")
        shutil.rmtree(store, ignore_errors=True)
        arguments = ["--quiet", "--workers", str(WORKERS), "--store", os.path.join(store, "loom.db")]
        return seconds([self.loom, "run", file, *arguments])

    def alternate(self, ours, theirs):
        """Rounds of both sides in turn; answers with both medians and the median of the ratios."""
        ours(), theirs()
        pairs = [(ours(), theirs()) for _ in range(self.rounds)]
        medians = [statistics.median(side) for side in zip(*pairs)]
        return *medians, statistics.median(a / b for a, b in pairs), pairs

    def against_make(self, title, tasks, target, imported=None):
        yaml = imported or os.path.join(self.folder, "bench.yaml")
        make = os.path.join(self.folder, "bench.mk")
        if not imported:
            with open(yaml, "w", encoding="utf-8") as file:
                file.write(workflow(tasks))
        with open(make, "w", encoding="utf-8") as file:
            file.write(makefile(tasks))
        command = ["make", "-s", f"-j{WORKERS}", "-f", make]
        ours, theirs, ratio, pairs = self.alternate(lambda: self.run(yaml), lambda: seconds(command))
        spread = ", ".join(f"{a / b:.2f}" for a, b in pairs)
        print(f"| {title} | {ours:.3f} s | make {theirs:.3f} s | {ratio:.2f} | {target} |")
        print(f"|   ratios of the rounds: {spread} | | | | |", file=sys.stderr)

    def one(self):
        yaml = os.path.join(self.folder, "one.yaml")
        with open(yaml, "w", encoding="utf-8") as file:
            file.write(workflow([("t", "true", [])]))
        rounds, self.rounds = self.rounds, 10 * self.rounds
        ours, theirs, _, _ = self.alternate(lambda: self.run(yaml), lambda: seconds(["sh", "-c", "true"]))
        self.rounds = rounds
        extra = (ours - theirs) * 1000
        print(f"| one `true`, new store | {ours * 1000:.1f} ms | sh {theirs * 1000:.1f} ms | +{extra:.1f} ms | ≤ +10 ms |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("loom")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trace")
    arguments = parser.parse_args()
    loom = os.path.abspath(arguments.loom)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(loom)) as folder:
        bench = Bench(loom, folder, arguments.rounds)
        print("| Work | loom | beside | ratio | target |\n| --- | --- | --- | --- | --- |")
        bench.against_make("1,000 independent `true`", independent(), "≤ 1.1")
        bench.against_make("200 `true` in a chain", chain(), "≤ 1.3")
        bench.against_make("50 layers × 20 `true`", layers(), "≤ 1.3")
        bench.one()
        if arguments.trace:
            imported = os.path.join(folder, "trace.yaml")
            seconds([loom, "import", "wfformat", arguments.trace, "--scale", "0", "-o", imported])
            tasks = trace(arguments.trace)
            title = f"{len(tasks):,} tasks of the trace"
            bench.against_make(f"{title}, imported at scale 0", tasks, "≤ 1.3", imported)
            bench.against_make(f"{title}, each a `true`", tasks, "≤ 1.3")


if __name__ == "__main__":
    main()
