"""Keeps every sample it is handed, one a line: `historian.py ADDRESS PORT FILE`. Says how many it took."""

import os
import socketserver
import sys

ADDRESS, PORT, FILE = sys.argv[1], int(sys.argv[2]), sys.argv[3]


class Taker(socketserver.StreamRequestHandler):
    def handle(self):
        samples = self.rfile.readlines()
        with open(FILE, "ab") as file:
            file.writelines(samples)
        self.wfile.write(f"{len(samples)}\n".encode())


os.makedirs(os.path.dirname(FILE), exist_ok=True)
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer((ADDRESS, PORT), Taker).serve_forever()
