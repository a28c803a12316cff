"""What was acknowledged is found again, whatever happens to the process that wrote it."""

import os
import subprocess
import sys
import textwrap

import pytest

from runtime import journal
from runtime.journal import FileJournal


def written(home):
    return [payload for path in journal.files(home) for _, payload in journal.read(path, 0)]


def test_records_come_back_in_order(tmp_path):
    book = FileJournal(tmp_path)
    for n in range(3):
        book.write({"n": n})
    assert written(tmp_path) == [b'{"n":0}', b'{"n":1}', b'{"n":2}']


def test_a_torn_tail_ends_the_reading(tmp_path):
    book = FileJournal(tmp_path)
    book.write({"n": 1})
    book.write({"n": 2})
    path = journal.files(tmp_path)[0]
    os.truncate(path, path.stat().st_size - 3)
    assert written(tmp_path) == [b'{"n":1}']


def test_a_flipped_bit_is_noticed(tmp_path):
    book = FileJournal(tmp_path)
    book.write({"n": 1})
    path = journal.files(tmp_path)[0]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    assert written(tmp_path) == []


def test_the_writer_is_known_to_live_by_its_lock(tmp_path):
    book = FileJournal(tmp_path)
    book.write({"n": 1})
    path = journal.files(tmp_path)[0]
    assert not journal.orphaned(path)
    os.close(book.handle)
    assert journal.orphaned(path)


def test_a_full_disk_is_told_and_loses_nothing_before_it(tmp_path):
    book = FileJournal(tmp_path)
    book.write({"n": 1})
    os.close(book.handle)
    book.handle = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(journal.JournalFull):
        book.write({"n": 2})
    assert written(tmp_path) == [b'{"n":1}']


def test_what_was_torn_by_a_full_disk_does_not_hide_what_is_written_later(tmp_path, monkeypatch):
    book = FileJournal(tmp_path)
    book.write({"n": 1})
    real = os.write
    with monkeypatch.context() as full:
        full.setattr(journal.os, "write", lambda handle, data: real(handle, data[:5]))
        full.setattr(FileJournal, "open", lambda self: pytest.fail("there is no room for a new file"))
        for _ in range(2):
            with pytest.raises(journal.JournalFull):
                book.write({"n": 2})
    book.write({"n": 3})
    assert written(tmp_path) == [b'{"n":1}', b'{"n":3}']


def test_no_room_for_the_first_file_is_told_as_well(tmp_path, monkeypatch):
    book = FileJournal(tmp_path / "absent")
    with pytest.raises(journal.JournalFull, match="No such file"):
        book.write({"n": 1})


def test_an_aged_file_is_let_go_of_so_that_nothing_stands_in_it_for_days(tmp_path, monkeypatch):
    book = FileJournal(tmp_path)
    book.write({"n": 1})
    book.put_aside()
    assert not journal.orphaned(journal.files(tmp_path)[0])
    monkeypatch.setattr(journal, "ROTATE_S", -1.0)
    book.put_aside()
    book.put_aside()
    assert journal.orphaned(journal.files(tmp_path)[0])
    for n in (2, 3):  # each in a file of its own, since the last one is aged
        book.write({"n": n})
    assert len(journal.files(tmp_path)) == 3
    assert written(tmp_path) == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


def test_the_importer_outlives_a_full_disk(tmp_path, monkeypatch):
    from runtime.importer import Importer

    def full(path, until):
        raise OSError(28, "No space left on device")

    FileJournal(tmp_path).write({"n": 1})
    monkeypatch.setattr(journal, "folder", lambda: tmp_path)
    monkeypatch.setattr("runtime.importer.absorb_each", lambda records: [])
    importer = Importer()
    importer.ending.set()  # it shall not wait before the next try
    with monkeypatch.context() as patched:
        patched.setattr(journal, "imported", full)
        importer.once()
    assert not importer.fresh.is_set()
    importer.once()
    assert importer.fresh.is_set()


def test_a_killed_writer_loses_nothing_that_it_had_written(tmp_path):
    script = f"""
        import os, signal, sys
        os.environ["DJANGO_SETTINGS_MODULE"] = "priostack.settings"
        from pathlib import Path
        from runtime.journal import FileJournal
        book = FileJournal(Path({str(tmp_path)!r}))
        for n in range(1000):
            book.write({{"n": n}})
            print(n, flush=True)
            if n == 500:
                os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PRIOSTACK_DATA_DIR": str(tmp_path / "data")},
    )
    told = done.stdout.split()
    assert done.returncode == -9
    assert len(written(tmp_path)) >= len(told) == 501


@pytest.mark.django_db(transaction=True)
def test_a_record_that_the_database_refuses_costs_only_itself(alice, clean_redis):
    from runtime import importer
    from runtime.models import Execution
    from tests.runtime import stage

    bundle = stage.run_bundle(alice, stage.bundle_files("s", ["echo"], POST_e="wasm:echo:run"))
    good = {
        **{
            "op": "add",
            "tenant": str(alice.tenant.pk),
            "bundle": str(bundle.pk),
            "revision": 1,
            "service": "s",
        },
        **{
            "name": "e",
            "target": "wasm:echo:run",
            "trigger": "api",
            "status": "success",
            "created": 1,
            "input": "",
        },
        **{"http_status": 200, "duration_us": 1, "signals": []},
    }
    importer.drain()
    book = FileJournal()
    for n, change in enumerate(({}, {"created": 10**18}, {})):
        book.write({**good, "id": f"01a1fd9b-3fd3-7057-870d-57948000000{n}", **change})
    importer.drain()
    assert Execution.objects.filter(bundle=bundle).count() == 2
    assert [len(path.read_bytes().splitlines()) for path in journal.folder().glob("*.refused")] == [1]


@pytest.mark.parametrize("status", ["success", "queued"])
@pytest.mark.django_db(transaction=True)
def test_a_run_is_found_that_is_imported_while_it_is_looked_for(alice, clean_redis, monkeypatch, status):
    from billing.access import Principal
    from runtime import importer, runs
    from tests.runtime import stage

    bundle = stage.run_bundle(alice, stage.bundle_files("s", ["echo"], POST_e="wasm:echo:run"))
    real = importer.find
    monkeypatch.setattr(importer, "find", lambda run: importer.drain() and real(run))
    for n, look in enumerate((runs.show, runs.find)):
        run = f"01a1fd9b-3fd3-7057-870d-57948000001{n}"
        who = {"tenant": str(alice.tenant.pk), "bundle": str(bundle.pk), "revision": 1, "service": "s"}
        what = {"name": "e", "target": "wasm:echo:run", "trigger": "api", "status": status, "created": 1}
        FileJournal().write({"op": "add", "id": run, "input": "", **who, **what})
        assert look(Principal(alice.tenant.pk, "alice", "", frozenset({"read"})), run)


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_end_is_only_written_down_has_ended_for_every_verb(alice, clean_redis):
    from billing.access import Principal
    from runtime import importer, runs
    from tests.runtime import stage

    bundle = stage.run_bundle(alice, stage.bundle_files("s", ["echo"], POST_e="wasm:echo:run"))
    run = "01a1fd9b-3fd3-7057-870d-579480000020"
    who = {"tenant": str(alice.tenant.pk), "bundle": str(bundle.pk), "revision": 1, "service": "s"}
    what = {"name": "e", "target": "wasm:echo:run", "trigger": "api", "created": 1, "input": ""}
    book = FileJournal()
    book.write({"op": "add", "id": run, "status": "running", **who, **what})
    importer.drain()
    end = {"id": run, "bundle": str(bundle.pk), "service": "s", "name": "e", "completed": 2, "created": 1}
    book.write({"op": "finish", "status": "error", "duration_us": 1, "signals": [], "error": "no", **end})
    me = Principal(alice.tenant.pk, "alice", "", frozenset({"read"}))
    assert runs.show(me, run)["status"] == runs.find(me, run).status == "error"
