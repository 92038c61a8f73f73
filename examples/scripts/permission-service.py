"""A permission service for trying things out: POST /permissions on loopback.

    python3 permission-service.py [PORT]

It knows two tokens, `operator-token` and `viewer-token`; any other is answered with 401.
"""

import http.server
import json
import sys

GRANTED = {
    "operator-token": {"can_view_system": True, "can_execute_commands": True},
    "viewer-token": {"can_view_system": True, "can_execute_commands": False},
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one question: what may the bearer of this token do?"""

    def do_POST(self):
        if self.path != "/permissions":
            self.answer(404, {"error": "ask POST /permissions"})
            return
        length = int(self.headers.get("Content-Length", 0))
        try:
            token = json.loads(self.rfile.read(length))["auth_token"]
        except (ValueError, KeyError, TypeError):
            self.answer(400, {"error": 'send {"auth_token": "..."}'})
            return
        if token in GRANTED:
            self.answer(200, {"permissions": GRANTED[token]})
        else:
            self.answer(401, {"error": "unknown token"})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print(f"LOOM_PERMISSIONS_URL=http://127.0.0.1:{server.server_port}/permissions", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
