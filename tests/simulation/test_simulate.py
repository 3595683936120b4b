"""Simulated worlds: contract-valid, true to their truth, the same each time, and without a leak."""

import json
from collections.abc import Collection
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.simulated import bytes_of, connect, traits

from ringwatch.graph_schema.signals import SIGNALS
from ringwatch.pipelines.common.errors import RingwatchError
from ringwatch.pipelines.common.settings import Settings
from ringwatch.pipelines.ingest.landing import delivery, partition_dates
from ringwatch.pipelines.nightly.load import check_deliveries
from ringwatch.pipelines.simulate import SCENARIOS, Arguments, simulate
from ringwatch.pipelines.simulate.knobs.scenarios import Logging
from ringwatch.pipelines.simulate.population.world import World

a_world = st.builds(
    Arguments,
    n_accounts=st.integers(60, 600),
    n_nights=st.integers(1, 4),
    history_days=st.integers(1, 12),
    seed=st.integers(0, 2**31),
    scenario=st.sampled_from(sorted(SCENARIOS)),
    vary=st.sampled_from((0.0, 0.5, 1.0)),
)
few = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20,000 accounts on `disclosure`."""
    folder = tmp_path_factory.mktemp("large") / "world"
    simulate(Arguments(20_000, 4, 30, 7, "disclosure"), folder)
    return folder


def query(world: Path, sql: str) -> list[tuple]:
    return connect(world).sql(sql).fetchall()


# The data contract ----------------------------------------------------------------------------------


@few
@given(arguments=a_world)
def test_every_row_of_every_world_passes_the_checks(arguments: Arguments, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("world")
    result = simulate(arguments, folder)
    home = Settings(_env_file=None, home=folder / "home")
    for signal in SIGNALS:
        days = partition_dates(folder / "landing", signal)
        found = [
            each for day in days if (each := delivery(folder / "landing", signal, day, require_success_file=False))
        ]
        checked = check_deliveries(home, found) if found else {}
        assert sum(each.quarantined.num_rows for each in checked.values()) == 0
        assert sum(each.accepted.num_rows for each in checked.values()) == result.rows[signal.name]
        for each in checked.values():
            assert set(each.accepted["nulled"].to_pylist()) <= {None, "{}"}


@few
@given(arguments=a_world)
def test_keys_are_unique_but_for_accounts_that_changed(arguments: Arguments, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("world")
    simulate(arguments, folder)
    connection = connect(folder)
    for signal in SIGNALS:
        key = ", ".join("first_seen_at::DATE" if column == "day" else column for column in signal.key)
        by_partition = ", date" if signal.name == "accounts" else ""
        repeated = f"SELECT {key} FROM {signal.name} GROUP BY {key}{by_partition} HAVING count(*) > 1"
        assert connection.sql(repeated).fetchall() == []


# The truth ------------------------------------------------------------------------------------------


@few
@given(arguments=a_world)
def test_truth_is_that_of_the_files(arguments: Arguments, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("world")
    result = simulate(arguments, folder)
    assert query(folder, "SELECT count(*), count(DISTINCT account_id) FROM truth") == [(result.accounts,) * 2]
    framing = query(folder, "SELECT account_id FROM truth WHERE starts_with(campaign, 'framing: ')")
    assert not framing or arguments.scenario == "framing"
    assert result.accounts == arguments.n_accounts + len(framing)
    nobody = "SELECT account_id FROM accounts EXCEPT SELECT account_id FROM truth"
    assert query(folder, nobody) == []
    seen = "SELECT account_id, first_seen_at FROM ip_events"
    first = f"SELECT account_id, min(first_seen_at) AS first FROM ({seen}) GROUP BY account_id"
    # A bought account's files begin with its former owner; nobody else's begin before the truth says.
    early = f"SELECT DISTINCT kind FROM truth JOIN ({first}) USING (account_id) WHERE first_active_at <> first"
    world = World(arguments)
    may_be_bought = {kind.name for kind in world.kinds if kind.joining.bought}
    if world.scenario.logging.addresses == 1.0:  # where some are not logged, files may begin later
        assert {kind for (kind,) in query(folder, early)} <= may_be_bought
    before_birth = "SELECT * FROM truth JOIN accounts USING (account_id) WHERE first_active_at < created_at"
    assert query(folder, before_birth) == []


@few
@given(arguments=a_world)
def test_campaigns_hold_fakes_only_and_every_fake_has_one(
    arguments: Arguments, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("world")
    simulate(arguments, folder)
    assert query(folder, "SELECT * FROM truth WHERE is_fake <> (campaign IS NOT NULL)") == []
    mixed = 'FROM truth WHERE "group" IS NOT NULL GROUP BY "group" HAVING count(DISTINCT coalesce(campaign, kind)) > 1'
    assert query(folder, f'SELECT "group" {mixed}') == []
    campaigns = json.loads((folder / "world.json").read_text())["campaigns"]
    counted = "SELECT campaign, count(*) FROM truth WHERE is_fake AND kind <> 'framer' GROUP BY 1"
    assert dict(query(folder, counted)) == {name: about["n_accounts"] for name, about in campaigns.items()}


@few
@given(arguments=a_world)
def test_no_label_comes_before_its_account(arguments: Arguments, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("world")
    simulate(arguments, folder)
    early = (
        "SELECT * FROM labels JOIN (SELECT account_id, min(date) AS known, min(created_at) AS born FROM accounts"
        " GROUP BY account_id) USING (account_id) WHERE date < known OR labelled_at < born OR labelled_at::DATE > date"
    )
    assert query(folder, early) == []
    assert query(folder, "SELECT * FROM labels WHERE account_id NOT IN (SELECT account_id FROM truth)") == []


@few
@given(arguments=a_world)
def test_the_same_arguments_give_the_same_bytes(arguments: Arguments, tmp_path_factory: pytest.TempPathFactory):
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    simulate(arguments, one)
    simulate(arguments, other)
    assert bytes_of(one) == bytes_of(other)


def test_another_seed_gives_another_world(tmp_path: Path):
    for seed in (1, 2):
        simulate(Arguments(200, 1, 5, seed, "disclosure"), tmp_path / str(seed))
    ids = {seed: set(query(tmp_path / str(seed), "SELECT account_id FROM truth")) for seed in (1, 2)}
    assert not ids[1] & ids[2]


# What makes it hard ---------------------------------------------------------------------------------


def test_no_single_column_or_trait_of_writing_gives_fakes_away(large: Path):
    strongest, *_ = traits(large)
    assert strongest.auroc <= 0.75, strongest


@pytest.mark.parametrize(
    ("column", "leak"),
    [
        ("account_id", "regexp_replace(account_id, '^a_.', CASE WHEN is_fake THEN 'a_0' ELSE 'a_f' END)"),
        ("country", "CASE WHEN is_fake THEN NULL ELSE country END"),
        ("created_at", "CASE WHEN is_fake THEN date_trunc('minute', created_at) ELSE created_at END"),
    ],
)
def test_the_search_for_leaks_finds_one_that_is_planted(large: Path, tmp_path: Path, column: str, leak: str):
    leaky = tmp_path / "world"
    (leaky / "landing" / "accounts" / "date=2026-03-01").mkdir(parents=True)
    connection = connect(large)
    changed = f"SELECT a.* REPLACE ({leak} AS {column}) FROM accounts a JOIN truth t USING (account_id)"
    target = leaky / "landing" / "accounts" / "date=2026-03-01" / "part-0.parquet"
    connection.execute(f"COPY (SELECT * EXCLUDE (date, file_row_number) FROM ({changed})) TO '{target}'")
    renamed = leak if column == "account_id" else "account_id"
    truth = f"SELECT t.* REPLACE ({renamed} AS account_id) FROM truth t"
    connection.execute(f"COPY ({truth}) TO '{leaky / 'truth.parquet'}'")
    strongest, *_ = traits(leaky)
    assert strongest.auroc > 0.75
    assert column in strongest.name


def test_ordinary_people_share_as_campaigns_do(large: Path):
    """Hubs are there: an address, a template, a device and a card that many ordinary accounts share."""
    for signal, column, at_least in (
        ("ip_events", "ip", 150),
        ("usage_events", "template_id", 300),
        ("device_events", "device_id", 60),
        ("payments", "instrument_id", 15),
    ):
        biggest = (
            f"SELECT count(DISTINCT account_id) FROM {signal} JOIN truth USING (account_id)"
            f" WHERE NOT is_fake AND {column} IS NOT NULL GROUP BY {column} ORDER BY 1 DESC LIMIT 1"
        )
        assert query(large, biggest)[0][0] >= at_least, (signal, column)


def test_labels_are_few_late_sometimes_wrong_and_biased_but_for_the_audit(large: Path):
    connection = connect(large)
    known = "SELECT account_id, label, source, is_fake FROM labels JOIN truth USING (account_id)"
    [(n_labels, n_wrong, n_accounts)] = connection.sql(
        f"SELECT count(*), count(*) FILTER ((label = 'fake') <> is_fake), {20_000} FROM ({known})"
    ).fetchall()
    assert n_labels < 0.03 * n_accounts
    assert 0 < n_wrong < 0.2 * n_labels
    shares = dict(connection.sql(f"SELECT source, avg(is_fake::INT) FROM ({known}) GROUP BY source").fetchall())
    [(prevalence,)] = connection.sql("SELECT avg(is_fake::INT) FROM truth").fetchall()
    assert shares["manual_review"] > 4 * prevalence
    assert shares["audit_sample"] < 4 * prevalence


def test_campaigns_are_as_large_against_each_other_as_was_disclosed(large: Path):
    asked = (
        "SELECT kind, sum(n_requests) AS n FROM usage_events JOIN truth USING (account_id) WHERE is_fake GROUP BY kind"
    )
    n_requests = dict(query(large, asked))
    assert n_requests["bulk_pivoting"] > n_requests["multi_route"] > n_requests["graders"]


# Scenarios ------------------------------------------------------------------------------------------


def test_quiet_has_no_fakes(tmp_path: Path):
    assert simulate(Arguments(500, 1, 5, 0, "quiet"), tmp_path / "world").fakes == 0


def test_novel_campaigns_never_get_a_label(tmp_path: Path):
    world = tmp_path / "world"
    simulate(Arguments(8000, 4, 20, 0, "novel"), world)
    labelled = {kind for (kind,) in query(world, "SELECT DISTINCT kind FROM labels JOIN truth USING (account_id)")}
    assert labelled & {"graders", "hydra"}
    assert not labelled & SCENARIOS["novel"].unlabelled
    assert SCENARIOS["novel"].unlabelled <= {kind for (kind,) in query(world, "SELECT DISTINCT kind FROM truth")}


def test_a_launch_and_a_new_country_shift_ordinary_behaviour(tmp_path: Path):
    world = tmp_path / "world"
    simulate(Arguments(8000, 6, 20, 0, "drift"), world)
    days = dict(query(world, "SELECT date, count(DISTINCT account_id) FROM usage_events GROUP BY date ORDER BY date"))
    tuesday_before, tuesday_after = (days[day] for day in sorted(days) if str(day) in ("2026-02-24", "2026-03-03"))
    assert tuesday_after > 1.5 * tuesday_before
    joined = dict(query(world, "SELECT date, count(*) FILTER (country = 'TR') FROM accounts GROUP BY date"))
    assert {str(day) for day, n in joined.items() if n} == {"2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07"}


def test_who_spends_more_on_evasion_shares_less(tmp_path: Path):
    world = tmp_path / "world"
    simulate(Arguments(30_000, 2, 20, 0, "evasion"), world)
    campaigns = json.loads((world / "world.json").read_text())["campaigns"]
    budgets = {about["budget"] for about in campaigns.values()}
    assert {0.0, 1.0} <= budgets
    shared = (
        "SELECT campaign, avg((n > 1)::INT) FROM (SELECT DISTINCT account_id, device_id FROM device_events)"
        " JOIN truth USING (account_id) JOIN (SELECT device_id, count(DISTINCT account_id) AS n FROM device_events"
        " GROUP BY device_id) USING (device_id) WHERE campaign IS NOT NULL GROUP BY campaign"
    )
    share = dict(query(world, shared))
    thrifty = [share[name] for name, about in campaigns.items() if about["budget"] < 0.2 and name in share]
    lavish = [share[name] for name, about in campaigns.items() if about["budget"] > 0.8 and name in share]
    assert sum(thrifty) / len(thrifty) > 1.5 * sum(lavish) / len(lavish)


def test_random_structures_differ_between_seeds_and_have_fakes(tmp_path: Path):
    drawn = set()
    for seed in range(4):
        world = tmp_path / str(seed)
        assert simulate(Arguments(3000, 1, 10, seed, "random-structure"), world).fakes >= 10
        found = query(world, "SELECT kind, is_fake FROM truth GROUP BY ALL")
        assert len([kind for kind, is_fake in found if is_fake]) >= 2
        drawn.add(frozenset(found))
    assert len(drawn) == 4


def test_several_accounts_of_a_person_share_what_strangers_do_not(tmp_path: Path):
    world = tmp_path / "world"
    knobs = {"one_person.share": 0.2, "one_person.same_email": 1.0}
    simulate(Arguments(2000, 1, 15, _seed_with(absent=frozenset()), "random-structure", 0.0, knobs), world)
    n_people = "SELECT count(DISTINCT \"group\"), count(*) FROM truth WHERE kind = 'one_person'"
    [(n_groups, n_accounts)] = query(world, n_people)
    assert 2 <= n_accounts / n_groups <= 6
    shared = (
        "SELECT avg((n > 1)::INT) FROM (SELECT email_hash, kind, count(*) OVER (PARTITION BY email_hash) AS n"
        " FROM accounts JOIN truth USING (account_id) WHERE email_hash IS NOT NULL) WHERE kind {} 'one_person'"
    )
    assert query(world, shared.format("="))[0][0] > 0.9
    days = (
        'SELECT median(days) FROM (SELECT "group", epoch(max(created_at) - min(created_at)) / 86400 AS days'
        " FROM accounts JOIN truth USING (account_id) WHERE kind = 'one_person' GROUP BY 1)"
    )
    assert query(world, days)[0][0] > 5


def test_what_a_platform_does_not_record_is_not_delivered(tmp_path: Path):
    for absent in ("payments", "contacts"):
        world = tmp_path / absent
        simulate(Arguments(500, 1, 5, _seed_with(absent={absent}), "random-structure"), world)
        assert query(world, "SELECT * FROM payments") == [] or absent != "payments"
        n_contacts = query(world, "SELECT count(email_hash) + count(phone_hash) FROM accounts")[0][0]
        assert (n_contacts == 0) == (absent == "contacts")


def test_on_a_gateway_day_many_accounts_have_one_address(tmp_path: Path):
    seed = next(
        seed for seed in range(200) if _logging(seed).gateway_days > 0.3 and _logging(seed).gateway_sessions > 0.5
    )
    simulate(Arguments(500, 1, 10, seed, "random-structure"), tmp_path / "world")
    most = "SELECT max(n) FROM (SELECT count(DISTINCT account_id) AS n FROM ip_events GROUP BY date, ip)"
    everybody = "SELECT max(n) FROM (SELECT count(DISTINCT account_id) AS n FROM ip_events GROUP BY date)"
    assert query(tmp_path / "world", most)[0][0] > 0.4 * query(tmp_path / "world", everybody)[0][0]


def _seed_with(absent: Collection[str]) -> int:
    """The first seed whose platform lacks just these."""
    return next(seed for seed in range(1000) if _logging(seed).absent == frozenset(absent))


def _logging(seed: int) -> Logging:
    return World(Arguments(500, 1, 5, seed, "random-structure")).scenario.logging


# Errors ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scenario": "sunny"}, "no scenario sunny: give one of disclosure"),
        ({"n_accounts": 3}, "at least 50"),
        ({"knobs": {"graders.cards.sharing": 0.2}}, "after Stock comes one of held, shared"),
        ({"knobs": {"graders.cards.shared": "many"}}, "takes a number"),
        ({"knobs": {"graders.place.sources": [1, 2]}}, "a list of 6 numbers"),
        ({"knobs": {"gradrs.share": 1}}, "it begins with one of"),
    ],
)
def test_arguments_of_which_no_world_can_be_made_are_refused_with_what_to_do(tmp_path: Path, changed: dict, said: str):
    arguments = Arguments(**({"n_accounts": 100, "n_nights": 1, "history_days": 2, "seed": 0,
                              "scenario": "disclosure"} | changed))  # fmt: skip
    with pytest.raises(RingwatchError, match=said):
        simulate(arguments, tmp_path / "world")


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RingwatchError, match="is not empty and holds no world"):
        simulate(Arguments(100, 1, 2, 0, "disclosure"), tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_duckdb_reads_what_was_written_as_declared(large: Path):
    for signal in SIGNALS:
        names = [field.name for field in signal.fields]
        found = duckdb.sql(f"SELECT * FROM '{large}/landing/{signal.name}/*/*.parquet' LIMIT 1").columns
        assert [name for name in found if name != "date"] == names
