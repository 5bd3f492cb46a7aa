"""Rehearsal of deployments with SnapStart, and without it again, in an account of their own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra import sam
from infra.alias import with_alias
from infra.samconfig import read_environment
from tests.sam.conftest import Account, make, new_account

DEV = read_environment("dev")
NAMES = {f"{DEV.stack}-{each}" for each in ("authorize", "wf-verify_send", "wf-verify_check")}


class Deployments:
    """Deployments of one stack, as `make deploy` makes them, with and without SnapStart."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._template = account.folder / ".aws-sam/build/template.yaml"
        self._source = sam.read_template(self._template)
        self.lambdas = account.emulator.client("lambda")

    def deploy(self, *, snapstart: bool) -> None:
        made = with_alias(self._source) if snapstart else self._source
        self._template.write_text(sam.dump(made))
        given = DEV.parameters | {"SnapStart": str(snapstart).lower()}
        words = " ".join(f"{name}={value}" for name, value in given.items())
        done = self._account.run(f"{make('deploy', 'dev')[-1]} --parameter-overrides {words}")
        assert done.returncode == 0, done.stdout + done.stderr

    def aliases(self) -> dict[str, str]:
        """Version of each alias, by the alias's function and name."""
        pages = self.lambdas.get_paginator("list_functions").paginate()
        names = [each["FunctionName"] for page in pages for each in page["Functions"]]
        return {
            f"{name}:{each['Name']}": each["FunctionVersion"]
            for name in names
            for each in self.lambdas.list_aliases(FunctionName=name)["Aliases"]
        }

    def callers(self, name: str, **qualifier: str) -> list[str]:
        """Services that the policy of a function, or of its alias, allows to call it."""
        policy = self.lambdas.get_policy(FunctionName=name, **qualifier)["Policy"]
        return [each["Principal"]["Service"] for each in json.loads(policy)["Statement"]]


@pytest.fixture(scope="module")
def deployments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployments]:
    with new_account(tmp_path_factory.mktemp("snapstart")) as account:
        yield Deployments(account)


def test_snapstart_is_switched_on_and_off_again(deployments: Deployments) -> None:
    deployments.deploy(snapstart=True)
    assert deployments.aliases() == {f"{name}:live": "1" for name in NAMES}
    for name in NAMES:
        about: dict[str, Any] = deployments.lambdas.get_function_configuration(
            FunctionName=name, Qualifier="live"
        )
        assert about["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
        assert deployments.callers(name, Qualifier="live") == ["apigateway.amazonaws.com"]
    deployments.deploy(snapstart=False)
    assert deployments.aliases() == {}
    for name in NAMES:
        assert deployments.callers(name) == ["apigateway.amazonaws.com"]
        with pytest.raises(ClientError):
            deployments.lambdas.get_function_configuration(FunctionName=name, Qualifier="1")
