"""Greets somebody."""

# `from loomwork import TaskPlugin, PermanentError, RetryableError` works here once you need them:
# TaskPlugin to derive from, the errors to say whether trying again may help.


class Plugin:
    """The plugin PLUGIN_NAME: greets somebody."""

    INPUTS = ["WHO"]
    OUTPUTS = ["GREETING"]
    # A JSON Schema (2020-12) of the task's params.
    PARAMS = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"greeting": {"type": "string", "description": "The words before the name."}},
    }

    def execute(self, env, params):
        """env holds the variables as texts; what is returned is emitted; prints go to the log."""
        greeting = params.get("greeting", "Hello")
        return {"GREETING": f"{greeting}, {env['WHO']}!"}
