"""Groups of accounts: families, offices and campaigns' cells alike, with their networks, stocks and habits."""

import numpy as np

from ringwatch.pipelines.simulate.knobs.declaration import ALONE
from ringwatch.pipelines.simulate.population.draws import choose, cumulated, log_even
from ringwatch.pipelines.simulate.population.holdings import STOCKS
from ringwatch.pipelines.simulate.population.names import uniform
from ringwatch.pipelines.simulate.population.networks import allocate
from ringwatch.pipelines.simulate.population.state import DAY_US, NEVER, Groups, State
from ringwatch.pipelines.simulate.population.world import COUNTRIES, World

_SMALLEST_GROUP = 2
_MAX_MEMBERS = 2**20  # so that a stock's numbers fit their field


def crowd_groups(world: World) -> Groups:
    """For each kind, the row of its accounts without a group: as its numbers say, neither more nor less."""
    n = len(world.kinds)
    ones = np.ones(n, dtype=np.int64)
    return Groups(
        kind=np.arange(n), is_group=np.zeros(n, dtype=bool), number=0 * ones, campaign=0 * ones, country=0 * ones,
        size=ones, leader=np.arange(n), templates_of=np.arange(n), network=-ones, network_type=0 * ones,
        n_addresses=0 * ones, n_subnets=0 * ones, generation=0 * ones,
        pivots=np.full(n, NEVER), pivot_days=np.zeros(n), budget=np.zeros(n), hours=np.ones(n),
        sources=cumulated(world.of("place.sources")), tasks=cumulated(world.of("work.tasks")),
        stocks=np.ones((n, len(STOCKS)), dtype=np.int64),
    )  # fmt: skip


def make_groups(world: World, state: State, n_accounts: int, rng: np.random.Generator) -> Groups:
    """Groups for so many accounts, of every kind as many as its share asks for; networks come later."""
    sizes = [_sizes(world, kind, n_accounts, rng) for kind in range(len(world.kinds))]
    kind = np.repeat(np.arange(len(sizes)), [s.size for s in sizes])
    n = kind.size
    within = np.concatenate([np.arange(s.size) for s in sizes]) if n else np.empty(0, dtype=np.int64)
    before = np.bincount(state.groups.kind[state.groups.is_group], minlength=len(world.kinds))
    number = 1 + within + before[kind]
    variety = world.of("variety")[kind]
    size = np.concatenate(sizes) if n else np.empty(0, dtype=np.int64)
    return Groups(
        kind=kind,
        is_group=np.ones(n, dtype=bool),
        number=number,
        campaign=_campaigns(world, state, kind, number),
        country=rng.choice(len(COUNTRIES), size=n, p=[share for _, share, _ in COUNTRIES]),
        size=size,
        leader=np.full(n, -1),
        templates_of=np.full(n, -1),
        network=np.full(n, -1),
        network_type=choose(cumulated(world.of("place.networks")[kind]), rng) if n else kind,
        n_addresses=np.maximum(1, np.ceil(size / _per_group(world, "place.accounts_per_address", kind, rng))).astype(
            int
        ),
        n_subnets=np.maximum(1, np.rint(_per_group(world, "place.n_subnets", kind, rng))).astype(int),
        generation=np.zeros(n, dtype=np.int64),
        pivots=np.full(n, NEVER),
        pivot_days=_per_group(world, "pivot_days", kind, rng),
        budget=_budgets(world, kind, within, np.array([s.size for s in sizes])),
        hours=np.exp(rng.normal(0, 0.5 * variety)),
        sources=cumulated(world.of("place.sources")[kind] * np.exp(rng.normal(0, variety[:, None], (n, 6)))),
        tasks=cumulated(world.of("work.tasks")[kind] * np.exp(rng.normal(0, variety[:, None], (n, 7)))),
        stocks=_stocks(world, kind, size, rng) * _has_stock(world, kind, number),
    )


def _stocks(world: World, kind: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Identifiers in each group's stocks, `[g, 4] int64`."""
    counts = [np.maximum(1, np.rint(size / _per_group(world, f"{s}.accounts_each", kind, rng))) for s in STOCKS]
    return np.stack(counts, axis=1).astype(np.int64)


def _has_stock(world: World, kind: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Whether a group has something of each sort in common at all, `[g, 4] bool`."""
    codes = (kind << 32 | number)[:, None] * len(STOCKS) + np.arange(len(STOCKS))
    of_groups = np.stack([world.of(f"{stock}.of_groups")[kind] for stock in STOCKS], axis=1)
    return np.asarray(uniform(codes.ravel(), world.key + 16).reshape(codes.shape) < of_groups)


def _campaigns(world: World, state: State, kind: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Campaign of each group: dealt among as many as are declared, else one each; 0 for ordinary people."""
    among = world.of("n_campaigns")[kind]
    had = state.groups.campaign.max(initial=0) if len(state.groups) > len(world.kinds) else 0
    later = had if state.planned_until > world.midnight(0) else 0  # groups planned later make campaigns of their own
    dealt = np.where(among > 0, later + (number - 1) % np.maximum(among, 1) + 1, number)
    return np.where(world.of("is_fake")[kind], dealt, 0)


def _budgets(world: World, kind: np.ndarray, within: np.ndarray, n_of_kind: np.ndarray) -> np.ndarray:
    if not world.scenario.is_budget_swept:
        return np.zeros(kind.size)
    swept = within / np.maximum(n_of_kind[kind] - 1, 1)
    return np.where(world.of("is_fake")[kind], swept, 0.0)


def settle_networks(world: World, state: State, first: int, rng: np.random.Generator) -> None:
    """Give each new group its network, or that of a group it follows."""
    groups = state.groups
    new = np.arange(first, len(groups))
    groups.leader[new] = new
    for kind, declared in enumerate(world.kinds):
        followers = new[groups.kind[new] == kind]
        if declared.follows in {k.name for k in world.kinds} and followers.size:
            leaders = np.flatnonzero(groups.is_group & (groups.kind == world.kind_number(str(declared.follows))))
            if leaders.size:
                groups.leader[followers] = rng.choice(leaders, size=followers.size)
    open_networks(world, state, new)
    has_pivots = groups.pivot_days[new] > 0
    groups.pivots[new] = np.where(
        has_pivots, world.midnight(0) + (rng.random(new.size) * groups.pivot_days[new] * DAY_US).astype(int), NEVER
    )


def settle_templates(world: World, state: State, first: int) -> None:
    """Let the groups of a campaign draw on one stock of templates, as large as its accounts ask for."""
    groups, column = state.groups, STOCKS.index("templates")
    new = np.arange(first, len(groups))
    groups.templates_of[new] = new
    keys = np.stack([groups.kind[new], groups.campaign[new]], axis=1)[groups.campaign[new] > 0]
    members = new[groups.campaign[new] > 0]
    for kind, campaign in np.unique(keys, axis=0):
        same = members[(keys == (kind, campaign)).all(axis=1)]
        groups.templates_of[same] = same[0]
        groups.stocks[same[0], column] = groups.stocks[same, column].sum()


def open_networks(world: World, state: State, rows: np.ndarray) -> None:
    """Give groups a network of their own, or another one than they had."""
    groups = state.groups
    networks = allocate(
        state.networks, groups.network_type[rows], groups.n_subnets[rows] * 256, groups.country[rows], world
    )
    groups.network[rows] = len(state.networks) + np.arange(rows.size)
    state.networks.append(networks)


def shares_of_kinds(world: World) -> np.ndarray:
    """Share of each kind in all accounts, `[n_kinds]`."""
    shares = world.of("share")
    return np.asarray(shares / shares.sum())


def _sizes(world: World, kind: int, n_accounts: int, rng: np.random.Generator) -> np.ndarray:
    """Sizes of a kind's groups, `[n_groups] int64`: as many as its share of the accounts asks for."""
    declared = world.kinds[kind]
    low, high = declared.group_size
    if declared.group_size == ALONE:
        return np.empty(0, dtype=np.int64)
    if declared.groups_scale:
        low, high = low * n_accounts, high * n_accounts
    wanted = shares_of_kinds(world)[kind] * n_accounts
    drawn: list[int] = []
    while sum(drawn) < wanted:
        size = float(log_even(np.array([[low, high]]), rng)[0])
        drawn.append(max(_SMALLEST_GROUP, min(round(size), _MAX_MEMBERS)))
    # The last one overshoots. A large campaign is cut to its share; of smaller groups it is there as often as the share
    # asks on average.
    rest = wanted - sum(drawn[:-1])
    if declared.n_campaigns and drawn:
        drawn[-1] = round(rest)
    elif drawn and rng.random() > rest / drawn[-1]:
        drawn.pop()
    return np.array([size for size in drawn if size >= _SMALLEST_GROUP], dtype=np.int64)


def _per_group(world: World, knob: str, kind: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return log_even(world.of(knob)[kind], rng)
