"""A lease ends when it has to, whatever the process does meanwhile; the clock is the judge."""

import random
import signal
import subprocess
import sys
import time

from augury import _core

#: Renews a lease of a fifth of a second, or lets it run out, and looks at the clock before and
#: after each question; at the end it prints how often leases lasted, and how often they had
#: run out.
KEEPER = """
import random, sys, time
from augury import _core

leased, clock, draw = _core.Leased(), _core.Leased.clock, random.Random(1)
lasted = ended = 0
over = clock() + float(sys.argv[1])
print("ready", flush=True)
while clock() < over:
    until = clock() + 0.2
    leased.vouch(until)
    renewed = clock() + draw.choice([0.01, 0.05, 0.25])
    while clock() < renewed:
        before, said, after = clock(), leased.is_vouched, clock()
        assert not (said and before >= until), f"served {before - until} s after the end"
        assert said or after >= until, f"refused {until - after} s before the end"
        lasted, ended = lasted + said, ended + (not said)
print(lasted, ended)
"""


def test_a_lease_lasts_until_its_end_and_no_longer() -> None:
    """Of a process that is stopped again and again too."""
    command = [sys.executable, "-c", KEEPER, "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n"
        draw = random.Random(2)
        for _ in range(8):
            time.sleep(draw.uniform(0.05, 0.2))
            keeper.send_signal(signal.SIGSTOP)
            time.sleep(draw.uniform(0.05, 0.4))
            keeper.send_signal(signal.SIGCONT)
        lasted, ended = map(int, keeper.stdout.read().split())
    assert keeper.returncode == 0
    assert lasted > 1_000
    assert ended > 1_000


def test_a_lease_is_ended_at_once() -> None:
    """By a moment that is over, however often it was moved on before."""
    leased, clock = _core.Leased(), _core.Leased.clock
    assert not leased.is_vouched
    for _ in range(30):
        leased.vouch(clock() + 60)
        assert leased.is_vouched
        time.sleep(0.01)
        leased.vouch(0)
        assert not leased.is_vouched
