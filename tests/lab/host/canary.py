"""A web server that says it was reached, and writes down by whom: `canary.py ADDRESS:PORT...`."""

import http.server
import sys
import threading


class Canary(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"canary: you have reached the outside\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        print(self.client_address[0], self.server.server_port, self.path, flush=True)


threads = []
for place in sys.argv[1:]:
    address, port = place.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((address, int(port)), Canary)
    threads.append(threading.Thread(target=server.serve_forever))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
