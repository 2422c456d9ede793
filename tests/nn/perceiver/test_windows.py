"""Windows of markers: all are in one, none crosses chromosomes, blocks are neighbours."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.nn.perceiver.windows import Windows

panels = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@given(panels, st.integers(1, 12), st.integers(0, 15))
def test_every_marker_is_in_one_window_of_its_chromosome(sizes, size, flank):
    number = np.repeat(np.arange(len(sizes)), sizes)
    windows = Windows(number, size, flank)
    own = [np.arange(a, b) for a, b, _ in windows.bounds]
    assert np.array_equal(np.concatenate(own), np.arange(len(number)))
    assert len(windows) == sum(-(-n // size) for n in sizes)
    assert len(set(windows.slot)) == len(number)
    assert windows.slot.max() < len(windows) * size
    for number_of, (markers, shown) in enumerate(zip(own, windows.shown, strict=True)):
        assert 1 <= len(markers) <= size
        assert len(set(number[markers])) == 1
        near = np.arange(markers[0] - flank, markers[-1] + flank + 1)
        inside = near[(near >= 0) & (near < len(number))]
        expected = inside[number[inside] == number[markers[0]]]
        assert np.array_equal(shown[shown < len(number)], expected)
        assert np.array_equal(windows.slot[markers] // size, np.full(len(markers), number_of))


@given(panels, st.integers(1, 3), st.integers(1, 7), st.booleans())
def test_blocks_are_neighbours_on_a_chromosome(sizes, size, most, shifted):
    windows = Windows(np.repeat(np.arange(len(sizes)), sizes), size, 0)
    blocks = windows.blocks(most, shifted)
    assert np.array_equal(blocks[blocks >= 0], np.arange(len(windows)))  # in order: what attention relies on
    assert blocks.shape[1] <= most
    for block in blocks:
        members = block[block >= 0]
        assert len(members)
        assert len(set(windows.bounds[members, 2])) == 1


def test_shifted_blocks_join_what_others_part():
    windows = Windows(np.zeros(60, dtype=np.int64), 5, 0)
    plain, shifted = windows.blocks(4), windows.blocks(4, shifted=True)
    assert plain.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert shifted.tolist() == [[0, 1, -1, -1], [2, 3, 4, 5], [6, 7, 8, 9], [10, 11, -1, -1]]
