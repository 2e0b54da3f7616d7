# SPDX-License-Identifier: Apache-2.0
"""Where captures are made: an overlay over the running Debian system, with mounts, host name and process ids of its own.
Packages are installed into the overlay, so the machine keeps none of them and no service of theirs ever starts. When the
first process in there ends, the kernel ends all the others and forgets the mounts and network namespaces."""
import os
import subprocess
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST_NAME = "lab"
LAYERS = ("upper", "work", "root")


def enter(folder):
    """Runs this program again inside the sandbox kept in `folder`; ends with that run's exit code."""
    if os.geteuid() != 0:
        sys.exit("generate.py: needs root, for packages and network namespaces: sudo tests/captures/generate.py")
    for layer in LAYERS:
        os.makedirs(f"{folder}/{layer}", exist_ok=True)
    command = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", sys.executable, "-B", *sys.argv]
    sys.exit(subprocess.call(command, env={**os.environ, "POSTERN_CAPTURES_SANDBOX": folder}))


def inside():
    return "POSTERN_CAPTURES_SANDBOX" in os.environ


def settle():
    """Mounts the overlay and makes it the root; called once by the process that `enter` started."""
    folder = os.environ["POSTERN_CAPTURES_SANDBOX"]
    root = f"{folder}/root"
    mount("--make-rprivate", "/")
    mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={folder}/upper,workdir={folder}/work", root)
    mount("-t", "proc", "proc", f"{root}/proc")
    for shared in ("/dev", "/sys", REPO):
        mount("--rbind", shared, root + shared)
    for fresh in ("/run", "/tmp"):
        mount("-t", "tmpfs", "tmpfs", root + fresh)
    subprocess.run(["hostname", HOST_NAME], check=True)
    os.chroot(root)
    os.chdir("/")
    os.chmod("/tmp", 0o1777)
    os.environ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    with open("/etc/hosts", "w", encoding="ascii") as hosts:
        hosts.write(f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {HOST_NAME}\n")


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def install(packages):
    """Installs what is missing of `packages`; returns name -> version of all."""
    have = versions(packages)
    missing = [package for package in packages if package not in have]
    if missing:
        # Exit code 101 keeps package scripts from starting what they install.
        with open("/usr/sbin/policy-rc.d", "w", encoding="ascii") as policy:
            policy.write("#!/bin/sh\nexit 101\n")
        os.chmod("/usr/sbin/policy-rc.d", 0o755)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True, env=environment,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        have = versions(packages)
    return have


def versions(packages):
    if not packages:
        return {}
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n", *packages],
                            capture_output=True, text=True, check=False).stdout
    return {words[0]: words[1] for words in map(str.split, listed.splitlines()) if words[2:] == ["installed"]}
