import re

import pytest

from functions.core.errors import InvalidParameters, NotFound
from functions.core.schedules.names import new_name, prefix_of, read_name


@pytest.mark.parametrize("group", [None, "order-1234", "verify_send", "a" * 35, "-_-"])
def test_a_name_says_its_group_and_workflow(group: str | None) -> None:
    name = new_name("verify_send", group)
    assert read_name(name.schedule_id) == name
    assert (name.group, name.workflow) == (group, "verify_send")
    assert re.fullmatch(r"[0-9a-zA-Z_.-]{1,64}", name.schedule_id)
    assert group is None or name.schedule_id.startswith(prefix_of(group))


def test_no_name_is_used_again() -> None:
    assert len({new_name("verify_send", "g").schedule_id for _ in range(1000)}) == 1000


@pytest.mark.parametrize("group", ["", "a.b", "a b", "ä", "a/b", "a" * 36, "a\n"])
def test_a_group_that_does_not_fit_into_a_name_is_refused(group: str) -> None:
    with pytest.raises(
        InvalidParameters, match="/group: must be 1 to 35 letters, digits, hyphens or underscores"
    ):
        new_name("verify_send", group)


@pytest.mark.parametrize(
    "schedule_id",
    [
        "",
        "x",
        "verify_send",
        "verify_send.short",
        "a.b.c.0123456789abcdef",
        "../x.0123456789abcdef",
        "x.0123456789ABCDEF",
    ],
)
def test_an_id_of_another_form_is_not_found(schedule_id: str) -> None:
    with pytest.raises(NotFound):
        read_name(schedule_id)
