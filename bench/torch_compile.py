"""Tests whether torch.compile works here. Prints nothing if it does, otherwise the reason in one line. Compiles a small
function that is in no cache, in a process of its own, which may take SECONDS (120).

    python3 bench/torch_compile.py [SECONDS]
"""
import os
import signal
import subprocess
import sys
import time


def compile_something():
    import torch

    new = 1 + time.time_ns() % 10**6 / 10**6  # different each time, so that it is in no cache
    work = lambda x: torch.relu(new * x + 1).sum(0)
    x = torch.rand(64, 64) - 2
    if not torch.allclose(torch.compile(work)(x), work(x)):
        raise ValueError("what was compiled gives another result")


def reason():
    """Compiles in a child process and returns its error, "" if there is none. When the time is over, kills it together
    with the compilers that it has started."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 120
    child = subprocess.Popen([sys.executable, "-W", "ignore", __file__, "--now"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, start_new_session=True)
    try:
        said = child.communicate(timeout=seconds)[0].strip()
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return f"a small function was not compiled within {seconds:g} seconds"
    return said or (f"exit status {child.returncode}" if child.returncode else "")


def main():
    if sys.argv[1:] != ["--now"]:
        print(reason(), end="")
        return
    try:
        compile_something()
    except Exception as error:
        print(" ".join(f"{type(error).__name__}: {error}".split("\n\n")[0].split()), flush=True)


if __name__ == "__main__":
    main()
