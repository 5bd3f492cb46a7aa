import signal
import threading
import time

import pytest

from functions.core.deadline import deadline
from functions.core.errors import TooSlow


def test_a_body_that_hangs_is_interrupted() -> None:
    with pytest.raises(TooSlow), deadline(0.05, 30_000):
        threading.Event().wait(30)


def test_the_end_of_the_invocation_comes_first_when_it_is_nearer() -> None:
    with pytest.raises(TooSlow), deadline(30, 510):
        threading.Event().wait(30)


def test_a_body_in_time_leaves_no_alarm_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with deadline(30, 30_000):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_outside_the_main_thread_there_is_no_deadline() -> None:
    done = []

    def body() -> None:
        with deadline(0.001, 30_000):
            time.sleep(0.01)
            done.append(True)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert done == [True]
