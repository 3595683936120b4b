"""What accounts hold: devices, cards, templates, numbers. Their own, their group's, many strangers', or somebody's.

A code says whose it is: an account's own (its row, how often it took a new one, the slot), a group's (group, generation
and number in its stock), or a number among those that strangers have alike.
"""

import numpy as np

from ringwatch.pipelines.simulate.population.names import uniform
from ringwatch.pipelines.simulate.population.state import N_SLOTS, State
from ringwatch.pipelines.simulate.population.world import World

STOCKS = ("devices", "cards", "templates", "phones")
_SHARED, _POPULAR = 1 << 60, 2 << 60
_FREE_MAIL = np.cumsum([0.52, 0.14, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02, 0.015, 0.015])
N_FREE_MAIL = _FREE_MAIL.size
_DOMAIN_OF_GROUP, _DOMAIN_OF_ACCOUNT = 1 << 40, 2 << 40
# Accounts to one identifier that strangers have alike: common fingerprints, frameworks' templates, rented numbers.
_ACCOUNTS_TO_POPULAR = {"devices": 1500, "cards": 4000, "templates": 2500, "phones": 150}


def draw_all(world: World, state: State, rows: np.ndarray, rng: np.random.Generator) -> None:
    """Give new accounts, `rows`, everything they hold."""
    accounts = state.accounts
    kind = accounts.kind[rows]
    for stock in STOCKS:
        held = world.of(f"{stock}.held")[kind]
        n = np.where(held < 1, rng.random(rows.size) < held, 1 + rng.poisson(np.maximum(held - 1, 0)))
        for slot in range(N_SLOTS):
            with_slot = rows[np.minimum(n, N_SLOTS) > slot]
            getattr(accounts, stock)[with_slot, slot] = draw(world, state, stock, with_slot, slot, rng)


def draw(
    world: World, state: State, stock: str, rows: np.ndarray, slot: int | np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Codes of an identifier for each account, `[n] int64`."""
    accounts, groups = state.accounts, state.groups
    kind, group = accounts.kind[rows], accounts.group[rows]
    shared, popular, stolen = (world.of(f"{stock}.{knob}")[kind] for knob in ("shared", "popular", "stolen"))
    bought_afresh = rng.random(rows.size) < groups.budget[group]
    u = rng.random(rows.size)
    has_stock = groups.is_group[group] & (groups.stocks[group, STOCKS.index(stock)] > 0)
    from_group = (u < shared) & has_stock & ~bought_afresh
    is_popular = (u >= shared) & (u < shared + popular)
    is_stolen = (u >= shared + popular) & (u < shared + popular + stolen)
    codes = np.where(from_group, group_codes(state, stock, group, rng), own_codes(accounts.renewals[rows], rows, slot))
    codes = np.where(is_popular, _popular_codes(world, stock, rows.size, rng), codes)
    return np.where(is_stolen, _somebodys(world, state, stock, codes, rng), codes)


def own_codes(renewals: np.ndarray, rows: np.ndarray, slot: int | np.ndarray) -> np.ndarray:
    """Codes of what is an account's own."""
    return np.asarray((rows << 20) | (np.minimum(renewals, 2**16) << 3) | slot)


def group_codes(state: State, stock: str, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Codes of something from each group's stock. A campaign's templates are those of all its groups."""
    groups, column = state.groups, STOCKS.index(stock)
    group = groups.templates_of[group] if stock == "templates" else group
    number = (rng.random(group.size) * groups.stocks[group, column]).astype(np.int64)
    return np.asarray(_SHARED | (group << 30) | (groups.generation[group] % 256 << 20) | number)


def _popular_codes(world: World, stock: str, n: int, rng: np.random.Generator) -> np.ndarray:
    n_popular = max(3, world.arguments.n_accounts // _ACCOUNTS_TO_POPULAR[stock])
    # The first ones by far the most: density falls as 1 / rank (Zipf), but for rented numbers, which are alike.
    u = rng.random(n)
    rank = n_popular * u if stock == "phones" else (n_popular + 1.0) ** u - 1
    return np.asarray(_POPULAR | rank.astype(np.int64))


def _somebodys(world: World, state: State, stock: str, otherwise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What random ordinary accounts hold; `otherwise` where they hold nothing yet."""
    ordinary = np.flatnonzero(~world.of("is_fake")[state.accounts.kind])
    victims = rng.choice(ordinary, size=otherwise.size)
    theirs = getattr(state.accounts, stock)[victims, 0]
    return np.where(theirs >= 0, theirs, otherwise)


def renew(world: World, state: State, stock: str, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Some accounts of `rows` replace an identifier by a new one. Returns those rows, and their new codes."""
    accounts = state.accounts
    chance = world.of(f"{stock}.renewed_per_day")[accounts.kind[rows]]
    who = rows[rng.random(rows.size) < chance]
    slot = (rng.random(who.size) * N_SLOTS).astype(np.int64)
    held = getattr(accounts, stock)
    who, slot = who[held[who, slot] >= 0], slot[held[who, slot] >= 0]
    accounts.renewals[who] += 1
    held[who, slot] = draw(world, state, stock, who, slot, rng)
    return who, held[who, slot]


def draw_domains(
    world: World, group: np.ndarray, kind: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Codes of e-mail domains: free mail, the group's, one's own, or -1 for none."""
    weights = world.of("emails")
    choice = rng.random(rows.size)[:, None] > np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)[kind]
    which = choice[:, :-1].sum(axis=1)
    free = np.searchsorted(_FREE_MAIL, uniform(rows, world.key + 2))
    return np.select(
        [which == 0, which == 1, which == 2], [free, _DOMAIN_OF_GROUP | group, _DOMAIN_OF_ACCOUNT | rows], -1
    )
