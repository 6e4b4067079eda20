"""The records portal: `portal.py ADDRESS PORT DATABASE-HOST`.

/alive   the portal runs
/health  200 if it can serve records, 503 and the reason if not
/count   how many rows it sees in each table
"""

import http.server
import json
import subprocess
import sys

ADDRESS, PORT, DATABASE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
COUNT = "select json_build_object('patients', (select count(*) from patients), 'visits', (select count(*) from visits))"


def count():
    asked = subprocess.run(
        ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", DATABASE, "-U", "records", "-d", "records", "-c", COUNT],
        capture_output=True, text=True, timeout=5, env={"PATH": "/usr/bin:/bin", "HOME": "/home/records", "PGCONNECT_TIMEOUT": "2"},
    )
    if asked.returncode != 0:
        raise RuntimeError(asked.stderr.strip().splitlines()[0] if asked.stderr else "psql failed")
    return json.loads(asked.stdout)


class Portal(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        try:
            if self.path == "/alive":
                self.answer(200, {"alive": True})
            elif self.path == "/health":
                rows = count()
                self.answer(200 if min(rows.values()) > 0 else 503, {"healthy": min(rows.values()) > 0})
            elif self.path == "/count":
                self.answer(200, count())
            else:
                self.answer(404, {"error": "no such page"})
        except (RuntimeError, subprocess.TimeoutExpired, ValueError) as trouble:
            self.answer(503, {"healthy": False, "error": str(trouble)})

    def answer(self, status, what):
        body = (json.dumps(what) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer((ADDRESS, PORT), Portal).serve_forever()
