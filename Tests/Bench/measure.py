"""Times of whole processes, taken in turns, and what is said of them."""
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field


class Absent(Exception):
    """Why there is no number."""


class Lacking(Absent):
    """It has nothing of the kind, which needs no words."""


@dataclass(frozen=True)
class Command:
    line: tuple
    environment: dict = field(default_factory=dict)

    def then(self, *words):
        return Command((*self.line, *words), self.environment)


def wait(pid):
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def spawn(command, files, session=False):
    # By vfork: the time of it does not grow with this process.
    return os.posix_spawnp(command.line[0], command.line, {**os.environ, **command.environment}, file_actions=files,
                           setsid=session)


def seconds(command):
    """From the call that starts it to its end; its output goes to /dev/null."""
    with tempfile.TemporaryFile() as errors:
        files = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                 (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        start = time.perf_counter()
        code = wait(spawn(command, files))
        taken = time.perf_counter() - start
        if code:
            errors.seek(0)
            raise failure(command, code, errors.read())
    return taken


def seconds_on_terminal(command):
    """The same with a terminal of its own, whose output is read."""
    master, slave = os.openpty()
    try:
        # Opened by the leader of a session without one, it becomes its controlling terminal.
        files = [(os.POSIX_SPAWN_OPEN, 0, os.ttyname(slave), os.O_RDWR, 0), (os.POSIX_SPAWN_DUP2, 0, 1),
                 (os.POSIX_SPAWN_DUP2, 0, 2)]
        start = time.perf_counter()
        pid = spawn(command, files, session=True)
        os.close(slave)
        output = read_to_hangup(master)
        code = wait(pid)
        taken = time.perf_counter() - start
    finally:
        os.close(master)
    if code:
        raise failure(command, code, output)
    return taken


def read_to_hangup(descriptor):
    output = b""
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            return output
        if not piece:
            return output
        output += piece


def output(command):
    """What it prints."""
    read, write = os.pipe()
    with tempfile.TemporaryFile() as errors, os.fdopen(read, "rb") as pipe:
        pid = spawn(command, [(os.POSIX_SPAWN_DUP2, write, 1), (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)])
        os.close(write)
        text = pipe.read()
        code = wait(pid)
        if code:
            errors.seek(0)
            raise failure(command, code, errors.read())
    return text.decode()


def failure(command, code, errors):
    lines = [line.strip() for line in errors.decode(errors="replace").splitlines() if line.strip()]
    name = os.path.basename(command.line[0])
    return Absent(f"{name}: exit {code}: {lines[-1][:300] if lines else 'it says nothing'}")


def seconds_of_many(commands, width):
    """Of all of them, so many at a time."""
    start = time.perf_counter()
    with ThreadPoolExecutor(width) as pool:
        list(pool.map(seconds, commands))
    return time.perf_counter() - start


def alternate(samples, rounds, warmup):
    """Calls each of `samples`, functions that give a number by name, in every round, each round beginning with another.
    Gives by name the numbers, or why there are none."""
    results = {name: [] for name in samples}
    reasons = {}
    for turn in range(warmup + rounds):
        names = [name for name in samples if name not in reasons]
        shift = turn % len(names) if names else 0
        for name in names[shift:] + names[:shift]:
            try:
                value = samples[name]()
            except Absent as reason:
                reasons[name] = str(reason)
                continue
            if turn >= warmup:
                results[name].append(value)
    return {name: reasons.get(name, values) for name, values in results.items()}


def processes():
    """The numbers of all in this process namespace."""
    return {name for name in os.listdir("/proc") if name.isdigit()}


def settle(before, patience=10):
    """Waits until no process is left but these: what a command leaves behind it is not to slow down the next peer's."""
    end = time.monotonic() + patience
    while processes() - before and time.monotonic() < end:
        time.sleep(0.002)


def summary(values):
    ordered = sorted(values)
    low, _, high = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
    return {"median": statistics.median(ordered), "low": low, "high": high, "fastest": ordered[0],
            "count": len(ordered)}
