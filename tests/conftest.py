"""Environment of every test, like a deployed function's.

It is set before anything of the project is imported.
"""

import io
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

# Otherwise make's own variables would affect every make that a test runs.
for name in [
    name for name in os.environ if name.startswith(("AWS_", "POWERTOOLS_", "MAKE", "MFLAGS"))
]:
    del os.environ[name]
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    POWERTOOLS_METRICS_NAMESPACE="BackendWorkflows",
    POWERTOOLS_SERVICE_NAME="tests",
    # The names of the local stack.
    VERIFICATIONS_TABLE="local-verifications",
    LIMITS_TABLE="local-limits",
    TOKENS_TABLE="local-tokens",
    IDEMPOTENCY_TABLE="local-idempotency",
    RUNS_TABLE="local-runs",
    OUTCOMES_TABLE="local-outcomes",
    APP_SETTINGS_TABLE="local-app-settings",
)

import botocore.session  # noqa: E402
import moto  # noqa: E402, F401 - must patch botocore before any client is made
import pytest  # noqa: E402
from botocore.config import Config  # noqa: E402

from functions.core import config as functions_config  # noqa: E402
from functions.core.aws import clients  # noqa: E402
from functions.core.observability import logger  # noqa: E402
from tests.clock import early_in_a_day, held_clock  # noqa: E402, F401 - fixtures
from tests.sizes import SOAK  # noqa: E402


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Selects tests by the mark `soak`: `make soak` runs only these, other targets run the rest."""
    kept: list[pytest.Item] = []
    others: list[pytest.Item] = []
    for item in items:
        mark = item.get_closest_marker("soak")
        selected = mark if SOAK else not (mark and mark.kwargs.get("only"))
        (kept if selected else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = kept


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Imports xdist only in the process that has the workers."""
    from tests.scheduling import Scheduling  # noqa: PLC0415 - as above

    return Scheduling(config, log)


_create_client = botocore.session.Session.create_client
_kept_clients: dict[tuple[botocore.session.Session, str], Any] = {}


def _create_validating_client(
    session: botocore.session.Session,
    service: str,
    *arguments: Any,
    config: Config | None = None,
    **options: Any,
) -> Any:
    """Client that validates its calls against the service's model.

    The functions skip this to save time, so without it only AWS would find a wrong call. Those of
    the functions' session are kept, because to make one takes as long as a short test.
    """
    validating = Config(parameter_validation=True)
    config = config.merge(validating) if config else validating

    def create() -> Any:
        return _create_client(session, service, *arguments, config=config, **options)

    if session is not clients.session() or _has_url(session, service):
        return create()
    key = (session, repr((service, arguments, options, config._user_provided_options)))
    if key not in _kept_clients:
        _kept_clients[key] = create()
    return _kept_clients[key]


def _has_url(session: botocore.session.Session, service: str) -> bool:
    """Whether a test has set the URL at which a service is reached."""
    name = str(session.get_service_model(service).service_id).replace(" ", "_").upper()
    return not os.environ.keys().isdisjoint({"AWS_ENDPOINT_URL", f"AWS_ENDPOINT_URL_{name}"})


botocore.session.Session.create_client = _create_validating_client
# One loader for all sessions, so that a test's own client does not read the models again.
botocore.session.create_loader = cache(botocore.session.create_loader)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The functions' log in a test, one JSON object a line, without metrics."""
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    """Clears settings, secrets and everything else that an earlier test has cached."""
    yield
    functions_config.reset()


@pytest.fixture(autouse=True)
def _no_settings_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings have their defaults but for what a test sets: settings.toml is the deployer's."""
    monkeypatch.setattr(functions_config, "document", dict)
