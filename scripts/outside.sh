#!/usr/bin/env bash
# Proof of the server by tools of others, in about a minute:
#
# - schemathesis sends the requests that the OpenAPI document allows, and ones that it does not. No answer
#   may be an error of the server (5xx), and the server has to live on.
# - promtool then reads the metrics of that server, which has been through a lot.
#
#   scripts/outside.sh [LOOM]     the binary to try; a debug build if none is named
#
# Needs python3 with venv. Installs schemathesis from PyPI, pinned with all that it needs, into a folder of
# its own, and takes promtool out of Debian's package of Prometheus without installing that. Streams, and
# logs, which may be followed, are left out: they answer as long as somebody listens.

set -euo pipefail
cd "$(dirname "$0")/.."

here=$PWD
target=${CARGO_TARGET_DIR:-$here/target}
tools=$target/outside
loom=${1:-}
if [ -z "$loom" ]; then
  cargo build --locked -p loomwork
  loom=$target/debug/loom
fi
loom=$(realpath "$loom")
mkdir -p "$tools"

# The environment belongs to one list of packages; another list makes it anew.
if ! cmp -s scripts/outside.txt "$tools/outside.txt"; then
  rm -rf "$tools/venv"
  python3 -m venv "$tools/venv"
  "$tools/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r scripts/outside.txt
  cp scripts/outside.txt "$tools/outside.txt"
fi

update_lists() {
  if [ "$(id -u)" -eq 0 ]; then apt-get update -q; else sudo -n apt-get update -q; fi
}

promtool=$(command -v promtool || printf '%s' "$tools/promtool")
if [ ! -x "$promtool" ]; then
  (
    cd "$tools"
    apt-get download -q prometheus || { update_lists && apt-get download -q prometheus; }
    dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool.new
    chmod +x promtool.new
    mv promtool.new promtool
    rm prometheus_*.deb
  )
fi

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

# Something to find, and names that are hard to write down in metrics.
python3 - "$api" <<'PYTHON'
import json, sys, urllib.request
def post(path, body, kind):
    request = urllib.request.Request(sys.argv[1] + path, body.encode(), {"content-type": kind})
    return urllib.request.urlopen(request, timeout=10).read()
task = {"name": "a", "plugin": "cmd", "params": {"command": "echo hello"}}
for name in ["0", 'a "quoted" \\ name']:
    workflow = {"workflow": {"name": name, "tasks": [task]}}
    post("/workflows", json.dumps(workflow), "application/json")
    post("/runs", json.dumps({"workflow": name}), "application/json")
PYTHON

timeout $((${LOOM_SECONDS:-45} + 30)) "$tools/venv/bin/schemathesis" run "$api/openapi.json" \
  --checks not_a_server_error --phases examples,coverage,fuzzing --mode all \
  --max-time "${LOOM_SECONDS:-45}" --max-examples "${LOOM_EXAMPLES:-15}" --request-timeout 10 \
  --workers 1 --seed 1 --no-color --exclude-path-regex '/(events|log)$' | tee report
grep -Eq '^ *Tested: +[1-9]' report || { printf 'outside.sh: nothing was tested\n' >&2; exit 1; }
kill -0 "$server" || { cat server.log >&2; exit 1; }

python3 - "http://$address/metrics" >metrics <<'PYTHON'
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=10).read())
PYTHON
printf 'promtool check metrics: %s lines\n' "$(wc -l <metrics)"
"$promtool" check metrics <metrics
