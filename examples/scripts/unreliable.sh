#!/bin/sh
# Fails at its first two attempts, then emits PAYLOAD.
set -eu
if [ "${LOOM_ATTEMPT:-1}" -lt 3 ]; then
  echo "attempt ${LOOM_ATTEMPT:-1}: the far side is busy" >&2
  exit 1
fi
echo "PAYLOAD=hello, world?"
