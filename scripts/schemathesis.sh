#!/usr/bin/env bash
# Sends the requests that the OpenAPI document allows, and ones that it does not, to a real server for a
# minute at most. Fails if any is answered with an error of the server (5xx), or if the server ends.
#
#   scripts/schemathesis.sh [LOOM]     the binary to try; a debug build if none is named
#
# Needs python3 with venv; installs schemathesis from PyPI into a folder of its own. Streams are left out:
# they answer as long as somebody listens.

set -euo pipefail
cd "$(dirname "$0")/.."

loom=${1:-}
if [ -z "$loom" ]; then
  cargo build --locked -p loomwork
  loom=$PWD/target/debug/loom
fi
venv=${LOOM_VENV:-$PWD/target/schemathesis}
[ -x "$venv/bin/schemathesis" ] || {
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'schemathesis>=4,<5'
}

folder=$(mktemp -d)
server=""
clean() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean EXIT

cd "$folder"
mkfifo said
exec 3<>said
"$loom" --json --store "$folder/runs.db" serve --listen 127.0.0.1:0 >&3 2>server.log &
server=$!
read -r -t 60 line <&3
address=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["address"])' "$line")
api=http://$address/api/v1

# Something to find: a workflow, and a run of it.
python3 - "$api" <<'PYTHON'
import json, sys, urllib.request
def post(path, body, kind):
    request = urllib.request.Request(sys.argv[1] + path, body.encode(), {"content-type": kind})
    return urllib.request.urlopen(request, timeout=10).read()
task = "[{ name: a, plugin: cmd, params: { command: 'echo hello' } }]"
post("/workflows", "workflow: { name: '0', tasks: %s }" % task, "application/yaml")
post("/runs", json.dumps({"workflow": "0"}), "application/json")
PYTHON

timeout 60 "$venv/bin/schemathesis" run "$api/openapi.json" \
  --checks not_a_server_error --phases examples,coverage,fuzzing --mode all \
  --max-time 45 --max-examples "${LOOM_EXAMPLES:-15}" --request-timeout 10 --workers 1 --seed 1 \
  --no-color --exclude-path-regex '/events$'
kill -0 "$server" || { cat server.log >&2; exit 1; }
