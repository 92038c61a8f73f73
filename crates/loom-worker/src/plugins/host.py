"""Runs one Python plugin for loom: JSON lines on standard input and output.

Called as `python3 -c THIS FILE NAME`. Standard output belongs to the conversation; whatever the plugin
prints, or its child processes write, goes to the attempt's log.
"""

import abc
import importlib.util
import json
import os
import sys
import threading
import types

PROTOCOL = 1


class TaskPlugin(abc.ABC):
    """What a task runs: subclass it and write `execute`."""

    REQUIRES_AUTH = False
    REQUIRED_PERMISSIONS = []

    def check_permissions(self, permissions):
        """Whether these permissions (a map from names to True) suffice."""
        return all(permissions.get(name, False) for name in self.REQUIRED_PERMISSIONS)

    @abc.abstractmethod
    def execute(self, env, params):
        """Does the work; returns the variables to emit as a dict."""


class PermanentError(Exception):
    """Raise it for a failure that trying again does not mend. `error` becomes the ERROR object."""

    def __init__(self, message="", error=None):
        super().__init__(message)
        self.error = error


class RetryableError(Exception):
    """Raise it for a failure that may pass, with the seconds to wait if they are known."""

    def __init__(self, message="", retry_after=None, error=None):
        super().__init__(message)
        self.retry_after = retry_after
        self.error = error


class BadPlugin(Exception):
    """The file holds no plugin that can be used."""


class Conversation:
    """The lines that go to loom, whole and in order whatever thread writes them."""

    def __init__(self, stream):
        self.stream = stream
        self.lock = threading.Lock()
        self.request = None

    def say(self, **message):
        line = json.dumps(message, allow_nan=False, ensure_ascii=True)
        with self.lock:
            self.stream.write(line.encode("ascii") + b"\n")
            self.stream.flush()


class Printed:
    """Stands in for sys.stdout and sys.stderr: what is printed goes to the attempt's log."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, conversation, descriptor):
        self.conversation = conversation
        self.descriptor = descriptor
        self.lock = threading.Lock()
        self.line = ""

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not " + type(text).__name__)
        with self.lock:
            lines, newline, self.line = (self.line + text).rpartition("\n")
            self.pass_on(lines + newline)
        return len(text)

    def pass_on(self, text):
        request = self.conversation.request
        if request is None:
            os.write(self.descriptor, text.encode("utf-8", "backslashreplace"))
        elif text:
            self.conversation.say(id=request, type="log", text=text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        with self.lock:
            text, self.line = self.line, ""
            self.pass_on(text)

    def isatty(self):
        return False

    def writable(self):
        return True

    def readable(self):
        return False

    def fileno(self):
        return self.descriptor


def offer_modules():
    """Makes `from task_orchestrator import TaskPlugin` and `from loomwork import …` work."""
    for name in ("task_orchestrator", "loomwork"):
        module = types.ModuleType(name, "Offered to plugins by loom.")
        module.TaskPlugin = TaskPlugin
        module.PermissionError = PermissionError
        module.PermanentError = PermanentError
        module.RetryableError = RetryableError
        sys.modules[name] = module


def load(path, name):
    """The plugin's class."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location("plugins." + name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["plugins." + name] = module
    # A file that holds just the class, without the import, works as well.
    module.TaskPlugin = TaskPlugin
    spec.loader.exec_module(module)
    found = getattr(module, "Plugin", None)
    if found is None:
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, TaskPlugin)
            and value.__module__ == module.__name__
        ]
        if len(classes) > 1:
            names = ", ".join(sorted(value.__name__ for value in classes))
            raise BadPlugin("it has several TaskPlugin classes (%s); call one of them Plugin" % names)
        if not classes:
            raise BadPlugin("it has no class Plugin and no subclass of TaskPlugin")
        found = classes[0]
    if not isinstance(found, type) or not callable(getattr(found, "execute", None)):
        raise BadPlugin("Plugin is not a class with a method execute(self, env, params)")
    return found


def describe(found):
    """The manifest that the class's attributes make."""
    doc = found.__dict__.get("__doc__") or sys.modules[found.__module__].__doc__ or ""
    first = doc.strip().split("\n")[0]
    manifest = {
        "description": getattr(found, "DESCRIPTION", first),
        "inputs": names(found, "INPUTS"),
        "outputs": names(found, "OUTPUTS"),
        "requires_auth": bool(getattr(found, "REQUIRES_AUTH", False)),
        "required_permissions": names(found, "REQUIRED_PERMISSIONS"),
    }
    params = getattr(found, "PARAMS", None)
    if params is not None:
        manifest["params"] = params
    return manifest


def names(found, attribute):
    value = getattr(found, attribute, [])
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(v, str) for v in value):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    raise BadPlugin("%s is not a list of names" % attribute)


def variables(request):
    """`env` as the plugin sees it: texts, whatever the variable's type."""
    env = {
        name: value if isinstance(value, str) else compact(value)
        for name, value in request["env"].items()
    }
    env["_permissions"] = {name: True for name in request["permissions"]}
    env["_context"] = request["context"]
    return env


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Host:
    """Answers requests with one instance of the plugin."""

    def __init__(self, path, name):
        self.found = self.plugin = self.broken = None
        try:
            self.found = load(path, name)
        except BadPlugin as error:
            self.broken = str(error)
        except BaseException as error:
            line = last_line(error, path)
            at = " (line %s)" % line if line else ""
            self.broken = "it cannot be loaded%s: %s: %s" % (at, type(error).__name__, error)

    def answer(self, request):
        kind = request["type"]
        if self.broken is not None:
            return {"type": "error", "kind": "permanent", "message": self.broken}
        if kind == "describe":
            try:
                return {"type": "result", "manifest": describe(self.found)}
            except BadPlugin as error:
                return {"type": "error", "kind": "permanent", "message": str(error)}
        if kind == "execute":
            return self.execute(request)
        return {"type": "error", "kind": "permanent", "message": "unknown request: %s" % kind}

    def execute(self, request):
        try:
            if self.plugin is None:
                self.plugin = self.found()
            env = variables(request)
            self.authorise(env["_permissions"])
            result = self.plugin.execute(env, request["params"])
            if hasattr(result, "__await__"):
                result = run_async(result)
            return {"type": "result", "outputs": checked(result)}
        except PermanentError as error:
            return failed(error, "permanent")
        except RetryableError as error:
            return failed(error, "retryable")
        except BaseException as error:
            print_exception(error)
            denied = isinstance(error, PermissionError)
            return failed(error, "permission_denied" if denied else "retryable")

    def authorise(self, permissions):
        required = getattr(self.plugin, "REQUIRED_PERMISSIONS", [])
        if not getattr(self.plugin, "REQUIRES_AUTH", False) and not permissions:
            return
        check = getattr(self.plugin, "check_permissions", None)
        if check is None:
            allowed = all(permissions.get(name, False) for name in required)
        else:
            allowed = check(permissions)
        if not allowed:
            raise PermissionError("the plugin's check_permissions refused: it requires %s" % (
                ", ".join(required) or "other permissions"
            ))


def failed(error, kind):
    text = str(error)
    if text and isinstance(error, (PermissionError, PermanentError, RetryableError)):
        message = text
    else:
        message = "%s: %s" % (type(error).__name__, text) if text else type(error).__name__
    answer = {"type": "error", "kind": kind, "message": message}
    if isinstance(error, RetryableError) and error.retry_after is not None:
        answer["retry_after"] = float(error.retry_after)
    if isinstance(error, (PermanentError, RetryableError)) and error.error is not None:
        answer["error"] = error.error
    return answer


def run_async(awaitable):
    import asyncio  # takes longer to load than most plugins take to run

    async def awaited():
        return await awaitable

    return asyncio.run(awaited())


def print_exception(error):
    import traceback

    traceback.print_exception(type(error), error, error.__traceback__)


def last_line(error, path):
    """The line of the file at which it failed to load, if it was in that file."""
    if isinstance(error, SyntaxError):
        return error.lineno if error.filename == path else None
    line, step = None, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    return line


def checked(result):
    if result is None:
        return {}
    if not isinstance(result, dict):
        raise PermanentError("execute returned %s, not a dict" % type(result).__name__)
    for name in result:
        if not isinstance(name, str):
            raise PermanentError("execute returned a dict with the key %r, which is no text" % (name,))
    try:
        json.dumps(result, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PermanentError("execute returned something that JSON cannot hold: %s" % error)
    return result


def main():
    path, name = sys.argv[1], sys.argv[2]
    requests = os.fdopen(os.dup(0), "rb")
    conversation = Conversation(os.fdopen(os.dup(1), "wb"))
    # Children and code that writes to descriptor 1 must not disturb the conversation.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = Printed(conversation, 1)
    sys.stderr = Printed(conversation, 2)
    sys.argv = [path]
    sys.dont_write_bytecode = True
    offer_modules()
    conversation.say(type="hello", protocol=PROTOCOL, concurrency=1)
    host = None
    for line in requests:
        request = json.loads(line)
        number = conversation.request = request["id"]
        host = host or Host(path, name)
        answer = host.answer(request)
        sys.stdout.flush()
        sys.stderr.flush()
        conversation.request = None
        try:
            conversation.say(id=number, **answer)
        except (TypeError, ValueError) as error:
            message = "the plugin's error object cannot be written as JSON: %s" % error
            conversation.say(id=number, type="error", kind="permanent", message=message)


main()
