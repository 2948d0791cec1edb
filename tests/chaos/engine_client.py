"""What a worker of the chaos stack starts for a flow run: it asks `engine_host` to fork one, and stands in for it.

Run by a bare interpreter (`python -I -S engine_client.py SOCKET`), for an interpreter that imports Prefect and our flows
costs five seconds of CPU, and a plan needs several. Signals go to the forked process; its exit code is this one's; it
dies when this process does. So for the worker nothing differs.
"""

import array
import json
import os
import signal
import socket
import sys
from pathlib import Path


def main(path: str) -> int:
    """Hand over environment, folder and output, and wait."""
    host = socket.socket(socket.AF_UNIX)
    host.connect(path)
    job = json.dumps({"env": dict(os.environ), "cwd": str(Path.cwd())}).encode()
    handles = array.array("i", [1, 2])
    host.sendmsg([len(job).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
    host.sendall(job)
    answers = host.makefile("r")
    pid = int(answers.readline())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda which, _: os.kill(pid, which))
    code = int(answers.readline() or -signal.SIGKILL)
    if code < 0:  # a signal ended it: so it must look from outside
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
