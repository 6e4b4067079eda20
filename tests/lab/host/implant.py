"""What the attacker left: GETs a page over and over on a kept connection, reconnecting when it breaks: `implant.py ADDRESS PORT PATH`."""

import http.client
import sys
import time

# Often enough that a cut shows at once, seldom enough that two cores do not notice.
PAUSE_S = 0.25
PATIENCE_S = 1.0

address, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
home = None
while True:
    try:
        if home is None:
            home = http.client.HTTPConnection(address, port, timeout=PATIENCE_S)
        home.request("GET", path)
        home.getresponse().read()
    except (OSError, http.client.HTTPException):
        home = None
    time.sleep(PAUSE_S)
