"""Hands every connection on to one address: `relay.py ADDRESS PORT... to ADDRESS:PORT`."""

import socket
import socketserver
import sys
import threading

PATIENCE_S = 5.0


def pump(source, sink):
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    except OSError:
        pass
    # The other direction ends too: half a connection is of no use to a web page.
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Relay(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            beyond = socket.create_connection(TO, PATIENCE_S)
        except OSError:
            return
        with beyond:
            beyond.settimeout(None)
            back = threading.Thread(target=pump, args=(beyond, self.request))
            back.start()
            pump(self.request, beyond)
            back.join()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


at = sys.argv.index("to")
address, ports = sys.argv[1], sys.argv[2:at]
host, port = sys.argv[at + 1].rsplit(":", 1)
TO = (host, int(port))
servers = [threading.Thread(target=Server((address, int(one)), Relay).serve_forever) for one in ports]
for server in servers:
    server.start()
for server in servers:
    server.join()
