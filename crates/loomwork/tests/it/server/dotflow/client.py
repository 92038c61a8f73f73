"""Workflows of the real dotflow client. The first argument says which."""

import sys

import dotflow
from dotflow import DotFlow, action

CALLS = {"flaky": 0}


@action
def extract():
    return {"users": 150}


@action
def transform(initial_context, previous_context):
    return {"active": previous_context.storage["users"] - 30, "who": initial_context.storage}


@action
def load(previous_context):
    return "loaded %d" % previous_context.storage["active"]


@action
def boom():
    raise ValueError("kaput")


@action(retry=3, retry_delay=1)
def flaky():
    CALLS["flaky"] += 1
    if CALLS["flaky"] < 3:
        raise RuntimeError("flaky attempt %d" % CALLS["flaky"])
    return "third time lucky"


@action
def one():
    return 1


def flow(name):
    """Early clients give workflows no name."""
    try:
        return DotFlow(name=name)
    except TypeError:
        return DotFlow()


def success():
    workflow = flow("success")
    workflow.task.add(step=extract)
    workflow.task.add(step=transform, initial_context={"hello": "world"})
    workflow.task.add(step=load)
    workflow.start()


def failure():
    workflow = flow("failure")
    for step in (extract, boom, extract):
        workflow.task.add(step=step)
    workflow.start()


def keep_going():
    workflow = flow("keep_going")
    for step in (extract, boom, extract):
        workflow.task.add(step=step)
    workflow.start(keep_going=True)


def retries():
    workflow = flow("retries")
    workflow.task.add(step=flaky)
    workflow.start()


def parallel():
    workflow = flow("parallel")
    for _ in range(5):
        workflow.task.add(step=one)
    workflow.start(mode="parallel")


if __name__ == "__main__":
    print("dotflow", getattr(dotflow, "__version__", "?"))
    globals()[sys.argv[1]]()
