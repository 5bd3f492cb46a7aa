"""`make workflow`: its refusals, its renaming, and its cleanup after a failure."""

import difflib
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra import sam
from infra.generate.__main__ import main
from infra.generate.anchors import with_aliases
from infra.generate.errors import Refused
from infra.generate.names import Renaming, camel, carries
from infra.generate.new_test import NewTest
from infra.generate.plan import Plan, plan
from infra.generate.section import carried, mentions, with_copy, workflow_rights
from infra.generate.write import write
from infra.sam import translate
from infra.workflows import workflows
from tests.builders.project_copies import NOT_IN_A_COPY, git, run
from tests.documents import blank_workflow

pytestmark = pytest.mark.slow

DELETE = Renaming("verify_delete", "end_visit", frozenset({"VerifyDelete", "VerifyDeleteLog"}))
SHARED = """Resources:
  # --- workflow greet ---------

  # How we greet.
  Greet:
    Handler: functions.workflows.greet.handler.lambda_handler # greet

    Table: !Ref Greetings
    Log: !GetAtt GreetLog.Arn

  GreetLog:
    Name: wf-greet

  Greetings:
    Name: greetings

  # --- workflow greet_all -----

  GreetAll:
    Calls: greet

  # --- tables -----------------

  Other: {}

Outputs:
  GreetUrl:
    Value: /workflows/greet
  GreetAllUrl:
    Value: /workflows/greet_all
  Last:
    Value: 1
"""


@cache
def translation(template: str, *others: str) -> dict[str, Any]:
    return translate(json.loads(template), *map(json.loads, others))


@pytest.fixture(autouse=True)
def _translations_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Translates a template once for all tests, because that takes half a second."""
    monkeypatch.setattr(
        sam, "translate", lambda *arguments: translation(*map(json.dumps, arguments))
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files that the generator reads and writes, outside of any git repository."""
    for folder in ("functions", "tests/events", "tests/workflows"):
        shutil.copytree(sam.ROOT / folder, tmp_path / folder, ignore=NOT_IN_A_COPY)
    shutil.copy(sam.TEMPLATE, tmp_path)
    return tmp_path


def contents(project: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def green(_: Path, planned: Plan) -> NewTest:
    planned.place.test.write_text(planned.tests[0].text)
    return planned.tests[0]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Say how it is called"),
        ("SendReceipt", "lower-case words joined by _"),
        ("send-receipt", "lower-case words joined by _"),
        ("send__receipt", "lower-case words joined by _"),
        ("_send", "lower-case words joined by _"),
        ("2fa", "lower-case words joined by _"),
        ("send_receipt\n", "lower-case words joined by _"),
        ("../receipt", "lower-case words joined by _"),
        ("s" * 33, "at most 32 characters"),
        ("class", "a word of Python's own"),
        ("print", "a word of Python's own"),
        ("verify_check", "functions/workflows/verify_check is there already"),
        ("authorize", "tests/events/authorize.json is there already"),
        ("tokens", "tests/workflows/test_tokens.py is there already"),
        ("dynamodb", "uses the name dynamodb already"),
        ("verification_deleted", "uses the name VerificationDeleted already"),
        ("alarms", "template.yaml has a Alarms already"),
        ("proof_keys", "template.yaml has a ProofKeys already"),
        ("verify_send_http_permission", "template.yaml has a VerifySendHttpPermission already"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_sentence(
    project: Path, name: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        plan(project, name, "verify_delete")


@pytest.mark.parametrize("words", [[], ["--name", "greet"], ["--from", "blank"]])
def test_the_command_without_name_or_source_shows_its_usage(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["infra.generate", *words])
    assert main() == 1
    usage = capsys.readouterr().err
    assert usage.startswith("error: Set NAME and FROM: make workflow NAME=send_receipt FROM=blank")
    assert "copy: check_app_location, deliver_event" in usage


@pytest.mark.parametrize("name", ["s" * 32, "welcome_v2", "end_visit"])
def test_other_names_are_accepted(project: Path, name: str) -> None:
    assert plan(project, name, "verify_delete").renaming.new == name


@pytest.mark.parametrize(
    "source", ["", "no_such_workflow", "authorize", "../workflows/verify_send"]
)
def test_an_unknown_source_is_refused_with_what_there_is(project: Path, source: str) -> None:
    with pytest.raises(Refused, match=f"FROM must be one of {', '.join(workflows())}"):
        plan(project, "end_visit", source)


def test_an_api_folder_of_that_name_is_refused(project: Path) -> None:
    (project / "functions/api/reports").mkdir()
    with pytest.raises(Refused, match="functions/api/reports is there already"):
        plan(project, "reports", "verify_delete")


def test_a_source_without_a_section_is_refused(project: Path) -> None:
    template = project / "template.yaml"
    template.write_text(
        template.read_text().replace("# --- workflow verify_delete", "# verify_delete")
    )
    with pytest.raises(
        Refused, match="no section that begins with `# --- workflow verify_delete ---`"
    ):
        plan(project, "end_visit", "verify_delete")


def test_a_section_without_the_sources_function_is_refused(project: Path) -> None:
    template = project / "template.yaml"
    template.write_text(template.read_text().replace("  VerifyDelete:\n", "  Deletes:\n"))
    with pytest.raises(
        Refused, match=r"section of verify_delete in template\.yaml does not make VerifyDelete"
    ):
        plan(project, "end_visit", "verify_delete")


def test_a_template_that_cannot_be_read_is_refused(project: Path) -> None:
    template = project / "template.yaml"
    template.write_text(template.read_text() + "  : [\n")
    with pytest.raises(Refused, match=r"template\.yaml cannot be read"):
        plan(project, "end_visit", "verify_delete")


def test_a_template_with_changes_that_are_not_committed_is_refused(project: Path) -> None:
    git(project, "init")
    git(project, "add", ".")
    git(project, "commit", "-m", "all")
    assert plan(project, "end_visit", "verify_delete")
    (project / "functions/core/observability.py").write_text("# other changes do not matter\n")
    assert plan(project, "end_visit", "verify_delete")
    with (project / "template.yaml").open("a") as template:
        template.write("# mine\n")
    with pytest.raises(Refused, match="changes that are not committed"):
        plan(project, "end_visit", "verify_delete")


def test_a_refusal_is_an_error_and_changes_nothing() -> None:
    before = sam.TEMPLATE.read_bytes()
    command = [
        sys.executable,
        "-m",
        "infra.generate",
        "--name",
        "verify_check",
        "--from",
        "verify_send",
    ]
    done = subprocess.run(command, cwd=sam.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == "error: functions/workflows/verify_check is there already. Choose another NAME.\n"
    )
    assert sam.TEMPLATE.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("verify_delete: deletes", "end_visit: deletes"),
        ("${AWS::StackName}-wf-verify_delete", "${AWS::StackName}-wf-end_visit"),
        (
            "from functions.workflows.verify_delete.handler import x",
            "from functions.workflows.end_visit.handler import x",
        ),
        ("handler.verify_delete(event)", "handler.end_visit(event)"),
        ("def verify_delete(parameters: VerifyDelete)", "def end_visit(parameters: EndVisit)"),
        ("!GetAtt VerifyDeleteLog.Arn", "!GetAtt EndVisitLog.Arn"),
        ("test_verify_delete VERIFY_DELETE_FUNCTION", "test_verify_delete VERIFY_DELETE_FUNCTION"),
        ("verify_deleted re_verify_delete", "verify_deleted re_verify_delete"),
        ("VerifyDeleteRole VerifyDeleted", "VerifyDeleteRole VerifyDeleted"),
        ("record.verify_delete()", "record.verify_delete()"),
    ],
)
def test_whole_identifiers_are_renamed_and_nothing_else(text: str, renamed: str) -> None:
    assert DELETE(text) == renamed


def test_camel_case() -> None:
    assert [camel(name) for name in ("send_receipt", "welcome_v2", "greet")] == [
        "SendReceipt",
        "WelcomeV2",
        "Greet",
    ]
    assert [carries(each, "send") for each in ("Send", "SendLog", "Sender", "Send2", "Resend")] == [
        True,
        True,
    ] + 3 * [False]


def test_a_source_that_anybody_may_call_is_refused(project: Path) -> None:
    with pytest.raises(
        Refused, match="record_registration may be called by anybody, and so might a copy of it"
    ):
        plan(project, "end_visit", "record_registration")


@pytest.mark.parametrize("source", [each for each in workflows() if each != "record_registration"])
def test_the_template_keeps_every_line_in_its_place(project: Path, source: str) -> None:
    before = (project / "template.yaml").read_text().splitlines()
    after = plan(project, "end_visit", source).template.splitlines()
    changes = [each[0] for each in difflib.ndiff(before, after) if each[0] != " "]
    assert set(changes) == {"+"}
    first = next(
        i for i, line in enumerate(after) if line.startswith("  # --- workflow end_visit ")
    )
    assert (after[first - 1], after[first + 1]) == ("", "")
    last = [line.split()[3] for line in after if line.startswith("  # --- workflow ")][-1]
    assert last == "end_visit"


def test_a_copied_section_keeps_its_comments_and_renames_only_its_own_names() -> None:
    source = carried(SHARED, "greet", ["greet", "greet_all"])
    renaming = Renaming("greet", "wave", frozenset({"Greet", "GreetLog", "GreetUrl"}))
    assert source == (["Greet", "GreetLog"], ["GreetUrl"])
    copied = """  # --- workflow wave ----------

  # How we wave.
  Wave:
    Handler: functions.workflows.wave.handler.lambda_handler # wave

    Table: !Ref Greetings
    Log: !GetAtt WaveLog.Arn

  WaveLog:
    Name: wf-wave

"""
    url = "    Value: /workflows/greet\n"
    made = SHARED.replace("  # --- tables", f"{copied}  # --- tables")
    made = made.replace(url, f"{url}  WaveUrl:\n    Value: /workflows/wave\n", 1)
    assert with_copy(SHARED, source, renaming) == made
    assert mentions(SHARED, source, renaming) == ["GreetAll"]


def test_a_last_section_of_resources_ends_with_them() -> None:
    start, end = SHARED.index("  # --- workflow greet_all"), SHARED.index("Outputs:")
    template = SHARED[:start] + SHARED[end:]
    renaming = Renaming("greet", "wave", frozenset({"Greet", "GreetLog", "GreetUrl"}))
    copied = with_copy(template, carried(template, "greet", ["greet"]), renaming)
    assert (
        copied.count("  Wave:\n") == copied.count("Outputs:\n") == copied.count("  WaveUrl:\n") == 1
    )
    assert copied.index("  Wave:\n") < copied.index("Outputs:\n") < copied.index("  WaveUrl:\n")


def test_a_definition_becomes_an_alias() -> None:
    section = """  Role:
    Assumed: &by_lambda
      Version: 1

    Policies:
      - Own: 1
        Table: &table !Ref Greetings # shared
      - &runs
        # It runs.
        Name: runs
      - *others
"""
    made = """  Role:
    Assumed: *by_lambda

    Policies:
      - Own: 1
        Table: *table
      - *runs
      - *others
"""
    for end in ("\n", "\r\n"):
        lines = section.replace("\n", end).splitlines(keepends=True)
        assert "".join(with_aliases(lines)) == made.replace("\n", end)


def test_a_copy_goes_under_the_heading_for_an_owners_own_workflows() -> None:
    """Until there is one; then after the last of them."""
    heading = "  # === Workflows: your own =====\n  # New ones come here.\n\n"
    template = SHARED.replace("  # --- tables", f"{heading}  # === Data ==\n\n  # --- tables")
    for name in ("wave", "nod"):
        renaming = Renaming("greet", name, frozenset({"Greet", "GreetLog", "GreetUrl"}))
        template = with_copy(template, carried(template, "greet", ["greet"]), renaming)
    heads = [
        " ".join(line.split()[2:-1])
        for line in template.splitlines()
        if "# " in line and line.endswith(("--", "=="))
    ]
    assert heads == [
        "workflow greet",
        "workflow greet_all",
        "Workflows: your own",
        "workflow wave",
        "workflow nod",
        "Data",
        "tables",
    ]


def test_ends_of_lines_stay() -> None:
    template = SHARED.replace("\n", "\r\n")
    renaming = Renaming("greet", "wave", frozenset({"Greet", "GreetLog", "GreetUrl"}))
    copied = with_copy(template, carried(template, "greet", ["greet"]), renaming)
    assert copied.replace("\r\n", "\n") == with_copy(
        SHARED, carried(SHARED, "greet", ["greet"]), renaming
    )
    assert "\n" not in copied.replace("\r\n", "")


def test_other_places_that_name_the_source_are_reported(project: Path) -> None:
    assert plan(project, "end_visit", "verify_check").left_alone == [
        "Proofs",
        "ProofKey",
        "VerifyCheckSigns",
        "GuessingAlarm",
    ]


def resources_of(template: str) -> dict[str, Any]:
    """Resources of a template, to be read only."""
    resources: dict[str, Any] = sam._parsed(template)["Resources"]
    return resources


def role_of(template: str, workflow: str) -> list[dict[str, Any]]:
    """Statements of a workflow's role."""
    role = resources_of(template)[f"{camel(workflow)}Role"]
    policies = role["Properties"]["Policies"]
    return [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]


def test_a_blank_workflow_has_the_rights_that_every_one_has_and_no_others(project: Path) -> None:
    planned = plan(project, "wave", "blank")
    made = resources_of(planned.template)
    function, other = (made[each]["Properties"] for each in ("Wave", "TrackDelivery"))
    assert (function["Description"], other["Description"]) == (
        "The workflow wave.",
        "Platform: records the report of a provider on a message.",
    )
    assert function["Environment"]["Variables"] == {"POWERTOOLS_SERVICE_NAME": "wave"}
    event, usual = ({**each["Events"]["Http"]["Properties"]} for each in (function, other))
    assert (event.pop("Path"), usual.pop("Path")) == (
        "/workflows/wave",
        "/workflows/track_delivery",
    )
    assert event == usual, "its callers must be the same as other workflows'"
    everyones = json.loads(
        json.dumps(role_of(planned.template, "track_delivery")).replace("TrackDelivery", "Wave")
    )
    rights = role_of(planned.template, "wave")
    assert [each for each in everyones if each not in rights] == [
        {
            "Effect": "Allow",
            "Action": "dynamodb:UpdateItem",
            "Resource": {"Fn::GetAtt": ["Verifications", "Arn"]},
        }
    ]
    assert [each for each in rights if each not in everyones] == []
    assert "# Every workflow has these rights" in planned.template
    assert planned.added == ["Wave", "WaveLog", "WaveRole"]
    code = planned.code[Path("handler.py")].decode()
    assert "class Wave(Parameters)" in code
    assert "def wave(parameters: Wave) -> WaveResult:" in code
    assert "greet" not in code.lower()


def test_the_next_blank_workflows_have_each_comment_once(project: Path) -> None:
    before = sam.TEMPLATE.read_text().count("# Every workflow has these rights")
    for count, name in enumerate(("wave", "bow", "nod"), before + 1):
        planned = plan(project, name, "blank")
        (project / "template.yaml").write_text(planned.template)
        (project / "functions/workflows" / name).mkdir()
        (project / "functions/workflows" / name / "handler.py").write_text("")
        assert planned.template.count("# Every workflow has these rights") == count
        assert planned.template.count("# Add here what only this one does") == count


def test_a_blank_workflow_is_the_one_that_the_tutorial_shows() -> None:
    assert (sam.ROOT / "infra/generate/greet.py").read_text() == blank_workflow()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("blank", "which FROM uses for an empty workflow"),
        ("", "Say how it is called"),
        ("workflow", "uses the name workflow already"),
        ("verify_check", "functions/workflows/verify_check is there already"),
        ("alarms", "template.yaml has a Alarms already"),
    ],
)
def test_a_name_that_a_blank_workflow_cannot_have_is_refused(
    project: Path, name: str, sentence: str
) -> None:
    with pytest.raises(Refused, match=sentence):
        plan(project, name, "blank")


def test_a_blank_workflow_passes_its_own_test(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(sam.ROOT, clone, ignore=NOT_IN_A_COPY, symlinks=True)
    planned = plan(clone, "greet", "blank")
    assert planned.code[Path("handler.py")].decode() == blank_workflow()
    write(clone, planned, green)
    made = [str(planned.place.folder), str(planned.place.test)]
    run(clone, ["pytest", made[1]], ["ruff", "check", *made], ["ruff", "format", "--check", *made])


def copied(source: str) -> str:
    """Section of a copy of a workflow."""
    template = sam.TEMPLATE.read_text()
    ids = carried(template, source, workflows())
    made = with_copy(template, ids, Renaming(source, "end_visit", frozenset(ids.resources)))
    return (
        made.partition("  # --- workflow end_visit ")[2]
        .partition("\n  # --- ")[0]
        .partition("\n")[2]
    )


@pytest.mark.parametrize("source", [each for each in workflows() if each != "record_registration"])
def test_additional_permissions_of_a_copy_are_marked_and_reported(source: str) -> None:
    section, told = copied(source), workflow_rights(sam.TEMPLATE.read_text(), source)
    assert f"      Description: The workflow end_visit, made from {source}.\n" in section
    review = f"# Review: copied from {source}. Delete it unless the code needs this right."
    mark = f"              {review}\n"
    after = [each.partition("\n              - ")[0] for each in section.split(mark)[1:]]
    assert len(after) == len(told) > 0
    for right, statement in zip(told, after, strict=True):
        actions = re.search(r"Action: (\[[^\]]+\]|[^\s,}]+)", statement)
        assert statement.startswith("              - ")
        assert actions
        assert right.partition(" on ")[0] == " ".join(actions[1].strip("[]").split())
    policy = section.partition("            Statement:\n")[2]
    statements = re.findall(r"(?m)^              - (?:.*\n(?!              [-#]))*.*", policy)
    unmarked = [each for each in statements if mark + each not in section]
    assert len(unmarked) == 1
    assert "EndVisitLog" in unmarked[0]
    shared = re.findall(r"(?m)^        - (?!PolicyName)(.*)$", section)
    assert set(shared) <= {"*runs_in_background", "*keeps_answers"}


@pytest.mark.parametrize("source", [each for each in workflows() if each != "record_registration"])
def test_a_copy_may_do_what_its_source_may_and_nothing_else(source: str) -> None:
    """Also where the source has what others share: a copy has it by its name."""
    template = sam.TEMPLATE.read_text()
    ids = carried(template, source, workflows())
    renaming = Renaming(source, "end_visit", frozenset(ids.resources))
    made = with_copy(template, ids, renaming)
    expected = renaming(json.dumps(role_of(template, source)))
    assert role_of(made, "end_visit") == json.loads(expected)
    assert resources_of(made).keys() - resources_of(template).keys() == {
        renaming.renamed[each] for each in ids.resources
    }


def test_variables_of_a_copy_are_marked_once() -> None:
    section = copied("send_email_template")
    assert (
        "          POWERTOOLS_SERVICE_NAME: end_visit\n"
        "          # Review: copied from send_email_template. "
        "Delete those that the code does not read.\n"
        "          EMAIL_FROM: !Ref EmailFrom\n"
    ) in section
    assert section.count("that the code does not read") == 1


def test_a_short_test_is_copied_and_a_long_one_makes_room_for_a_short_one(project: Path) -> None:
    copied, short = plan(project, "end_visit", "verify_delete").tests
    assert "end_visit(event, Context())" in copied.text
    assert "verify_delete" not in copied.text
    assert 'SCOPE = "workflow:end_visit"' in short.text
    assert plan(project, "end_visit", "verify_send").tests[0].text == short.text.replace(
        "verify_delete", "verify_send"
    )


def test_a_binary_file_is_copied_unchanged(project: Path) -> None:
    image = b"\x89PNG\xff verify_delete"
    (project / "functions/workflows/verify_delete/logo.png").write_bytes(image)
    assert plan(project, "end_visit", "verify_delete").code[Path("logo.png")] == image


def test_the_plan_is_written(project: Path) -> None:
    before = contents(project)
    planned = plan(project, "end_visit", "verify_delete")
    write(project, planned, green)
    made = {
        path.relative_to(project).as_posix() for path in contents(project).keys() - before.keys()
    }
    assert made == {
        "functions/workflows/end_visit/__init__.py",
        "functions/workflows/end_visit/handler.py",
        "tests/events/end_visit.json",
        "tests/workflows/test_end_visit.py",
    }
    assert (project / "template.yaml").read_text() == planned.template


@pytest.mark.parametrize(
    "error", [Refused("red"), OSError("No space left on device"), KeyboardInterrupt()]
)
def test_nothing_stays_behind_when_the_check_fails(project: Path, error: BaseException) -> None:
    def fails(project: Path, planned: Plan) -> NewTest:
        green(project, planned)
        (planned.place.folder / "__pycache__").mkdir()
        raise error

    before = contents(project)
    with pytest.raises(type(error)):
        write(project, plan(project, "end_visit", "verify_delete"), fails)
    assert contents(project) == before
    assert not (project / "functions/workflows/end_visit").exists()


@pytest.mark.parametrize("unwritable", [{"event": "\ud800"}, {"template": "\ud800"}])
def test_nothing_stays_behind_when_a_file_cannot_be_written(
    project: Path, unwritable: dict[str, str]
) -> None:
    planned = plan(project, "end_visit", "verify_delete")._replace(**unwritable)  # type: ignore[arg-type] # both are str
    before = contents(project)
    with pytest.raises(UnicodeEncodeError):
        write(project, planned, green)
    assert contents(project) == before
