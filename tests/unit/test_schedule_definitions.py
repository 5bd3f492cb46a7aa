"""Definitions of schedules, which a list of schedules reads in several threads."""

import subprocess
import sys

from infra import sam

READS_IN_THREADS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import msgspec
from functions.core.schedules import definition

sys.setswitchinterval(1e-6)
text = b'{"schedule_id": "a", "workflow": "w", "parameters": {}, "timing": {}, "token_id": "t"}'
together = Barrier(8)

def read(key):
    together.wait()
    return text

def find(schedule_id):
    try:
        definition.find_definition(schedule_id)
    except msgspec.ValidationError:
        pass

definition.s3.read = read
for _ in range(32):
    child = os.fork()
    if not child:
        with ThreadPoolExecutor(8) as readers:
            list(readers.map(find, "abcdefgh"))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status == 0, f"a process ended with {status}"
"""
"""Each child process starts without having read a definition."""


def test_the_first_definitions_of_a_process_may_be_read_in_parallel() -> None:
    """Prevents a crash: msgspec reads a type's annotations when it first decodes one."""
    command = [sys.executable, "-X", "faulthandler", "-c", READS_IN_THREADS]
    done = subprocess.run(command, cwd=sam.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
