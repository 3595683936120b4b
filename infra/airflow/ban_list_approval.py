"""Airflow's side of a ban list's approval: a required action that ends when the record says so.

The question waits for a person on Airflow's Required Actions page. A trigger looks at the decisions meanwhile, so
that `ringwatch ban-list approve`, run anywhere and even while Airflow was down, ends the wait too. Whichever way it
ends, the one record of `ringwatch.pipelines.ban_list` decides what happens next, and not the button.

It lives here and not beside the DAGs because Airflow's triggerer imports triggers from installed packages only.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput, TaskDeferralTimeout
from airflow.sdk.execution_time.hitl import get_hitl_detail_content_detail, update_hitl_detail_response
from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

_POLL_S = 5.0


class BanListApproval(ApprovalOperator):
    """Asks whether a proposed ban list may go out; skips what follows unless the record approves it.

    Args:
        night: date of the list, ISO 8601 (a template).
        content_sha256: hash of what is proposed (a template): the answer is about this content and no other.
        kwargs: of ApprovalOperator.
    """

    template_fields = (*ApprovalOperator.template_fields, "night", "content_sha256")

    def __init__(self, *, night: str, content_sha256: str, **kwargs: Any) -> None:
        """See the class."""
        super().__init__(**kwargs)
        self.night = night
        self.content_sha256 = content_sha256

    def execute(self, context: Context) -> Any:
        """Ask, unless it is decided already."""
        if _chosen_option(self.night, self.content_sha256) is not None:
            return self.execute_complete(context, _answer(None, None))
        # Asked once for each content: asking anew would drop an answer that came while Airflow took this task for
        # killed, which it does when a task is answered before its worker has reported that it waits.
        asked = f"{context['ti'].id} {self.content_sha256}"
        if context["task_state_store"].get("asked") != asked:
            with suppress(TaskAwaitingInput):  # which waits for the page alone; ours waits for the record too
                super().execute(context)  # puts the question on the page
            context["task_state_store"].set("asked", asked)
        self.defer(
            trigger=DecisionTrigger(self.night, self.content_sha256, str(context["ti"].id)),
            method_name="execute_complete",
            timeout=self.response_timeout,
        )

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """As Airflow does, but a wait that nobody ended in time is no fault that another try mends."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout as error:
            raise AirflowFailException(f"nobody answered within {self.response_timeout}") from error

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Write the answer down if a person gave one here, and go by the record."""
        person = event["responded_by_user"]
        if person is not None:
            self._write_down(event["chosen_options"][0], person["name"])
        chosen = _chosen_option(self.night, self.content_sha256) or self.REJECT
        return super().execute_complete(context, {**event, "chosen_options": [chosen]})

    def _write_down(self, option: str, person: str) -> None:
        from ringwatch.pipelines.ban_list import approve, reject
        from ringwatch.pipelines.common.errors import ApprovalError
        from ringwatch.pipelines.common.settings import read_settings

        about: Any = {"date": date.fromisoformat(self.night), "by": person, "via": "airflow"}
        about["content_sha256"] = self.content_sha256
        try:
            if option == self.APPROVE:
                approve(read_settings(), **about, release=True)  # the question has said what holds it
            else:
                reject(read_settings(), **about)
        except ApprovalError as error:  # decided otherwise before, or outdated: the record holds
            self.log.warning("The answer of %s changes nothing: %s", person, error)


class DecisionTrigger(BaseTrigger):
    """Fires when a proposed list is decided, or is not the one to decide about any more; closes the question."""

    def __init__(self, night: str, content_sha256: str, ti_id: str, poll_s: float = _POLL_S) -> None:
        """Say what to wait for, and the id of the task instance that asks."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.night = night
        self.content_sha256 = content_sha256
        self.ti_id = ti_id
        self.poll_s = poll_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this trigger anew."""
        kwargs = {
            "night": self.night,
            "content_sha256": self.content_sha256,
            "ti_id": self.ti_id,
            "poll_s": self.poll_s,
        }
        return f"{__name__}.DecisionTrigger", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the record and at the question until one of them says something."""
        while True:
            await asyncio.sleep(self.poll_s)
            question = await sync_to_async(get_hitl_detail_content_detail)(ti_id=UUID(self.ti_id))
            if question.response_received:  # before the task had begun to wait: else Airflow itself had gone on
                yield _event(question.chosen_options, question.responded_by_user)
                return
            option = await asyncio.to_thread(_chosen_option, self.night, self.content_sha256)
            if option is not None:
                await sync_to_async(update_hitl_detail_response)(
                    ti_id=UUID(self.ti_id), chosen_options=[option], params_input={}
                )
                yield _event([option], None)
                return


def _chosen_option(night: str, content_sha256: str) -> str | None:
    """The option that the record has chosen; an outdated proposal is as good as rejected. None while it waits."""
    from ringwatch.pipelines.ban_list import Standing, standing
    from ringwatch.pipelines.common.settings import read_settings

    match standing(read_settings(), date.fromisoformat(night), content_sha256):
        case Standing.WAITING:
            return None
        case Standing.APPROVED:
            return str(ApprovalOperator.APPROVE)
        case _:
            return str(ApprovalOperator.REJECT)


def _answer(chosen_options: Sequence[str] | None, person: Any) -> dict[str, Any]:
    """An event in the shape of a person's answer; without a person for a wait that the record ended."""
    return {
        "chosen_options": list(chosen_options or []),
        "params_input": {},
        "responded_at": datetime.now(UTC),
        "responded_by_user": {"id": person.id, "name": person.name} if person else None,
    }


def _event(chosen_options: Sequence[str] | None, person: Any) -> TriggerEvent:
    return TriggerEvent(_answer(chosen_options, person))  # type: ignore[no-untyped-call]
