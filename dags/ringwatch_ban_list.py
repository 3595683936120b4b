"""Decide on the ban list: propose, ask a person, publish; then share indicators with partners.

Follows on each night detected: proposes the list, asks a person, publishes what was approved, and exports what it says
of infrastructure as STIX 2.1 (`EXPORTS/indicators/date=D`).

**To decide**: look at the files that the question names, then answer on the Required Actions page, or run
`ringwatch ban-list approve --date D --by NAME` (or `reject`). Either way makes the one record that decides; it is bound
to the exact content, and the first answer holds. A list that changes nothing for any account goes out without asking,
and so does a small one where the policy allows it (`auto_approve_up_to`).

**By hand**: trigger it with the configuration `{"date": "2026-04-01"}`.

**What may happen**

* The question says **held**: the night has drifted from the one that the model was trained on (the report plots it).
  Find out whether a feed broke, a release moved everybody, or a campaign did. Reject, or approve all the same; by
  command that takes `--release`. `ringwatch train` makes a model of tonight.
* The question says **above the caps**: rules would newly list more accounts than the policy allows. Nothing goes out.
  Find out why it is so many. If it is right, raise the cap in a new version of the policy, and trigger this DAG again.
* `publish` is skipped: the list was rejected, or is outdated because the night was detected anew or a later list is
  out. Nothing is to be done.
* `ask` fails after seven days without an answer. Clear it to ask again.
* `publish` says that the list is not approved any more: the approval was not used within `approval_holds_days`. Trigger
  this DAG again for the night, and decide again.
* `publish` says that another list was published since: trigger this DAG again for the night, and decide again.
* `share_indicators` says that the night was detected anew since: trigger this DAG again for the night. The list that is
  out stays out; only partners wait.
* A file "was changed": somebody touched a proposal or a published list. Find out who before anything else.
"""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from airflow.sdk import Metadata, dag, get_current_context, task

from ringwatch.infra.airflow.ban_list_approval import BanListApproval
from ringwatch.infra.airflow.dag_tools import (
    BAN_LIST,
    DEFAULT_ARGS,
    SCORES,
    nights_of_run,
    only_transient_faults_are_retried,
)
from ringwatch.pipelines.common.settings import read_settings


@dag(
    schedule=[SCORES],
    catchup=False,
    max_active_runs=16,  # a night that waits for a person holds up no other
    default_args=DEFAULT_ARGS,
    dagrun_timeout=timedelta(days=14),
    tags=["ringwatch"],
    doc_md=__doc__,
)
def ringwatch_ban_list() -> None:
    """Propose, ask, publish, share."""

    @task(execution_timeout=timedelta(minutes=30))
    def propose() -> dict[str, Any]:
        """Make the list of the newest night of this run: a list is the whole of what is in force."""
        from datetime import date

        from ringwatch.pipelines.ban_list import approve_by_policy
        from ringwatch.pipelines.ban_list import propose as propose_list

        settings = read_settings()
        night = nights_of_run(get_current_context())[-1]
        with only_transient_faults_are_retried():
            proposal = propose_list(settings, date=date.fromisoformat(night))
            approve_by_policy(settings, proposal)
        return {
            "date": night,
            "content_sha256": proposal.content_sha256,
            "folder": str(proposal.folder),
            "model": proposal.facts["model_version"],
            "report": str(settings.report_file(proposal.date)),
            "held": proposal.held,
            "over_caps": proposal.over_caps,
            **proposal.counts,
        }

    @task(outlets=[BAN_LIST], execution_timeout=timedelta(minutes=30))
    def publish(proposal: dict[str, Any]) -> Generator[Metadata, None, dict[str, Any]]:
        """Publish what was approved, whole or not at all."""
        from datetime import date

        from ringwatch.pipelines.ban_list import publish as publish_list

        with only_transient_faults_are_retried():
            publication = publish_list(read_settings(), date=date.fromisoformat(proposal["date"]))
        yield Metadata(BAN_LIST, extra={"date": proposal["date"]})
        return {"folder": str(publication.folder), "is_new": publication.is_new}

    @task(execution_timeout=timedelta(minutes=30))
    def share_indicators(proposal: dict[str, Any]) -> dict[str, Any]:
        """Export for partners what the list that is out says of infrastructure."""
        from datetime import date

        from ringwatch.pipelines.indicators.outbound.export import export_indicators

        with only_transient_faults_are_retried():
            exported = export_indicators(read_settings(), date=date.fromisoformat(proposal["date"]))
        return {"folder": str(exported.folder), **exported.files}

    proposal = propose()
    ask = BanListApproval(
        task_id="ask",
        night="{{ ti.xcom_pull('propose')['date'] }}",
        content_sha256="{{ ti.xcom_pull('propose')['content_sha256'] }}",
        subject="May the ban list of {{ ti.xcom_pull('propose')['date'] }} go out?",
        body=_QUESTION,
        response_timeout=timedelta(days=7),
        execution_timeout=None,  # the wait is bounded by response_timeout
        retry_delay=timedelta(seconds=5),
    )
    proposal >> ask >> publish(proposal) >> share_indicators(proposal)  # type: ignore[arg-type]  # stands for the value until the task runs


_QUESTION = """
{% set proposal = ti.xcom_pull('propose') %}
{% for reason in proposal.over_caps %}
**Above the caps**: {{ reason }}. It cannot go out, whatever you answer.

{% endfor %}
{% for reason in proposal.held %}
**Held**: {{ reason }}. Look at the report before you let it out.

{% endfor %}
| | ban | restrict | lift |
|---|---|---|---|
| changes | {{ proposal.delta.ban }} | {{ proposal.delta.restrict }} | {{ proposal.delta.lift }} |
| in force afterwards | {{ proposal.ban_list.ban }} | {{ proposal.ban_list.restrict }} | |

{% if proposal.waiting.values() | sum %}By the policy's pace {{ proposal.waiting.values() | sum }} more wait for a later
night.{% endif %}

Model {{ proposal.model }}. The files, as they would go out: `{{ proposal.folder }}`
(content {{ proposal.content_sha256[:12] }}). The night's report: `{{ proposal.report }}`.
`ringwatch explain --account ID` explains any account.
"""


ringwatch_ban_list()
