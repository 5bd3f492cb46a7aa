"""Loads: how much of each quota one verification, background call or item takes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from functions.core.clock import DAY_SECONDS
from functions.core.messages.mailing import MailingSettings
from functions.core.rate_limits.counters import shard_count
from functions.core.verification.limits.sending import SendLimitSettings
from functions.core.verification.settings import VerificationSettings
from infra import sam
from infra.plan import demand, memory, quotas
from infra.plan.bench_page import Measured
from infra.plan.demand import writes
from infra.plan.quotas import Quota

_S3, _GET, _WRITE = 0.020, memory.GET, memory.WRITE
ITEM_WAITS = (_GET, _WRITE, _S3, _GET, memory.TRANSACTION, memory.EMAIL, _WRITE, _WRITE)
"""Assumed waits of an item that sends an email."""
_DELETE_WAITS = (_GET, _GET, memory.TRANSACTION)


class Use(NamedTuple):
    """Share of a quota that one thing a second takes."""

    quota: Quota
    amount: float
    """Of the quota's unit, at one thing a second."""
    only: str = ""
    """Choice without which nothing of it is taken, or a condition."""

    @property
    def reached_at(self) -> float:
        """Things a second at which the quota is reached."""
        return self.quota.value / self.amount

    def taken(self, a_second: float) -> float:
        """What so many things a second take of the quota."""
        return self.amount * a_second


def template_megabytes(resource: str) -> int:
    """Memory of a function, as template.yaml has it."""
    template = sam.read_template()
    own = template["Resources"][resource]["Properties"].get("MemorySize")
    return int(own or template["Globals"]["Function"]["MemorySize"])


def verification(measured: Mapping[str, Measured]) -> list[Use]:
    """A verification by email: two requests now, and a deletion after 15 minutes."""
    seconds = sum(_seconds(each, measured) for each in memory.FUNCTIONS if each.job != "authorize")
    deletion = measured["verify_check"].warm_cpu_seconds / memory.share(memory.USUAL_MEGABYTES)
    seconds += deletion + sum(_DELETE_WAITS)
    kept = _default(VerificationSettings, "delete_after_seconds")
    return [
        *_own_limits(),
        Use(quotas.API, 2),
        Use(quotas.CONCURRENCY, seconds),
        *_jump(measured),
        Use(quotas.SES_RATE, 1),
        Use(quotas.SES_DAY, DAY_SECONDS),
        Use(quotas.CREATE_SCHEDULE, 1),
        Use(quotas.SCHEDULE_INVOCATIONS, 1),
        Use(quotas.SCHEDULES, kept),
        *_tables(demand.VERIFICATION),
        Use(quotas.SMS, 1, only="SMS instead of emails"),
        Use(quotas.KMS_ECC, 1, only="`Proofs`"),
        Use(quotas.START_EXECUTION, demand.EVENTS_OF_A_VERIFICATION, only="`EventsUrl`"),
        Use(
            quotas.TRANSITIONS,
            demand.EVENTS_OF_A_VERIFICATION * demand.TRANSITIONS_OF_A_CALL,
            only="`EventsUrl`",
        ),
    ]


def background_call(measured: Mapping[str, Measured]) -> list[Use]:
    """A run of one item, which sends an email: from a call, a webhook, an event or a schedule."""
    return [
        Use(quotas.START_EXECUTION, 1),
        Use(quotas.TRANSITIONS, demand.TRANSITIONS_OF_A_CALL),
        # The function that starts it takes about as long again.
        Use(quotas.CONCURRENCY, 2 * item_seconds(measured)),
        *_tables((*demand.RECORD_OF_A_RUN, *demand.EMAIL_ITEM)),
        Use(
            _partition("index `listed`, runs of one workflow that run", "never"),
            demand.RUNNING_SHELF_WRITES,
        ),
        Use(quotas.SES_RATE, 1),
        _own_ceiling_of_lists(),
    ]


def item(measured: Mapping[str, Measured]) -> list[Use]:
    """An item of one list, which sends an email."""
    return [
        Use(
            _partition("outcomes of one run", "never; several runs"),
            writes(demand.EMAIL_ITEM, "Outcomes"),
        ),
        Use(quotas.CONCURRENCY, item_seconds(measured)),
        Use(quotas.CHILDREN, item_seconds(measured)),
        Use(quotas.TRANSITIONS, demand.TRANSITIONS_OF_AN_ITEM),
        Use(quotas.S3_READS, 1),
        *_tables(demand.EMAIL_ITEM),
        Use(quotas.SES_RATE, 1),
        Use(quotas.SES_DAY, DAY_SECONDS),
        _own_ceiling_of_lists(),
    ]


def item_seconds(measured: Mapping[str, Measured]) -> float:
    """Time of an item that sends an email."""
    cpu = measured["run_item"].warm_cpu_seconds
    return cpu / memory.share(memory.USUAL_MEGABYTES) + sum(ITEM_WAITS)


def by_load(uses: Iterable[Use]) -> list[Use]:
    """The same, the first that is reached first."""
    return sorted(uses, key=lambda use: use.reached_at)


def counter_conflicts(a_second: float) -> float:
    """Share of sends that meet another transaction on the counter of all emails.

    The counter has shards by its limit, which is as high as the load needs it.
    """
    return a_second / shard_count(int(a_second * DAY_SECONDS)) * memory.TRANSACTION


def _default(settings: type[msgspec.Struct], name: str) -> float:
    (field,) = (each for each in msgspec.structs.fields(settings) if each.name == name)
    return float(field.default)


def _jump(measured: Mapping[str, Measured]) -> Iterator[Use]:
    """A load that comes within a second: each send and each check starts a process."""
    send, check = (measured[each] for each in ("verify_send", "verify_check"))
    when = "a load that comes at once"
    (function,) = (each for each in memory.FUNCTIONS if each.job == "verify_send")
    megabytes = template_megabytes(function.resource)
    yield Use(quotas.CONCURRENCY, memory.row(function, send, megabytes).cold_seconds, when)
    secrets = send.first_requests - send.next_requests + check.first_requests - check.next_requests
    yield Use(quotas.SECRETS, secrets, when)


def _seconds(function: memory.Function, measured: Mapping[str, Measured]) -> float:
    megabytes = template_megabytes(function.resource)
    return memory.row(function, measured[function.job], megabytes).warm_seconds


def _own_limits() -> Iterator[Use]:
    rate = sam.read_template()["Parameters"]["ThrottleRate"]["Default"]
    yield Use(_own("ThrottleRate", rate, "a second"), 2)
    yield Use(_own("emails_per_day", SendLimitSettings().emails_per_day, "a day"), DAY_SECONDS)


def _own_ceiling_of_lists() -> Use:
    ceiling = MailingSettings().template_emails_per_day
    return Use(_own("template_emails_per_day", ceiling, "a day"), DAY_SECONDS)


def _own(name: str, value: float, unit: quotas.Unit) -> Quota:
    page = "../reference/settings.md"
    return Quota("this project", f"`{name}`", value, unit, page, raised=f"`{name}`")


def _tables(units: Iterable[demand.Units]) -> Iterator[Use]:
    for each in units:
        for quota in (quotas.NEW_TABLE, quotas.TABLE_WRITES):
            yield Use(quota._replace(name=f"{quota.name} ({each.table})"), each.writes)


def _partition(key: str, raised: str) -> Quota:
    name = f"write units of a partition ({key})"
    return quotas.PARTITION_WRITES._replace(name=name, raised=raised)
