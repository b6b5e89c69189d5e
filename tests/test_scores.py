"""What cells say beside each other."""

from dataclasses import replace

import pytest

from augury.laboratory.cell import Cell, Reign, Window
from augury.laboratory.scores import compare, sentence, span, summarize


def cell(
    policy: str, ratio: float, *, trace: str = "t", capacity: str = "1%", seed: int = 1
) -> Cell:
    """A cell that matters for its miss ratio alone."""
    misses = round(ratio * 1000)
    return Cell(trace, policy, capacity, 10, 1000, misses, ratio, ratio, 0.1, 1e4, seed, "0.1.0")


def test_a_cell_with_several_seeds_counts_as_their_mean() -> None:
    """The miss ratio of a policy is the mean over its seeds."""
    [row] = compare([cell("auto", 0.4), cell("auto", 0.6, seed=2), cell("lru", 0.7)])
    assert {"auto": 0.5, "lru": 0.7} == row.miss_ratios


def test_gap_closed_is_0_for_lru_and_1_at_the_bound() -> None:
    """The gap runs from LRU to the lowest oracle or peer."""
    [row] = compare([cell("lru", 0.8), cell("auto", 0.7), cell("belady", 0.6)])
    assert pytest.approx(0.5) == row.gap_closed("auto")
    assert row.gap_closed("lru") == 0
    assert row.gap_closed("belady") == 1


def test_a_peer_below_the_oracles_is_the_bound() -> None:
    """On sized traces a peer can miss less than Belady."""
    [row] = compare([cell("lru", 0.8), cell("belady", 0.6), cell("peer:GDSF", 0.5)])
    assert row.bound == 0.5


def test_no_gap_without_room_or_without_an_oracle() -> None:
    """Where LRU is within 0.005 of the bound, or no bound is known, no gap is given."""
    [narrow] = compare([cell("lru", 0.604), cell("auto", 0.602), cell("belady", 0.6)])
    [unbounded] = compare([cell("lru", 0.8), cell("auto", 0.7)])
    assert narrow.gap_closed("auto") is None
    assert unbounded.gap_closed("auto") is None


def test_oracles_do_not_compete() -> None:
    """The best policy is the best that a cache can run; ties are shared."""
    [row] = compare([cell("lru", 0.7), cell("fifo", 0.7), cell("belady", 0.1)])
    assert ("lru", "fifo") == row.best


def test_the_summary_says_where_auto_leads_and_where_it_does_not() -> None:
    """Cells ahead, level and behind; the deficit names the policy and the amount."""
    rows = compare(
        [
            *(cell("auto", 0.5, capacity="1%"), cell("lru", 0.6, capacity="1%")),
            *(cell("auto", 0.5, capacity="2%"), cell("lru", 0.5, capacity="2%")),
            *(cell("auto", 0.5, capacity="3%"), cell("lru", 0.4, capacity="3%")),
        ]
    )
    summary = summarize(rows)
    assert summary is not None
    assert (1, 1, 1) == tuple(map(len, (summary.ahead, summary.level, summary.behind)))
    assert "lowest miss ratio in 1 of 3 cells" in str(summary)
    assert "t at 3% (lru is lower by 0.1000)" in str(summary)


def test_no_summary_without_a_rival() -> None:
    """Nothing is claimed about a policy that ran alone or did not run."""
    assert summarize(compare([cell("auto", 0.5), cell("belady", 0.4)])) is None
    assert summarize(compare([cell("lru", 0.5), cell("fifo", 0.4)])) is None


def test_shares_of_rankings_sum_to_one() -> None:
    """Each ranking ruled from its start to the next one's."""
    windows = tuple(Window(250, 9, ruling) for ruling in ("lru", "gdsf", "gdsf", "lru"))
    auto = replace(cell("auto", 0.5), windows=windows)
    assert {"lru": 0.5, "gdsf": 0.5} == auto.ruled()
    assert (Reign(0, "lru"), Reign(250, "gdsf"), Reign(750, "lru")) == auto.reigns


def test_cells_with_room_for_few_objects_count_in_no_summary() -> None:
    """They are said to be left out; where nothing else is, there is nothing to say but that."""
    few = [replace(one, capacity_objects=49.0) for one in (cell("auto", 0.5), cell("lru", 0.4))]
    many = [cell("auto", 0.5, capacity="2%"), cell("lru", 0.6, capacity="2%")]
    summary = summarize(compare([*few, *many]))
    assert summary is not None
    assert (1, 0, 0) == tuple(map(len, (summary.ahead, summary.level, summary.behind)))
    assert "1 cell has room for fewer than 50 objects and does not count." in str(summary)
    assert summarize(compare(few)) is None
    assert "chance" in (sentence(compare(few)) or "")


def test_the_sentence_of_a_trace_says_how_many_misses_less_and_who_is_below() -> None:
    """Shares of lru's misses, where auto is lowest, and every rival below it once."""
    rows = compare(
        [
            *(cell("auto", 0.5, capacity="1%"), cell("lru", 0.8, capacity="1%")),
            *(cell("auto", 0.5, capacity="2%"), cell("lru", 0.6, capacity="2%")),
            *(cell("auto", 0.5, capacity="3%"), cell("lru", 0.5, capacity="3%")),
            cell("gdsf", 0.4, capacity="2%"),
            cell("gdsf", 0.47, capacity="3%"),
        ]
    )
    expected = (
        "auto has 0.0% to 37.5% fewer misses than lru; it is lowest at 1%; it is above gdsf by up "
        "to 0.1000 at 2%, 3%."
    )
    assert expected == sentence(rows)
    assert sentence(compare([cell("auto", 0.5)])) is None


def test_the_lowest_oracle_is_the_bound_and_who_is_below_it_is_told() -> None:
    """A gap closed beyond 1 never stands without a word."""
    sized = [cell("lru", 0.8), cell("belady", 0.6), cell("beladysize", 0.5)]
    [row] = compare([*sized, cell("belady-bypass", 0.45)])
    assert row.bound == 0.45
    rows = compare([*sized, cell("auto", 0.48)])
    assert (rows[0].gap_closed("auto") or 0) > 1
    assert "is below the bound, an estimate here, at 1%" in (sentence(rows) or "")
    assert "In 1 of them it is below the bound" in str(summarize(rows))
    assert "below the bound" not in str(summarize(compare([*sized, cell("auto", 0.5)])))


def test_sentences_hold_for_ties_and_hairs() -> None:
    """As many misses as lru; a difference too small for four digits is not shown as none."""
    tied = sentence(compare([cell("auto", 0.5), cell("lru", 0.5)]))
    assert tied == "auto has as many misses as lru; it is lowest at 1%."
    close = compare([cell("auto", 0.50002), cell("lru", 0.5)])
    assert "is above lru by less than 0.0001 at 1%" in (sentence(close) or "")
    assert "lower by less than 0.0001" in str(summarize(close))


@pytest.mark.parametrize(
    ("savings", "words"),
    [
        ([0.0], "as many misses as"),
        ([0.05], "5.0% fewer misses than"),
        ([-0.05], "5.0% more misses than"),
        ([-0.05, -0.01], "1.0% to 5.0% more misses than"),
        ([-0.05, 0.1], "5.0% more to 10.0% fewer misses than"),
        ([0.0, 0.1], "0.0% to 10.0% fewer misses than"),
    ],
)
def test_a_span_of_savings_in_words(savings: list[float], words: str) -> None:
    """More and fewer are told apart."""
    assert words == span(savings)
