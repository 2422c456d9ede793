"""What is free, and what a container allows."""

import pytest

from gpatlas import memory


@pytest.mark.parametrize(("limit", "expected"), [("max\n", 2048e3), ("1000000\n", 1e6), ("99999999999\n", 2048e3)])
def test_the_smaller_of_what_is_free_and_what_is_allowed(tmp_path, monkeypatch, limit, expected):
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    2000 kB\n")
    (tmp_path / "memory.max").write_text(limit)
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP_LIMITS", (tmp_path / "memory.max", tmp_path / "absent"))
    assert memory.available_memory() == expected


def test_a_system_that_does_not_say_what_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "absent")
    monkeypatch.setattr(memory, "_CGROUP_LIMITS", ())
    assert memory.available_memory() > 1e8
