"""Artifacts: the modules that a handler can reach, and the files that ship with them."""

from pathlib import Path

import pytest

from infra.artifacts import reach as reach_module
from infra.artifacts.aws_calls import aws_calls
from infra.artifacts.aws_data import cut_model
from infra.artifacts.declared import Cut
from infra.artifacts.prune import prune
from infra.artifacts.reach import Reach
from infra.artifacts.tree import Tree

HANDLER = "functions.workflows.greet.handler"


class Folder:
    """A folder as `sam build` makes it, with files of a test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, **files: str) -> None:
        """Writes modules, `a__b` for a.b, in packages."""
        for name, text in files.items():
            path = self.root / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            for folder in path.relative_to(self.root).parents[:-1]:
                (self.root / folder / "__init__.py").touch()

    def handle(self, text: str) -> None:
        """Writes the handler of a workflow."""
        self.write(functions__workflows__greet__handler=text)

    def reach(self) -> Reach:
        return Reach(Tree(self.root), HANDLER)

    def reached(self) -> set[str]:
        """Modules of packages that are reached."""
        return {name for name in self.reach().modules if not name.startswith("functions")}

    def pruned(self) -> set[str]:
        """Files of packages that are left."""
        reach = self.reach()
        prune(self.root, reach, aws_calls(reach))
        files = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return {path.as_posix() for path in files if path.parts[0] != "functions"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_imports_within_functions_are_reached_and_others_are_not(folder: Folder) -> None:
    folder.handle("def handle():\n    from one.two import three")
    folder.write(one__two="from . import side", one__side="", one__other="", unused="")
    assert folder.reached() == {"one", "one.two", "one.side"}


def test_imports_for_type_checkers_are_not_reached(folder: Folder) -> None:
    folder.handle("import typing\nif typing.TYPE_CHECKING:\n    import one\nelse:\n    import two")
    folder.write(one="", two="")
    assert folder.reached() == {"two"}


def test_the_readable_part_of_a_dynamic_import_says_which_modules_are_reached(
    folder: Folder,
) -> None:
    folder.handle("import one.plugins")
    folder.write(
        one__plugins__kinds__a="",
        one__plugins__kinds__b="",
        one__other="",
        one__plugins__load=(
            "from importlib import import_module\n"
            "def load(name): return import_module(f'{__package__}.kinds.{name}')"
        ),
    )
    (folder.root / "one/plugins/__init__.py").write_text("from . import load")
    assert folder.reached() == {
        "one",
        "one.plugins",
        "one.plugins.load",
        "one.plugins.kinds",
        "one.plugins.kinds.a",
        "one.plugins.kinds.b",
    }


def test_a_package_that_imports_what_cannot_be_read_ships_whole(folder: Folder) -> None:
    folder.handle("import one")
    folder.write(one__a__b="", one__c="")
    (folder.root / "one/__init__.py").write_text("def load(name): return __import__(name)")
    assert folder.reached() == {"one", "one.a", "one.a.b", "one.c"}


def test_what_a_module_imports_when_asked_is_reached_by_who_asks(folder: Folder) -> None:
    lazy = "known = 1\ndef __getattr__(name):\n    from one import later\n    return later"
    folder.write(one__lazy=lazy, one__later="")
    folder.handle("from one.lazy import known")
    assert folder.reached() == {"one", "one.lazy"}
    folder.handle("from one.lazy import known, unknown")
    assert folder.reached() == {"one", "one.lazy", "one.later"}
    folder.handle("from one import lazy")
    assert folder.reached() == {"one", "one.lazy", "one.later"}


def test_a_module_that_lacks_a_package_is_not_reached_nor_what_it_imports(folder: Folder) -> None:
    folder.handle("try:\n    from one import extra\nexcept ImportError:\n    import two")
    folder.write(one__extra="import not_installed\nimport three", two="", three="")
    assert folder.reached() == {"two"}


def test_a_cut_holds_until_an_author_imports_the_package(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Cut("big", ("big.*",), ("big.needed",), ("functions.core.wrapper",))
    monkeypatch.setattr(reach_module, "CUTS", (cut,))
    folder.write(
        functions__core__wrapper="import big",
        big__needed="",
        big__rest="",
    )
    (folder.root / "big/__init__.py").write_text("from big import needed, rest")
    folder.handle("import functions.core.wrapper")
    assert folder.reached() == {"big", "big.needed"}
    folder.handle("import functions.core.wrapper\nimport big")
    assert folder.reached() == {"big", "big.needed", "big.rest"}


def test_files_beside_reached_code_ship_and_those_of_other_code_do_not(folder: Folder) -> None:
    folder.handle("import one.used")
    folder.write(one__used__code="", one__unused__code="", two="")
    for name in ("one/a.pem", "one/used/texts/b.txt", "one/unused/c.txt", "one/py.typed"):
        (folder.root / name).parent.mkdir(exist_ok=True)
        (folder.root / name).touch()
    assert folder.pruned() == {
        "one/__init__.py",
        "one/a.pem",
        "one/used/__init__.py",
        "one/used/texts/b.txt",
    }


def test_metadata_ships_with_a_package_that_asks_for_its_own(folder: Folder) -> None:
    folder.handle("import one, two")
    folder.write(one="import importlib.metadata", two="")
    for name in ("one", "two"):
        about = folder.root / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").touch()
        (about / "RECORD").write_text(f"{name}.py,,\n{name}-1.0.dist-info/METADATA,,\n")
    assert folder.pruned() == {"one.py", "two.py", "one-1.0.dist-info/METADATA"}


AWS = "from functions.core import aws\n"


@pytest.mark.parametrize(
    ("code", "whole"),
    [
        ("aws.client('s3').put_object()", {"s3"}),
        ("for name in ('sqs', 'sns'):\n    aws.client(name)", {"sqs", "sns"}),
        ("Kind = Literal['sqs']\ndef ask(kind: Kind): return aws.client(kind)", {"sqs"}),
        ("from functions.core.aws import client as make\nmake('s3')", {"s3"}),
        ("from functions.core.aws import direct\ndirect.request('sesv2', 'A', {})", {"sesv2"}),
        ("from functions.core.aws.direct import ask\nask('dynamodb', 'A', {})", {"dynamodb"}),
    ],
)
def test_a_workflows_own_client_gets_its_whole_service(
    folder: Folder, code: str, whole: set[str]
) -> None:
    folder.handle(AWS + code)
    folder.write(functions__core__aws__clients="", functions__core__aws__direct="")
    calls = aws_calls(folder.reach())
    assert calls.whole == whole
    assert not calls.any_service


@pytest.mark.parametrize(
    "code",
    [
        "import boto3",
        "from botocore.session import get_session",
        "def ask(name): return aws.client(name)",
        "make = aws.client\nmake('s3')",
        "from functions.core.aws import session",
        "import theirs",
    ],
)
def test_every_service_ships_where_the_code_does_not_say_which_it_uses(
    folder: Folder, code: str
) -> None:
    folder.handle(AWS + code)
    folder.write(functions__core__aws__clients="", boto3="", botocore__session="")
    folder.write(theirs="import boto3")
    assert aws_calls(folder.reach()).any_service


def test_an_operation_keeps_the_shapes_that_it_reaches_and_the_service_its_errors() -> None:
    model = {
        "metadata": {"endpointPrefix": "things"},
        "operations": {
            "Get": {"input": {"shape": "GetInput"}, "documentation": "long"},
            "Put": {"input": {"shape": "PutInput"}},
        },
        "shapes": {
            "GetInput": {"type": "structure", "members": {"documentation": {"shape": "List"}}},
            "List": {"type": "list", "member": {"shape": "Text"}, "documentation": "long"},
            "Text": {"type": "string"},
            "PutInput": {"type": "structure", "members": {"a": {"shape": "Number"}}},
            "Number": {"type": "integer"},
            "Gone": {"type": "structure", "members": {}, "exception": True},
        },
        "documentation": "long",
    }
    cut = cut_model(model, {"Get"})
    assert cut["operations"] == {"Get": {"input": {"shape": "GetInput"}}}
    assert cut["shapes"].keys() == {"GetInput", "List", "Text", "Gone"}
    assert cut["shapes"]["GetInput"]["members"] == {"documentation": {"shape": "List"}}
    assert "long" not in str(cut)
