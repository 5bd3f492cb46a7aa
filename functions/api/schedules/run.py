"""POST /schedules/<id>/run: starts a run of a schedule now, beside its rhythm."""

from functions.api.schedules.read import find
from functions.api.schedules.request import ScheduleRequest
from functions.core import clock, http
from functions.core.clock import utc
from functions.core.parameters import NoParameters, read_parameters
from functions.core.runs.execution import new_run_id
from functions.core.schedules.fire import note_run, start_run


def run_schedule(request: ScheduleRequest) -> http.Response:
    """Starts a run now, with the schedule's parameters.

    The schedule's own times stay as they are. The run starts in any case: while the schedule is
    paused, and while another of its runs is under way.

    Raises:
        InvalidParameters, NotFound
    """
    read_parameters(NoParameters, http.read_body(request.event))
    definition, _ = find(request.schedule_name())
    seed = http.run_seed(request.event, request.caller.token_id)
    run_id = new_run_id(definition.workflow, seed)
    run = start_run(definition, run_id, token_id=request.caller.token_id)
    note_run(definition, run_id, utc(clock.now()))
    return http.accepted(run, request.request_id)
