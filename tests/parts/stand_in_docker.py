"""Stands in for docker: `stand_in_docker.py STATE run|stop|rm ...`, as far as Penstock calls it.

STATE/calls gets the arguments of each call, a JSON list on a line. STATE/containers has a file for each container, with the id of its
first process. As with docker, that process is in a session of its own and outlives the caller, gets no variables but those named, and a
mount whose source is missing is an error. Where this machine lets us (root, `unshare`), it sees the system's programs, its image and its
mounts, and nothing else of this machine. There is no image to pull: all images hold the system's programs, those named python:... a
Python too, and those named gone can't be had.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time

FLAGS = ("--rm", "--init")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/proc", "/dev")
USUAL_PATH = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main() -> int:
    state, verb, *words = sys.argv[1:]
    os.makedirs(f"{state}/containers", exist_ok=True)
    with open(f"{state}/calls", "a") as calls:
        calls.write(json.dumps([verb, *words]) + "\n")
    return {"run": run, "stop": stop, "rm": remove}[verb](state, words)


def run(state: str, words: list[str]) -> int:
    options: dict[str, str] = {}
    mounts: list[dict[str, str]] = []
    variables = {"PATH": USUAL_PATH}
    while words[0].startswith("-"):
        word = words.pop(0)
        name, _, value = word.partition("=")
        value = value or ("" if word in FLAGS else words.pop(0))
        if name == "--env":
            variables.update([value.split("=", 1)] if "=" in value else [(value, os.environ[value])] if value in os.environ else [])
        elif name == "--mount":
            mounts.append(dict(part.partition("=")[::2] for part in value.split(",")))
        else:
            options[name] = value
    image, *command = words
    for mount in mounts:
        if not os.path.exists(mount["source"]):
            return fail(125, f"bind source path does not exist: {mount['source']}")
    if "gone" in image:
        return fail(125, f"pull access denied for {image}")
    if image.startswith("python:"):
        variables["PATH"] = f"{sys.base_prefix}/bin:{USUAL_PATH}"
        variables["IMAGE"] = image
    record = f"{state}/containers/{options['--name']}"
    if os.path.exists(record):
        return fail(125, f"the container name is in use: {options['--name']}")
    return wait_for(start(state, image, mounts, options["--workdir"], variables, command), record)


def start(
    state: str, image: str, mounts: list[dict[str, str]], folder: str, variables: dict[str, str], command: list[str]
) -> subprocess.Popen[bytes]:
    if can_isolate():
        root = f"{state}/roots/{time.time_ns()}"
        own = [(path, True) for path in (*SYSTEM, *([sys.base_prefix] if image.startswith("python:") else [])) if os.path.exists(path)]
        shown = own + sorted(((mount["source"], "readonly" in mount) for mount in mounts), key=lambda pair: pair[0].count("/"))
        lines = ["set -e", *(line for path, is_read_only in shown for line in show(root, path, is_read_only))]
        lines += [f"export PATH={shlex.quote(variables['PATH'])}"]  # the image's; what makes the mounts has the usual one
        lines += [f'exec /usr/sbin/chroot {root} /bin/sh -c \'cd "$0" && exec "$@"\' {shlex.join([folder, *command])}']
        command = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", "\n".join(lines)]
        return subprocess.Popen(command, env={**variables, "PATH": USUAL_PATH}, start_new_session=True)
    return subprocess.Popen(command, env=variables, cwd=folder, start_new_session=True)


def can_isolate() -> bool:
    programs = all(os.access(path, os.X_OK) for path in ("/usr/bin/unshare", "/usr/sbin/chroot"))
    return os.geteuid() == 0 and programs and subprocess.run(["/usr/bin/unshare", "--mount", "true"], capture_output=True).returncode == 0


def show(root: str, path: str, is_read_only: bool) -> list[str]:
    target = shlex.quote(root + path)
    made = f"mkdir -p {target}" if os.path.isdir(path) else f"mkdir -p $(dirname {target}); touch {target}"
    bound = f"mount --{'rbind' if path in SYSTEM else 'bind'} {shlex.quote(path)} {target}"
    return [
        f"[ -e {target} ] || {{ {made}; }}",
        bound,
        *([f"mount -o remount,bind,ro {target}"] if is_read_only and path not in SYSTEM else []),
    ]


def wait_for(process: subprocess.Popen[bytes], record: str) -> int:
    with open(f"{record}.new", "w") as file:
        file.write(str(process.pid))
    os.replace(f"{record}.new", record)
    code = process.wait()
    with contextlib.suppress(OSError):
        os.unlink(record)
    return 128 - code if code < 0 else code


def stop(state: str, words: list[str]) -> int:
    _, seconds, name = words
    pid = find(state, name)
    if pid is None:
        return fail(1, f"No such container: {name}")
    kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + float(seconds)
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return remove(state, ["--force", name])


def remove(state: str, words: list[str]) -> int:
    name = words[-1]
    pid = find(state, name)
    if pid is None:
        return fail(1, f"No such container: {name}")
    while is_alive(pid):
        kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    with contextlib.suppress(OSError):
        os.unlink(f"{state}/containers/{name}")
    return 0


def find(state: str, name: str) -> int | None:
    try:
        with open(f"{state}/containers/{name}") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def kill(session: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.killpg(session, number)


def is_alive(session: int) -> bool:
    """Tell whether anything of the container still runs; what is dead and waits for its parent does not count."""
    try:
        with open(f"/proc/{session}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def fail(code: int, text: str) -> int:
    print(f"docker: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
