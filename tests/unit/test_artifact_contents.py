"""Contents of each function's artifact: packages, operations of AWS, regions."""

import json
import shutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import botocore
import botocore.session
import pytest
from botocore.loaders import Loader

from infra.artifacts.aws_calls import AwsCalls, aws_calls
from infra.artifacts.aws_data import cut_data, operations
from infra.artifacts.reach import Reach
from infra.artifacts.tree import Tree
from tests.builders.built_folders import built_folder
from tests.roles import HANDLERS, RESOURCES, allowed

pytestmark = pytest.mark.soak(only=True)  # unpacks what `make build` would

DATA = Path(botocore.__file__).with_name("data")

SHIPS_WITH = {
    "cryptography.x509": {"Webhooks"},
    "email_validator": {"CheckAppLocation", "SendEmailTemplate", "VerifyDelete", "VerifySend"},
    "jinja2": {"SendEmailTemplate", "VerifySend"},
    "phonenumbers.data.region_AT": {"CheckAppLocation", "VerifyDelete", "VerifySend"},
    "requests": {"VerifySend"},
    "standardwebhooks": {"DeliverEvent", "Webhooks"},
    "twilio.rest.api.v2010.account.message": {"VerifySend"},
    "tzdata.zoneinfo.Europe": {"Schedules", "TrackDelivery"},
}
"""Functions by a module that ships with no others."""
SHIPS_WITH_NONE = ("aiohttp", "dns", "jwt", "twilio.rest.verify", "cffi")
"""Packages that are installed, and that no function can reach."""

SERVICES = {
    "dynamodb": "dynamodb",
    "kms": "kms",
    "lambda": "lambda",
    "s3": "s3",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "ses": "sesv2",
    "sms-voice": "pinpoint-sms-voice-v2",
    "sns": "sns",
    "states": "stepfunctions",
}
"""botocore's names of services, by the prefix of their permissions."""
OPERATIONS = {
    "dynamodb:ConditionCheckItem": "TransactWriteItems",
    "lambda:InvokeFunction": "Invoke",
    "s3:ListBucket": "ListObjectsV2",
}
"""Operations whose permission has another name."""
NOT_CALLED = {
    # Lambda itself reads the stream.
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}


class Contents(NamedTuple):
    reach: Reach
    calls: AwsCalls


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Contents]:
    """What each function ships, by its logical id."""
    folder = built_folder(tmp_path_factory.mktemp("built"), without=("botocore/data",))
    tree = Tree(folder)
    reaches = {name: Reach(tree, module) for name, module in HANDLERS.items()}
    return {name: Contents(reach, aws_calls(reach)) for name, reach in reaches.items()}


@cache
def model(service: str) -> dict[str, Any]:
    loaded: dict[str, Any] = Loader().load_service_model(service, "service-2")
    return loaded


def permitted(function: str) -> Iterator[tuple[str, str]]:
    """Services and operations that the role of a function allows."""
    role = RESOURCES[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    for action, _ in allowed(role):
        prefix, _, name = action.partition(":")
        if prefix in SERVICES and action not in NOT_CALLED:
            yield SERVICES[prefix], OPERATIONS.get(action, name)


def test_a_package_ships_with_the_functions_that_use_it(contents: dict[str, Contents]) -> None:
    found = {
        module: {name for name, about in contents.items() if module in about.reach.modules}
        for module in (*SHIPS_WITH, *SHIPS_WITH_NONE)
    }
    assert found == SHIPS_WITH | {module: set() for module in SHIPS_WITH_NONE}


@pytest.mark.parametrize("function", HANDLERS)
def test_a_function_has_each_operation_that_its_role_allows(
    contents: dict[str, Contents], function: str
) -> None:
    """A role says, apart from the code, what is called. So it tells of an operation that is cut."""
    calls = contents[function].calls
    missing = {
        (service, operation)
        for service, operation in permitted(function)
        if service not in calls.whole
        and not (service in calls.cut and operation in operations(model(service), calls.words))
    }
    assert missing == set()


def test_the_services_of_each_function_are_known(contents: dict[str, Contents]) -> None:
    """Otherwise it would ship the data of four hundred."""
    assert {name for name, about in contents.items() if about.calls.any_service} == set()


@pytest.fixture(scope="module")
def cut(contents: dict[str, Contents], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of botocore as verify_send has it, which uses most services."""
    folder = tmp_path_factory.mktemp("cut") / "data"
    calls = contents["VerifySend"].calls
    unused = {each.name for each in DATA.iterdir() if each.is_dir()} - calls.cut
    shutil.copytree(DATA, folder, ignore=lambda _, names: unused & set(names))
    cut_data(folder, calls)
    return folder


def endpoint(data: Path, service: str, region: str) -> str:
    session = botocore.session.Session()
    session.register_component(
        "data_loader", Loader([str(data)], include_default_search_paths=False)
    )
    session.set_credentials("test", "test")
    url: str = session.create_client(service, region).meta.endpoint_url
    return url


@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "il-central-1"]
)
def test_regions_and_partitions_have_their_endpoints(cut: Path, region: str) -> None:
    for service in ("dynamodb", "s3", "sns"):
        assert endpoint(cut, service, region) == endpoint(DATA, service, region)


def test_what_botocore_knows_of_regions_and_of_used_services_is_all_there(cut: Path) -> None:
    before, after = (json.loads((each / "endpoints.json").read_text()) for each in (DATA, cut))
    used = {"dynamodb", "lambda", "s3", "scheduler", "secretsmanager", "sms-voice", "sns", "states"}
    for old, new in zip(before["partitions"], after["partitions"], strict=True):
        kept = {name: old["services"][name] for name in new["services"]}
        assert new == {**old, "services": kept}
        assert used & old["services"].keys() <= kept.keys()
    for rules in cut.glob("*/*/endpoint-rule-set-1.json"):
        service, version = rules.parts[-3:-1]
        whole: Mapping[str, Any] = Loader().load_service_model(
            service, "endpoint-rule-set-1", version
        )
        assert json.loads(rules.read_text()) == whole
