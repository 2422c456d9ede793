"""CSV tables: names stay names."""

import pandas as pd
import pytest

from gpatlas.errors import StoreError
from gpatlas.io.tables import read_table, write_table


def test_names_are_no_numbers_and_not_missing(tmp_path):
    table = pd.DataFrame({"sample_id": ["007", "NA", "nan", ""], "value": [1.5, None, 3, 4]})
    write_table(table, tmp_path / "t.csv")
    found = read_table(tmp_path / "t.csv", text=("sample_id", "feature"))
    assert found.sample_id.tolist() == ["007", "NA", "nan", ""]
    assert found.value.isna().tolist() == [False, True, False, False]
    assert found.value.sum() == 8.5
    assert read_table(tmp_path / "t.csv").sample_id[0] == 7


def test_absent_and_empty_tables_are_one_line(tmp_path):
    (tmp_path / "empty.csv").touch()
    for name, message in (("none.csv", "no such file"), ("empty.csv", "the table is empty")):
        for text in ((), ("sample_id",)):
            with pytest.raises(StoreError, match=message):
                read_table(tmp_path / name, text)
