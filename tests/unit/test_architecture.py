"""Import levels: which module may import which.

Read from every import statement, including imports inside functions.
"""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from infra import sam

FILES = sorted((sam.ROOT / "functions").rglob("*.py"))

LEAVES = (
    "cells",
    "clock",
    "config",
    "deadline",
    "email_address",
    "errors",
    "observability",
    "parameters",
    "pasted",
)
LEVELS = (
    LEAVES,
    ("aws",),
    ("auth", "http", "outbound_http", "rate_limits", "signing"),
    ("events", "integrations", "messages", "runs", "schedules", "verification"),
    ("definition",),
    ("triggers",),
    ("workflow",),
)
"""Parts of functions/core, the lowest first. A part imports its own level and lower ones."""

VENDORS = {
    # A vendor's SDK is used only where this project wraps it.
    "boto3": set[str](),
    "twilio": {"core/messages/providers/twilio_client.py", "api/webhooks/schemes/twilio.py"},
    "requests": {"core/messages/providers/twilio_client.py"},
    "cryptography": {"api/webhooks/certificates.py"},
    "standardwebhooks": {"api/webhooks/schemes/standard.py", "core/events/delivery.py"},
    "urllib3": {"core/messages/providers/twilio_client.py", "api/webhooks/download.py"},
    "certifi": {"api/webhooks/download.py", "core/outbound_http/post.py"},
    "jwt": set[str](),
    "jmespath": {"api/webhooks/declared/expressions.py"},
    "botocore": {"core/aws/"},
    "pynamodb": {
        # The records, their base class and their transactions.
        "core/aws/dynamodb.py",
        "core/aws/transactions.py",
        "core/auth/tokens.py",
        "core/rate_limits/limits.py",
        "core/verification/",
        "core/runs/",
        "core/events/failing_endpoints.py",
        "core/integrations/usersnap/app_setting.py",
        "api/webhooks/kept/record.py",
    },
    "aws_lambda_powertools": {"core/observability.py", "core/http/idempotency.py"},
    "jinja2": {"core/messages/rendering/render.py"},
    "markupsafe": {"core/messages/rendering/render.py"},
    "phonenumbers": {"core/verification/destinations.py", "core/verification/phone_numbers/"},
    "email_validator": {"core/email_address.py"},
}

SDK = {"boto3", "botocore"}
"""AWS's SDK, which authors may use in workflows of their own."""
SHIPPED = {
    "check_app_location",
    "deliver_event",
    "record_registration",
    "send_email_template",
    "track_delivery",
    "update_usersnap",
    "verify_check",
    "verify_delete",
    "verify_send",
    "verify_status",
}
"""The project's workflows."""
TYPES = "aws_lambda_powertools.utilities.typing."
"""Imported for type checkers alone."""


@cache
def imports(path: Path) -> tuple[str, ...]:
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{path}: relative imports read differently in tests and in Lambda"
            )
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(path: Path) -> str:
    return path.relative_to(sam.ROOT / "functions").as_posix()


def module_of(path: Path) -> str:
    parts = ("functions", *path.relative_to(sam.ROOT / "functions").with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


def modules_of(path: Path) -> set[str]:
    """Modules of this project that a file imports; `from a.b import c` imports `a.b` as well."""
    found = {*imports(path), *(name.rpartition(".")[0] for name in imports(path))}
    return found & MODULES.keys()


def level_of(part: str) -> int:
    found = [number for number, level in enumerate(LEVELS) if part in level]
    assert found, f"functions/core/{part} has no level: add it to LEVELS"
    return found[0]


@pytest.mark.parametrize("path", FILES, ids=place)
def test_core_knows_no_workflow_and_workflows_do_not_know_each_other(path: Path) -> None:
    here = place(path)
    own = ".".join(["functions", *Path(here).parts[:2]])
    for name in imports(path):
        if here.startswith("workflows/") and name in seen_by_type_checkers(path):
            continue
        if name.startswith(("functions.workflows", "functions.api")):
            assert not here.startswith("core/"), f"{here} imports {name}"
            assert name.startswith(own), f"{here} imports {name}"
        assert not name.startswith(("infra", "tests")), (
            f"{here} imports {name}, which does not ship"
        )


def seen_by_type_checkers(path: Path) -> set[str]:
    """Names that a file imports under TYPE_CHECKING alone."""
    return {
        f"{each.module}.{alias.name}"
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for each in node.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
    }


@pytest.mark.parametrize(
    "path", [path for path in FILES if place(path).startswith("workflows/")], ids=place
)
def test_what_stands_in_for_a_workflow_has_the_names_that_type_checkers_import(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Assign) or "other_workflow(" not in ast.unparse(node.value):
            continue
        assert isinstance(node.value, ast.Call)
        workflow = ast.literal_eval(node.value.args[0])
        (target,) = node.targets
        assert isinstance(target, ast.Tuple)
        names = {
            f"functions.workflows.{workflow}.handler.{ast.unparse(each)}" for each in target.elts
        }
        assert ast.unparse(target.elts[0]) == workflow
        assert names <= seen_by_type_checkers(path)


@pytest.mark.parametrize(
    "path", [path for path in FILES if place(path).startswith("core/")], ids=place
)
def test_a_part_of_core_imports_its_own_level_and_lower_ones(path: Path) -> None:
    part = place(path).split("/")[1].removesuffix(".py")
    if part == "__init__":
        return
    for name in modules_of(path):
        imported = name.split(".")[2] if name.count(".") > 1 else ""
        if imported and imported != part:
            assert level_of(imported) <= level_of(part), f"{place(path)} imports {name}"


def test_no_module_and_no_part_of_core_is_in_a_cycle() -> None:
    """Parts of one level may import each other, in one direction."""
    assert cycle_in({name: modules_of(path) - {name} for name, path in MODULES.items()}) == []
    parts: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        if name.startswith("functions.core."):
            part = name.split(".")[2]
            parts.setdefault(part, set()).update(
                each.split(".")[2] for each in modules_of(path) if each.count(".") > 1
            )
    assert cycle_in({part: imported - {part} for part, imported in parts.items()}) == []


def cycle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """Nodes that are in a cycle or lead to one; empty if there is no cycle."""
    left = dict(graph)
    while free := [name for name, imported in left.items() if not imported & left.keys()]:
        for name in free:
            del left[name]
    return sorted(left)


@pytest.mark.parametrize("path", FILES, ids=place)
def test_a_vendors_sdk_is_touched_where_it_is_wrapped(path: Path) -> None:
    floor, part, *_ = (*place(path).split("/"), "")
    authors = SDK if floor == "workflows" and part not in SHIPPED else set()
    for name in imports(path):
        vendor = name.partition(".")[0]
        allowed = VENDORS.get(vendor)
        if allowed is not None and vendor not in authors and not name.startswith(TYPES):
            assert any(place(path).startswith(each) for each in allowed), (
                f"{place(path)} imports {name}"
            )


@pytest.mark.parametrize("path", FILES, ids=place)
def test_only_config_reads_the_environment(path: Path) -> None:
    reads = "os.environ" in path.read_text() or "getenv" in path.read_text()
    assert not reads or place(path) == "core/config.py"


CACHES = {"cache", "lru_cache"}
MUTATORS = {"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"}
STATE = {
    # The current call has one deadline; its context manager resets it.
    "core/deadline.py: _ends_at",
}
"""Changing module variables, with the reason why config.reset() may leave them alone."""


@pytest.mark.parametrize("path", FILES, ids=place)
def test_only_config_caches(path: Path) -> None:
    """Any other cache would carry values from one test into the next one."""
    used = {name.rpartition(".")[2] for name in imports(path) if name.startswith("functools.")}
    assert place(path) == "core/config.py" or "functools" not in imports(path)
    assert place(path) == "core/config.py" or not used & CACHES, "use @config.cached"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_no_module_keeps_what_changes(path: Path) -> None:
    if place(path) == "core/config.py":
        return
    tree = ast.parse(path.read_text())
    changed = set(_rebound(tree)) | set(_changed(tree)) | set(_empty(tree))
    found = {f"{place(path)}: {name}" for name in changed} - STATE
    assert not found, "keep it in a function under @config.cached"


def test_state_that_is_allowed_is_there() -> None:
    for each in STATE:
        path, _, name = each.partition(": ")
        assert name in set(_rebound(ast.parse((sam.ROOT / "functions" / path).read_text())))


def _rebound(tree: ast.Module) -> Iterator[str]:
    """Variables that a function declares global."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield from node.names


def _of_module(tree: ast.Module) -> Iterator[tuple[str, ast.expr | None]]:
    """Variables of a module, and their initial values."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from (
                (each.id, node.value) for each in node.targets if isinstance(each, ast.Name)
            )
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def _empty(tree: ast.Module) -> Iterator[str]:
    """Variables that begin as an empty list, dictionary or set, which only makes sense to fill."""
    for name, value in _of_module(tree):
        if value is not None and ast.unparse(value) in {"[]", "{}", "list()", "dict()", "set()"}:
            yield name


def _changed(tree: ast.Module) -> Iterator[str]:
    """Module variables whose elements a function sets, deletes, adds or removes."""
    own = {name for name, _ in _of_module(tree)}
    for function in [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]:
        for node in ast.walk(function):
            target: ast.expr | None = None
            if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                target = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                target = node.func.value if node.func.attr in MUTATORS else None
            if isinstance(target, ast.Name) and target.id in own:
                yield target.id


@pytest.mark.parametrize("path", FILES, ids=place)
def test_settings_types_are_registered(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
            decorators = [ast.unparse(each) for each in node.decorator_list]
            assert any(each.startswith("config.settings(") for each in decorators), node.name


@pytest.mark.parametrize("path", FILES, ids=place)
def test_there_is_one_clock(path: Path) -> None:
    """Code calls `clock.now()` through its module, so that a test can replace it."""
    if place(path) == "core/clock.py":
        return
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }
    assert not calls & {
        "time.time",
        "time.time_ns",
        "datetime.now",
        "datetime.utcnow",
        "date.today",
    }
    assert not set(imports(path)) & {
        "time.time",
        "functions.core.clock.now",
        "functions.core.clock.monotonic",
    }
