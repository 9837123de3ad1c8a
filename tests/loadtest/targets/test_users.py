"""Users files: a row for each viewer, from CSV or JSON, and what is wrong with one is said with its row."""

from pathlib import Path

import pytest

from loadtest.targets.port import BadTarget
from loadtest.targets.users import read_users


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_csv_and_json_have_the_same_rows(tmp_path: Path) -> None:
    csv = written(tmp_path, "users.csv", 'name,token\n小红,t1\n"a,b",t2\n')
    json = written(tmp_path, "users.json", '[{"name": "小红", "token": "t1"}, {"name": "a,b", "token": "t2"}]')
    wanted = [{"user.name": "小红", "user.token": "t1"}, {"user.name": "a,b", "user.token": "t2"}]
    assert read_users(csv) == read_users(json) == wanted


def test_numbers_of_json_stay_numbers(tmp_path: Path) -> None:
    assert read_users(written(tmp_path, "u.json", '[{"id": 7}]')) == [{"user.id": 7}]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("u.json", "{}", "must hold a list of objects"),
        ("u.json", "[1]", "must hold a list of objects"),
        ("u.json", "[]", "a row at least"),
        ("u.csv", "name,token\n", "a row at least"),
        ("u.json", "[", "cannot be read"),
        ("u.csv", "name,token\na\n", "row 1: has more or fewer values"),
        ("u.csv", "name,token\na,b\na,b,c\n", "row 2: has more or fewer values"),
        ("u.json", '[{"token": "a\\r\\nX-Admin: 1"}]', "row 1: token: has a line break"),
        ("u.csv", 'token\n"a\nb"\n', "row 1: token: has a line break"),
        ("u.json", '[{"token": ["a"]}]', "row 1: token: must be a text or a number"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match=rf"target\.users: .*{name} .*{said}"):
        read_users(written(tmp_path, name, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadTarget, match=r"target\.users: .*gone\.csv cannot be read"):
        read_users(tmp_path / "gone.csv")
