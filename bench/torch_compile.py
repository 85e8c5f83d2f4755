"""Does torch.compile work here? Says nothing if it does, otherwise why not, in one line. What is compiled is small, has
never been compiled before, and has so many seconds (120), in a process of its own.

    python3 bench/torch_compile.py [SECONDS]
"""
import os
import signal
import subprocess
import sys
import time


def compile_something():
    import torch

    new = 1 + time.time_ns() % 10**6 / 10**6  # so that it lies in no cache
    work = lambda x: torch.relu(new * x + 1).sum(0)
    x = torch.rand(64, 64) - 2
    if not torch.allclose(torch.compile(work)(x), work(x)):
        raise ValueError("what was compiled gives another result")


def reason():
    """What a child of ours says of its end; the compilers that it has started end with it."""
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
