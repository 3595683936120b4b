"""A folder that is replaced is whole for whoever reads it meanwhile."""

import threading

import pytest

from ringwatch.models.common.atomic_folder import replace_folder

pytestmark = pytest.mark.unit


def test_a_reader_sees_the_old_or_the_new_folder_whole_while_it_is_replaced(tmp_path):
    target, missing = tmp_path / "date=2026-04-01", []
    done = threading.Event()

    def write(round_: int) -> None:
        staging = tmp_path / f".staging{round_}"
        staging.mkdir()
        for name in ("a", "b"):
            (staging / name).write_text(str(round_))
        replace_folder(staging, target)

    def read() -> None:
        while not done.is_set():
            if not (target / "b").exists():
                missing.append(1)

    write(0)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for round_ in range(1, 300):
            write(round_)
    finally:
        done.set()
        reader.join()
    assert not missing
    assert {path.read_text() for path in target.iterdir()} == {"299"}
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
