"""SnapStart: what a restored process makes anew. A fork stands for a restore.

Python and OpenSSL notice a fork, but no restore. So `random` gets back the snapshot's state in each
fork, before the hooks run.
"""

import gc
import importlib
import json
import os
import random
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import snapshot_restore_py as runtime

from functions.core import aws, config
from functions.core.aws import clients, direct, snapstart
from functions.core.aws.environment import AwsEnvironment
from functions.core.aws.secrets import Secret
from functions.core.clock import DAY_SECONDS, rfc3339, utc
from functions.core.config import SettingsError
from functions.core.runs.execution import new_run_id
from functions.core.verification.codes import CodeKeys, code_keys, new_salt
from infra import sam
from infra.runtime import LambdaFunction, LambdaProcess, Runtime
from tests import fakes
from tests.clock import Clock

LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "verify_check",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
    "AWS_REGION": "eu-central-1",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "of this function",
    "CODE_KEYS_SECRET": "arn:code-keys",
}
"""Lambda's variables. SnapStart has no keys among them."""
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
IN_2099 = "2099-01-01T00:00:00Z"


class Lambda:
    """The server of keys, and Secrets Manager. Each answer has its number."""

    def __init__(self) -> None:
        self.keys_until = IN_2099
        self.keys_given = self.secrets_given = 0
        self.status = 200
        self.requests: list[dict[str, str]] = []
        self.connections: set[Any] = set()

    def __call__(self, request: BaseHTTPRequestHandler, _body: bytes) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        give = self._keys if request.command == "GET" else self._secret
        status, answer = give(headers)
        if request.command == "POST":
            self.connections.add(request.client_address)
        fakes.reply(request, status, json.dumps(answer).encode(), {})

    def _keys(self, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        self.keys_given += 1
        keys = {"AccessKeyId": f"key{self.keys_given}", "SecretAccessKey": "secret"}
        token = f"token for {headers['authorization']}"
        return self.status, {**keys, "Token": token, "Expiration": self.keys_until}

    def _secret(self, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        self.requests.append(headers)
        self.secrets_given += 1
        number = f"k{self.secrets_given}"
        return 200, {"SecretString": json.dumps({"current": number, number: "a key"})}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """The environment of a function with SnapStart, and no hooks yet."""
    made = Lambda()
    for name in KEYS + PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(runtime, "_before_snapshot_registry", [])
    monkeypatch.setattr(runtime, "_after_restore_registry", [])
    with fakes.server(made) as url:
        served = {"AWS_ENDPOINT_URL": url, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/keys"}
        for name, value in (LAMBDA | served).items():
            monkeypatch.setenv(name, value)
        config.reset(clients=True)
        yield made
        config.reset(clients=True)
    gc.unfreeze()


def take_snapshot() -> None:
    """As Lambda's runtime client does it."""
    before = runtime.get_before_snapshot()
    while before:
        hook, args, kwargs = before.pop()
        hook(*args, **kwargs)


def start_restored() -> None:
    for hook, args, kwargs in runtime.get_after_restore():
        hook(*args, **kwargs)


def in_restored(say: Callable[[], dict[str, str]], random_state: Any) -> dict[str, str]:
    """What a process says that was restored from the snapshot of this one."""
    reading, writing = os.pipe()
    with warnings.catch_warnings(action="ignore"):  # the other thread is a server's
        child = os.fork()
    if not child:
        try:
            random.setstate(random_state)
            start_restored()
            os.write(writing, json.dumps(say()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said: dict[str, str] = json.loads(pipe.read())
    os.waitpid(child, 0)
    return said


def what_must_differ() -> dict[str, str]:
    return {
        "verification": CodeKeys("k1", {"k1": b"key"}).new_verification_id(),
        "salt of a code": new_salt().hex(),
        "run": new_run_id("greet"),
        "random": str(random.getrandbits(64)),
        "connection": str(code_keys().current),
    }


def test_two_processes_of_one_snapshot_share_no_id_no_code_and_no_random_number(
    service: Lambda,
) -> None:
    snapstart.in_init(code_keys)
    take_snapshot()
    state = random.getstate()
    first, second = (in_restored(what_must_differ, state) for _ in range(2))
    assert [name for name in first if first[name] == second[name]] == []
    assert service.secrets_given == 3


def test_no_connection_is_open_in_the_snapshot(service: Lambda) -> None:
    snapstart.in_init(code_keys)
    own = weakref.ref(direct._connections("secretsmanager")._idle[0].sock)
    aws.client("secretsmanager").get_secret_value(SecretId="arn")
    gc.disable()
    sdks = weakref.ref(socket_of(aws.client("secretsmanager")))
    assert None not in {own(), sdks()}
    take_snapshot()
    assert (own(), sdks()) == (None, None)
    start_restored()
    assert len(service.connections) == 3


@pytest.mark.usefixtures("service")
def test_the_snapshot_holds_no_garbage() -> None:
    """A connection in it would be open."""

    class Ring:
        def __init__(self) -> None:
            self.itself = self

    gc.disable()
    garbage = weakref.ref(Ring())
    snapstart.in_init(lambda: None)
    take_snapshot()
    gc.enable()
    assert garbage() is None


def socket_of(client: Any) -> Any:
    """The open socket of botocore's client."""
    (pool,) = client._endpoint.http_session._manager.pools._container.values()
    return next(each.sock for each in pool.pool.queue if each)


def test_a_restored_process_reads_secrets_and_keys_again(service: Lambda) -> None:
    snapstart.in_init(code_keys)
    assert (service.secrets_given, service.keys_given) == (1, 1)
    take_snapshot()
    start_restored()
    assert code_keys().current == "k2"
    assert "key2/" in service.requests[-1]["authorization"]
    assert service.requests[-1]["x-amz-security-token"] == "token for of this function"


def test_nothing_is_known_that_was_read_before_a_restore(service: Lambda) -> None:
    """Hooks of authors run last before the snapshot, as theirs are registered first."""
    snapstart.in_init(lambda: None)
    for reads in (1, 2, 3):
        assert code_keys().current == f"k{reads}"
        assert service.keys_given == reads
        (take_snapshot if reads == 1 else start_restored)()


@pytest.mark.usefixtures("service")
def test_a_restored_process_makes_its_clients_from_the_models_that_the_snapshot_has() -> None:
    snapstart.in_init(lambda: aws.client("scheduler"))
    session, client = aws.session(), aws.client("scheduler")
    take_snapshot()
    start_restored()
    assert aws.client("scheduler") is not client
    assert aws.session() is not session
    loaders = [each.get_component("data_loader") for each in (session, aws.session())]
    assert loaders[0] is loaders[1] is clients._loader()


@pytest.mark.usefixtures("service")
def test_a_restored_process_reads_its_settings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    snapstart.in_init(lambda: config.read(AwsEnvironment))
    take_snapshot()
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "another")
    start_restored()
    assert config.read(AwsEnvironment).aws_container_authorization_token == "another"


@pytest.mark.usefixtures("service")
def test_what_aws_refuses_before_the_snapshot_fails_only_a_restored_process() -> None:
    """A role that has just been made may not be known everywhere yet."""

    def denied() -> None:
        raise aws.AwsDenied("no", code="no", message="no", connected=True, response={})

    snapstart.in_init(denied)
    take_snapshot()
    with pytest.raises(aws.AwsDenied):
        start_restored()


@pytest.mark.usefixtures("service")
def test_wrong_settings_let_no_version_be_published() -> None:
    def wrong() -> None:
        raise SettingsError("X is not set.")

    with pytest.raises(SettingsError):
        snapstart.in_init(wrong)


@pytest.mark.usefixtures("service")
def test_without_snapstart_a_process_prepares_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    prepared: list[bool] = []
    snapstart.in_init(lambda: prepared.append(True))
    assert prepared == [True]
    assert runtime.get_before_snapshot() == runtime.get_after_restore() == []


def test_keys_are_read_again_ten_minutes_before_they_expire(service: Lambda, clock: Clock) -> None:
    service.keys_until = rfc3339(utc(clock() + DAY_SECONDS))
    for seconds, reads in ((0, 1), (DAY_SECONDS - 660, 1), (120, 2)):
        clock.advance(seconds)
        Secret("arn").value()
        assert service.keys_given == reads


def test_a_server_of_keys_that_fails_is_another_try_worth(service: Lambda) -> None:
    service.status = 500
    with pytest.raises(aws.AwsUnavailable) as caught:
        Secret("arn", attempts=1).value()
    assert (service.keys_given, caught.value.connected) == (3, False)
    service.status = 200
    assert Secret("arn").value()


@pytest.mark.parametrize("url", ["http://169.254.170.2/keys", "https://127.0.0.1/keys", ""])
def test_keys_come_from_this_machine_alone(url: str) -> None:
    environment = AwsEnvironment(
        aws_lambda_function_name="x",
        aws_region="eu-central-1",
        aws_container_credentials_full_uri=url,
        aws_container_authorization_token="x",
    )
    assert not environment.usual


@pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric is for Linux")
def test_awss_runtime_client_runs_the_hooks(tmp_path: Path) -> None:
    """As in the trial of `make build`."""
    (tmp_path / "app.py").write_text(
        "from functions.core.aws import snapstart\n"
        "prepared = []\n"
        "snapstart.in_init(lambda: prepared.append('once'))\n"
        "def handler(*_):\n"
        "    return prepared\n"
    )
    packages = Path(str(distribution("awslambdaric").locate_file("")))
    variables = {
        "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, sam.ROOT, packages))),
    }
    function = LambdaFunction("app", tmp_path, "app.handler", variables)
    with LambdaProcess(function, Runtime(sys.executable, packages)) as process:
        process.start()
        assert process.invoke({})[0] == ["once", "once"]


SNAPSHOTTED = {
    name: each["Properties"]["Handler"].removesuffix(".lambda_handler")
    for name, each in sam.read_template()["Resources"].items()
    if "SnapStart" in each.get("Properties", {})
}


def test_three_functions_have_snapshots() -> None:
    assert set(SNAPSHOTTED) == {"Authorize", "VerifySend", "VerifyCheck"}


@pytest.mark.parametrize("handler", SNAPSHOTTED.values())
def test_a_function_with_a_snapshot_prepares_restored_processes(handler: str) -> None:
    file = Path(str(importlib.import_module(handler).__file__))
    assert "snapstart.in_init(" in file.read_text() or "= workflow(" in file.read_text()
