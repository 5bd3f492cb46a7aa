"""Mistakes found before code is deployed: their place, and the reported line."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.core.http.problems import Problem, problem
from infra import sam
from infra.local import import_problem
from infra.local.deploy import read_sources, zipped_functions
from infra.local.imports import Function, find_failures
from infra.local.mistake import Mistake
from infra.local.parsing import find_mistakes
from infra.local.references import refuse_dangling

TEMPLATES = "functions/core/messages/templates"
HELPER = b"LIMIT = 3\n\n\ndef need(name):\n    raise ValueError(f'{name} is not set')\n"
MODULES = {
    "functions/__init__.py": b"",
    "functions/workflows/__init__.py": b"",
    "functions/core/__init__.py": b"",
    "functions/core/helper.py": HELPER,
}


@pytest.mark.parametrize(
    ("path", "content", "what", "line", "text"),
    [
        (
            "functions/a.py",
            "x = 1\ndef f(:\n    pass\n",
            "SyntaxError: invalid syntax",
            2,
            "def f(:",
        ),
        (
            "functions/a.py",
            "def f():\n  return 1\n   x\n",
            "IndentationError: unexpected indent",
            3,
            "   x",
        ),
        ("functions/a.py", b"x = 1\ny = '\xff'\n", "SyntaxError", 2, "y = '"),
        (
            "functions/a.py",
            "x = 1\0\n",
            "SyntaxError: source code string cannot contain null bytes",
            None,
            "",
        ),
        (
            "functions/a.json",
            '{\n "a": 1,\n "b" 2\n}\n',
            "invalid JSON: Expecting ':' delimiter",
            3,
            ' "b" 2',
        ),
        (
            "functions/a.json",
            b'{\n"a": "\xff"}',
            "UnicodeDecodeError: the file is not UTF-8",
            2,
            '"a": "',
        ),
        ("functions/a.toml", "a = 1\nb = \n", "invalid TOML: Invalid value", 2, "b = "),
        ("functions/a.toml", 'a = 1\nb = """\n', "invalid TOML: ", 3, ""),
        (
            f"{TEMPLATES}/a/body.html",
            "<p>\n{% if x %}\n",
            "TemplateSyntaxError: Unexpected end",
            2,
            "{% if x %}",
        ),
        (
            f"{TEMPLATES}/a/body.txt",
            "Dear\n{{ name }\n",
            "TemplateSyntaxError: unexpected '}'",
            2,
            "{{ name }",
        ),
    ],
)
def test_a_mistake_is_found_with_its_line(
    path: str, content: str | bytes, what: str, line: int | None, text: str
) -> None:
    (found,) = find_mistakes(
        {path: content if isinstance(content, bytes) else content.encode()}, [path]
    )
    assert found.what.startswith(what)
    assert (found.file, found.line) == (path, line)
    assert found.text.startswith(text)
    assert str(found).startswith(f"{path}:{line}: {what}" if line else f"{path}: {what}")


def test_the_project_has_no_mistakes() -> None:
    sources = read_sources()
    assert find_mistakes(sources, sources) == []


def test_other_files_than_python_templates_and_data_are_not_checked() -> None:
    sources = {
        "functions/logo.png": b"\xff{{",
        "functions/workflows/a/notes.txt": b"{{ no template",
    }
    assert find_mistakes(sources, sources) == []


def failures(
    files: dict[str, bytes], *functions: Function, changed: tuple[str, ...] = ()
) -> list[Any]:
    return find_failures(zipped_functions(MODULES | files), functions, changed)


def function(name: str, **variables: str) -> Function:
    return Function(
        name, f"functions.workflows.{name}.lambda_handler", {"AWS_REGION": "us-east-1"} | variables
    )


def test_each_handler_is_imported_in_its_own_environment_with_modules_of_its_own() -> None:
    reads = (
        b"import os\nfrom functions.core import helper\n"
        b"helper.LIMIT += 1\nassert helper.LIMIT == 4, helper.LIMIT\n"
    )
    files = {
        "functions/workflows/one.py": reads + b"OWN = os.environ['ONE']\nlambda_handler = print\n",
        "functions/workflows/two.py": reads
        + b"assert 'ONE' not in os.environ\nlambda_handler = print\n",
        "functions/workflows/red.py": (
            b"from functions.core import helper\n\nvalue = helper.LIMITS\n"
        ),
        "functions/workflows/lost.py": b"handler = print\n",
    }
    found = failures(
        files, function("one", ONE="1"), function("two"), function("red"), function("lost")
    )
    assert [each.function for each in found] == ["red", "lost"]
    place = ("functions/workflows/red.py", 3, "value = helper.LIMITS")
    assert (found[0].mistake.file, found[0].mistake.line, found[0].mistake.text) == place
    assert (
        "AttributeError: module 'functions.core.helper' has no attribute 'LIMITS'"
        in found[0].mistake.what
    )
    assert "lambda_handler" in found[1].message


def test_the_line_is_that_of_what_was_just_edited_if_the_error_passed_it() -> None:
    path = "functions/workflows/red.py"
    files = {
        path: b"from functions.core.helper import need\nneed('COLOUR')\nlambda_handler = print\n"
    }
    (raised,), (edited,) = (
        failures(files, function("red"), changed=each) for each in ((), (path,))
    )
    assert (raised.mistake.file, raised.mistake.line) == ("functions/core/helper.py", 5)
    assert edited.mistake == Mistake("ValueError: COLOUR is not set", path, 2, "need('COLOUR')")


def test_a_module_that_is_only_loaded_when_it_is_needed_is_imported_if_it_changed() -> None:
    files = {
        "functions/workflows/one.py": b"lambda_handler = print\n",
        "functions/core/lazy.py": b"undefined()\n",
    }
    assert failures(files, function("one")) == []
    (found,) = failures(files, function("one"), changed=("functions/core/lazy.py",))
    assert (found.mistake.file, found.mistake.line) == ("functions/core/lazy.py", 1)


def test_an_import_that_ends_the_process_is_told() -> None:
    files = {
        "functions/workflows/one.py": b"print('hello')\nlambda_handler = print\n",
        "functions/workflows/red.py": b"import os\nos._exit(3)\n",
    }
    (found,) = failures(files, function("one"), function("red"))
    assert found.mistake.sentence.startswith(
        "functions.workflows.red.lambda_handler: its import ends the process"
    )


@pytest.mark.parametrize(
    ("status", "path", "body", "folder"),
    [
        (
            502,
            "/workflows/greet",
            {"errorMessage": "Worker init failed: no"},
            "functions/workflows/greet/",
        ),
        (
            502,
            "/workflows/greet?a=/b",
            {"errorMessage": "Worker init failed: no"},
            "functions/workflows/greet/",
        ),
        (
            502,
            "/runs/greet.1/items",
            {"errorMessage": "Worker process exited immediately"},
            "functions/api/runs/",
        ),
        (
            502,
            "/usersnap.js",
            {"errorMessage": "Worker init failed: no"},
            "functions/api/documents/",
        ),
        (500, "/workflows/greet", {"message": "Internal Server Error"}, "functions/api/authorize/"),
        (502, "/workflows/greet", {"errorMessage": "Task timed out"}, None),
        (502, "/workflows/greet", {"code": "provider_refused"}, None),
        (500, "/workflows/greet", {"code": "internal_error"}, None),
        (200, "/workflows/greet", {"errorMessage": "Worker init failed: no"}, None),
        (502, "/workflows/greet", "down", None),
    ],
)
def test_only_a_failed_init_is_looked_into(
    status: int, path: str, body: object, folder: str | None
) -> None:
    assert import_problem.unimportable_folder(status, path, json.dumps(body).encode()) == folder


def test_the_answer_for_a_broken_function_is_a_problem_as_all_are() -> None:
    mistake = Mistake(
        "NameError: name 'x' is not defined", "functions/workflows/greet/handler.py", 12, "  y = x"
    )
    told = msgspec.json.decode(
        import_problem.import_problem("functions/workflows/greet/", mistake, "r1"), type=Problem
    )
    usual = problem(ZeroDivisionError(), "r1")
    assert told == msgspec.structs.replace(usual, detail=told.detail)
    assert told.detail == (
        "greet cannot be imported. functions/workflows/greet/handler.py:12: NameError: "
        "name 'x' is not defined: `y = x`. Correct it: the code is then reloaded automatically."
    )


def test_a_mistake_in_the_stacks_own_files_is_found_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = "a: 1\nb:\n - c\n  : [\n"
    (tmp_path / "template.yaml").write_text(wrong)
    with pytest.raises(sam.TemplateError, match=r"template\.yaml:4: .*expected .*\n    : \["):
        sam.read_template(tmp_path / "template.yaml")
    monkeypatch.setattr(sam, "ROOT", tmp_path)
    (tmp_path / "machine.yaml").write_text(wrong)
    machine = {"Properties": {"DefinitionUri": "machine.yaml"}}
    with pytest.raises(sam.TemplateError, match=r"machine\.yaml:4: expected .*\n    : \["):
        sam.translate(
            {"Globals": {"Function": {}}, "Resources": {"Machine": machine}}, {}, "s3://bucket/key"
        )


def resources(**properties: object) -> dict[str, Any]:
    entry = {"Type": "AWS::SQS::Queue", "Properties": properties}
    return {
        "Parameters": {"Stage": {}},
        "Resources": {"Queue": entry, "Other": {"Type": "AWS::SQS::Queue"}},
    }


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        ({"Ref": "Stage"}, None),
        ({"Ref": "AWS::Region"}, None),
        ({"Fn::Sub": "${Other.Arn}-${AWS::Region}-${!literal}"}, None),
        ({"Fn::Sub": ["${Mine}", {"Mine": {"Ref": "Other"}}]}, None),
        ({"Ref": "Gone"}, "Gone"),
        ({"Fn::GetAtt": ["Gone", "Arn"]}, "Gone"),
        ({"Fn::GetAtt": "Gone.Arn"}, "Gone"),
        ({"Fn::If": ["C", [{"Fn::Sub": "a-${Gone.Arn}"}], ""]}, "Gone"),
        ({"Fn::Sub": ["${Mine}", {"Mine": {"Ref": "Gone"}}]}, "Gone"),
    ],
)
def test_a_reference_to_nothing_is_refused_with_its_line(
    value: object, missing: str | None
) -> None:
    template = resources(QueueName=value)
    if missing is None:
        refuse_dangling(template, "")
    else:
        with pytest.raises(
            sam.TemplateError, match=r"template\.yaml:2: Queue refers to Gone, .*\n    Name: Gone"
        ):
            refuse_dangling(template, "Queue:\n  Name: Gone\n")


def test_a_dependency_on_nothing_is_refused() -> None:
    template = resources()
    template["Resources"]["Other"]["DependsOn"] = "Gone"
    with pytest.raises(sam.TemplateError, match="Other refers to Gone"):
        refuse_dangling(template, "")
