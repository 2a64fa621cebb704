"""The live timeline and the logs of steps: masked, stamped, and cut as the agent cuts."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from local.agent.host.console import MAX_LINE, Console, StepLog


@pytest.fixture
def console(masker):
    masker.add_variable("hunter22")
    return Console(masker)


def test_each_line_has_a_time_and_its_kind(console, capsys):
    console.line("stage", "one\ntwo")
    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d stage one", first)
    assert second.endswith(" stage two")


def test_the_console_is_cut_and_the_log_is_whole(console, tmp_path, capsys):
    log = StepLog(console, "train", tmp_path / "logs" / "1.log")
    log.write("x" * 3000)
    log.close()
    assert len(capsys.readouterr().out.rstrip("\n")) == MAX_LINE
    assert "x" * 3000 in (tmp_path / "logs" / "1.log").read_text()


def test_secrets_show_neither_here_nor_there(console, tmp_path, capsys):
    log = StepLog(console, "train", tmp_path / "1.log")
    log.write("the password is hunter22\nagain: hunter22")
    log.event("done", "hunter22")
    log.close()
    shown = capsys.readouterr().out + (tmp_path / "1.log").read_text()
    assert "hunter22" not in shown
    assert shown.count("***") == 6


def test_a_log_takes_what_utf8_has_not(console, tmp_path):
    log = StepLog(console, "train", tmp_path / "1.log")
    log.event("", "\udc80")
    log.close()
    assert "\\udc80" in (tmp_path / "1.log").read_text()


def test_a_reader_that_has_gone_does_not_end_the_run():
    program = (
        "import sys; from local.agent.host.console import Console; "
        "from local.agent.host.masking import SecretMasker; c = Console(SecretMasker()); "
        "[c.line('run', 'x' * 1000) for _ in range(1000)]; sys.stderr.write('ended')"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stderr is not None
    child.stdout.close()
    assert child.stderr.read().startswith("ended")
    child.stderr.close()
    assert child.wait() == 0
