#!/bin/sh
# Tests the plugin PLUGIN_NAME the way loom runs it: inputs in the environment, a request on standard input.
set -eu
cd "$(dirname "$0")"

check() {
    if [ "$1" != "$2" ]; then
        printf 'expected: %s\n     got: %s\n' "$2" "$1" >&2
        exit 1
    fi
}

check "$(printf '%s\n' '{"params":{}}' | WHO=World ./run.sh)" 'GREETING=Hello, World!'
check "$(printf '%s\n' '{"params":{"greeting":"Good day"}}' | WHO=Ada ./run.sh)" 'GREETING=Good day, Ada!'
echo 'PLUGIN_NAME: all tests passed'
