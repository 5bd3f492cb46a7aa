"""The documents: links and anchors, code samples, commands, rules and paths. Needs no network."""

import ast
import importlib
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from functions.core.http.problems import TABLE
from infra import sam
from infra.settings_arguments import read_settings_arguments
from tests.documents import DOCUMENTS, Block, blocks, commands

DOCS = sam.ROOT / "docs"
ARCHITECTURE = DOCS / "explanation/architecture.md"
DECISIONS = DOCS / "explanation/decisions"
CURRENT = [each for each in DOCUMENTS if DECISIONS not in each.parents]
"""Documents about the present. A decision may name a file or a command that is gone."""
LONGEST_README, WIDEST = 150, 100
WIDE = {"CHANGELOG.md"}
"""Documents whose lines are not counted here."""
EXAMPLES = ("greet", "send_receipt", "templates/receipt")
"""Files that a document names and its reader makes, so they are not here."""
BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]
NODE = shutil.which("node", path=sam.ROOT / ".venv/bin") or shutil.which("node")


def name(document: Path) -> str:
    return str(document.relative_to(sam.ROOT))


def of(language: str) -> list[Any]:
    return [pytest.param(block, id=block.place) for block in BLOCKS if block.language == language]


def prose(document: Path) -> str:
    """A document with each line of its fenced blocks emptied."""
    return re.sub(
        r"^( *)```\w*\n.*?^\1```$",
        lambda found: "\n" * found[0].count("\n"),
        document.read_text(),
        flags=re.DOTALL | re.MULTILINE,
    )


@cache
def anchors(document: Path) -> set[str]:
    """Anchors that GitHub gives to headings, and explicit ones."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6} (.+?) *#*$", prose(document), re.MULTILINE):
        text = re.sub(r"!?\[([^]]*)]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return {*found, *re.findall(r'<a (?:id|name)="([^"]+)"', document.read_text())}


def links(document: Path) -> Iterator[str]:
    text = re.sub(r"``?[^`]+``?", "", prose(document))
    yield from re.findall(r"]\(\s*<?([^)\s>]+)>?[^)]*\)", text)
    yield from re.findall(r"^ {0,3}\[[^]^]+]:\s*(\S+)", text, re.MULTILINE)
    yield from re.findall(r'<(?:a|img)\b[^>]*?(?:href|src)="([^"]+)"', text)


def broken(document: Path, target: str) -> str | None:
    """The fault of a link, if it has one."""
    path, _, anchor = target.partition("#")
    there = (document.parent / unquote(path)).resolve() if path else document
    if not there.exists():
        return f"{target}: there is no {path}"
    if DOCS in document.parents and DOCS not in there.parents:
        return f"{target} leaves docs/, which is all that the site shows. Name it in backticks"
    if anchor and (there.suffix != ".md" or anchor not in anchors(there)):
        return f"{target}: {path or name(document)} has no heading #{anchor}"
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_leads_somewhere(document: Path) -> None:
    relative = [target for target in links(document) if not re.match(r"[a-z]+:", target)]
    assert [wrong for target in relative if (wrong := broken(document, target))] == []


def test_a_missing_file_and_a_missing_anchor_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text(
        "# One\n\n## What `is` it, in 2?\n\n## One\n\n```\n## Not a heading\n```\n"
    )
    document = tmp_path / "document.md"
    document.write_text(
        "[a](there.md#what-is-it-in-2) [b](gone.md) [c](there.md#not-a-heading) `[d](code.md)`\n"
    )
    assert anchors(tmp_path / "there.md") == {"one", "what-is-it-in-2", "one-1"}
    assert [target for target in links(document) if broken(document, target)] == [
        "gone.md",
        "there.md#not-a-heading",
    ]


def test_every_page_is_found_from_the_first_one() -> None:
    found, seen = {sam.ROOT / "README.md"}, set[Path]()
    while new := found - seen:
        seen |= new
        targets = {
            (page.parent / link.partition("#")[0]).resolve() for page in new for link in links(page)
        }
        found |= {target for target in targets if target.suffix == ".md" and target.exists()}
    assert {name(page) for page in DOCS.rglob("*.md")} - {name(page) for page in seen} == set()


def test_the_site_shows_every_page() -> None:
    def pages(entry: Any) -> Iterator[str]:
        for each in entry.values() if isinstance(entry, dict) else entry:
            if isinstance(each, str):
                yield each
            else:
                yield from pages(each)

    site = tomllib.loads((sam.ROOT / "docs/zensical.toml").read_text())
    shown = set(pages(site["project"]["nav"]))
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert {page for page in there - shown if not re.search(r"decisions/\d{4}-", page)} == set()
    assert shown - there == set()


def test_readme_stays_short() -> None:
    assert (sam.ROOT / "README.md").read_text().count("\n") <= LONGEST_README


@pytest.mark.parametrize(
    "document", [each for each in DOCUMENTS if each.name not in WIDE], ids=name
)
def test_a_line_of_prose_is_at_most_100_columns_wide(document: Path) -> None:
    lines = enumerate(prose(document).splitlines(), start=1)
    found = [
        f"{number}: {line}" for number, line in lines if len(line) > WIDEST and breakable(line)
    ]
    assert found == []


def breakable(line: str) -> bool:
    """Whether a line can be broken: neither a table row nor one long link."""
    return not line.startswith("|") and " " in line.strip()


@pytest.mark.parametrize("block", of("python"))
def test_python_compiles_and_imports_what_there_is(block: Block) -> None:
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("functions"):
            module = importlib.import_module(node.module or "")
            missing = [each.name for each in node.names if not hasattr(module, each.name)]
            assert missing == [], f"{node.module} has no {', '.join(missing)}"


@pytest.mark.parametrize("block", of("json"))
def test_json_is_json(block: Block) -> None:
    json.loads(block.code)


@pytest.mark.parametrize("block", of("toml"))
def test_toml_is_toml(block: Block) -> None:
    tomllib.loads(block.code)


@pytest.mark.parametrize("block", of("javascript"))
@pytest.mark.skipif(not NODE, reason="Node.js reads JavaScript")
def test_javascript_is_javascript(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.mjs").write_text(block.code)
    read = subprocess.run(
        [str(NODE), "--check", tmp_path / "block.mjs"], capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, read.stderr


@pytest.mark.parametrize("block", of("console"))
def test_a_command_is_one_that_a_shell_understands(block: Block) -> None:
    found = list(commands(block))
    assert found, "a console block shows a command after `$ `"
    for command in found:
        read = subprocess.run(
            ["bash", "-n"], input=command, capture_output=True, text=True, check=False
        )
        assert read.returncode == 0, f"{command}\n{read.stderr}"


@pytest.mark.parametrize("block", of("console"))
def test_the_body_of_a_request_is_json(block: Block) -> None:
    for command in commands(block):
        words = shlex.split(command.replace("\\\n", " "), comments=True)
        bodies = [body for flag, body in pairwise(words) if flag == "-d"]
        for body in bodies:
            if not body.startswith("$"):
                assert isinstance(json.loads(body), dict), body


def made(document: Path) -> Iterator[tuple[str, list[str]]]:
    """Calls of make in a document's blocks and sentences: the target and its variables."""
    shown = [
        command.replace("\\\n", " ")
        for block in blocks(document, "console")
        for command in commands(block)
    ]
    shown += re.findall(r"`(make [^`]+)`", re.sub(r"\s*\n\s*", " ", prose(document)))
    for command in shown:
        for target, rest in re.findall(r"(?:^|[|&;]\s*)make ([a-z][a-z-]*)([^|&;]*)", command):
            yield target, re.findall(r"\b([A-Z][A-Z_]*)=", re.sub(r"\"[^\"]*\"", "", rest))


@pytest.mark.parametrize("document", CURRENT, ids=name)
def test_make_knows_every_target_and_variable_that_a_document_names(document: Path) -> None:
    makefile = (sam.ROOT / "Makefile").read_text()
    rules = dict(re.findall(r"^([a-z-]+):[^\n]*##(.*\n(?:\t.*\n)*)", makefile, re.MULTILINE))
    for target, variables in made(document):
        assert target in rules, f"make {target}"
        known = {
            *re.findall(r"\$[({]*\$?([A-Z_]+)", rules[target]),
            *re.findall(r"([A-Z_]+)=", rules[target]),
        }
        settings = [each for each in variables if each not in known]
        if settings:
            assert target in {"run", "preview"}, f"make {target} knows no {', '.join(settings)}"
            assert all(is_setting(each) for each in settings), settings


def is_setting(variable: str) -> bool:
    try:
        read_settings_arguments([f"{variable}="], 0)
    except Exception as error:  # noqa: BLE001 - a value that is refused is one of a setting that there is
        return "No such setting" not in str(error)
    return True


@pytest.mark.parametrize("document", CURRENT, ids=name)
def test_a_file_that_a_document_names_is_there(document: Path) -> None:
    named = re.findall(r"`((?:functions|infra|tests|docs)/[\w./-]+)`", prose(document))
    missing = [
        each
        for each in named
        if not any(word in each for word in EXAMPLES) and not (sam.ROOT / each).exists()
    ]
    assert missing == []


def cited(pattern: str) -> Iterator[tuple[Path, str]]:
    files = [
        *DOCUMENTS,
        sam.TEMPLATE,
        *(file for top in ("functions", "infra", "tests") for file in sources(top)),
    ]
    for file in files:
        for number in re.findall(pattern, file.read_text()):
            yield file, number


def sources(top: str) -> Iterator[Path]:
    for suffix in ("py", "yaml", "toml", "js"):
        yield from (sam.ROOT / top).rglob(f"*.{suffix}")


def test_every_rule_that_is_cited_is_there_and_has_one_number() -> None:
    rules = re.findall(r"^- \*\*Rule (\d+\.\d+)\*\*", ARCHITECTURE.read_text(), re.MULTILINE)
    assert len(rules) == len(set(rules)) > 30
    assert {number for _, number in cited(r"Rule (\d+\.\d+)\b")} - set(rules) == set()


def test_every_decision_has_a_number_a_date_and_a_status_and_is_listed() -> None:
    files = sorted(DECISIONS.glob("[0-9]*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for file in files:
        heading = rf"# {int(file.name[:4])}\. .+\n\n- Date: 20\d\d-\d\d-\d\d\n"
        status = r"- Status: (?:Accepted|Superseded)\b.*\n\n"
        assert re.match(heading + status, file.read_text()), file.name
    listed = re.findall(
        r"^\| (\d+) \| \[.+]\((\d{4}-[\w-]+\.md)\) \|",
        (DECISIONS / "README.md").read_text(),
        re.MULTILINE,
    )
    assert [(int(number), file) for number, file in reversed(listed)] == [
        (int(f.name[:4]), f.name) for f in files
    ]
    assert {int(number) for _, number in cited(r"\bdecisions? (\d+)\b")} <= {
        int(file.name[:4]) for file in files
    }


def test_no_document_is_cited_that_readers_do_not_have() -> None:
    elsewhere = "design" + ".md"
    files = {file for file, _ in cited(rf"({re.escape(elsewhere)})")}
    assert files == set()


def test_every_parameter_of_the_template_is_in_the_settings() -> None:
    page = (DOCS / "reference/settings.md").read_text()
    assert [each for each in sam.read_template()["Parameters"] if f"`{each}`" not in page] == []


def test_every_code_of_a_problem_is_explained() -> None:
    page = (DOCS / "reference/problems.md").read_text()
    own = {kind.code for kind in TABLE.values()} - {
        "call_failed"
    }  # told as the other workflow's problem
    assert [code for code in sorted(own) if f"`{code}`" not in page] == []
