#!/bin/sh
# The plugin PLUGIN_NAME. The task's inputs are environment variables; standard input holds one line of
# JSON with all there is to know: env, params, run, task, attempt, idempotency_key, permissions.
# What it prints as NAME=value is emitted; everything it prints is kept in the task's log.
# Exit status 0 is success, 75 asks to be tried again later, any other is a failure.
set -eu

request=$(cat)
# A parameter that is plain text, without a JSON parser. With jq: jq -r '.params.greeting // "Hello"'.
greeting=$(printf '%s' "$request" | sed -n 's/.*"greeting":"\([^"\\]*\)".*/\1/p')

printf 'GREETING=%s, %s!\n' "${greeting:-Hello}" "$WHO"
