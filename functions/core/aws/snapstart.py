"""SnapStart: Lambda starts processes of a function from the snapshot of one, taken after its init.

They would share all that this init has made. So what was read and opened is forgotten before the
snapshot, and each restored process makes its own (AWS Lambda Developer Guide, "Handling uniqueness
with Lambda SnapStart").
"""

import gc
import os
import random
import ssl
from collections.abc import Callable

from functions.core import config

_SEED_BYTES = 32
"""256 random bits."""


def in_init(prepare: Callable[[], object]) -> None:
    """Prepares a process for its calls; with SnapStart each one that is restored, too.

    Raises:
        SettingsError: settings are missing or wrong.
        AwsError: AWS refuses what `prepare` asks. With SnapStart only a restored process raises it:
            before the snapshot, IAM may not know the role yet.
    """
    if not config.has_snapstart():
        prepare()
        return
    # A part of Lambda's own runtime; nothing else has it.
    from snapshot_restore_py import (  # noqa: PLC0415 - as above
        register_after_restore,
        register_before_snapshot,
    )

    register_before_snapshot(forget)
    register_after_restore(restore, prepare)
    _rehearse(prepare)


def forget() -> None:
    """Forgets settings, secrets and clients, and closes their connections.

    What is left is frozen: a search for garbage would read the whole snapshot.
    """
    config.reset(clients=True)
    gc.collect()
    gc.freeze()


def restore(prepare: Callable[[], object]) -> None:
    """Makes a restored process differ from the others, and prepares it for its calls.

    `secrets`, `uuid` and `os.urandom` ask the kernel, whose state is fresh after a restore. The
    states of `random` and OpenSSL are the snapshot's.
    """
    random.seed()
    ssl.RAND_add(os.urandom(_SEED_BYTES), _SEED_BYTES)
    config.reset(clients=True)
    prepare()


def _rehearse(prepare: Callable[[], object]) -> None:
    """Prepares before the snapshot, so that it holds all modules and models."""
    from functions.core.aws.errors import AwsError  # noqa: PLC0415 - no cold start pays for it

    try:
        prepare()
    except AwsError:
        from functions.core.observability import logger  # noqa: PLC0415 - as above

        logger.warning("init could not prepare everything; a restored process will", exc_info=True)
