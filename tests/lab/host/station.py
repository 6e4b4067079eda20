"""A pumping station: `station.py ADDRESS PORT SCADA-URL LOGIC`. It follows the control centre while it hears from it, and
its own logic when it does not.

/gauges  what the gauges say, and who is in control: `remote` or `local`
"""

import http.server
import json
import sys
import threading
import time
import urllib.request

ADDRESS, PORT, SCADA, LOGIC = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
# So many questions in a row without an answer, and the station goes on by itself.
MISSES_MAX = 3
EVERY_S = 0.2
PATIENCE_S = 0.5
state = {"control": "local", "level_m": 3.0, "pump": False}


def hears_scada():
    try:
        with urllib.request.urlopen(SCADA, timeout=PATIENCE_S):
            return True
    except OSError:
        return False


def run():
    misses = 0
    while True:
        misses = 0 if hears_scada() else misses + 1
        state["control"] = "local" if misses >= MISSES_MAX else "remote"
        with open(LOGIC) as file:
            logic = json.load(file)
        # The tank empties, the pump fills it, between the two levels of the logic.
        state["level_m"] += 0.05 if state["pump"] else -0.05
        state["pump"] = state["level_m"] < logic["pump_on_m"] or (state["pump"] and state["level_m"] < logic["pump_off_m"])
        time.sleep(EVERY_S)


class Gauges(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        in_limits = 1.5 <= state["level_m"] <= 4.5
        body = (json.dumps({"control": state["control"], "level_m": round(state["level_m"], 2), "in_limits": in_limits}) + "\n").encode()
        self.send_response(200 if self.path == "/gauges" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


threading.Thread(target=run, daemon=True).start()
http.server.ThreadingHTTPServer((ADDRESS, PORT), Gauges).serve_forever()
