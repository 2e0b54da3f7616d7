# SPDX-License-Identifier: Apache-2.0
"""Remote shells and file transfer: SSH, telnet, FTP, rsync, git, Subversion."""
from scenes.lab import sh
from scenes.scene import scene


def ssh_server(lab, port):
    """Serves ssh on `port`; returns the key that may log in as root."""
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{lab.folder}/host")
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", f"{lab.folder}/id")
    sh("mkdir", "-p", "/run/sshd")
    sh("cp", f"{lab.folder}/id.pub", f"{lab.folder}/authorized")
    config = lab.file("sshd.conf", f"Port {port}\nHostKey {lab.folder}/host\nAuthorizedKeysFile {lab.folder}/authorized\n"
                      "PermitRootLogin yes\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\nPidFile none\n")
    lab.serve(f"/usr/sbin/sshd -D -e -f {config}", f"tcp/{port}")
    return f"{lab.folder}/id"


def ssh(lab, program, port, *words, text=None):
    lab.run([program, "-i", f"{lab.folder}/id", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null",
             "-P" if program == "sftp" else "-p", str(port), *words], text=text)


@scene({"tcp/22": "ssh"}, "openssh-client openssh-server")
def ssh_login(lab):
    """A command over ssh."""
    ssh_server(lab, 22)
    with lab.recording():
        ssh(lab, "ssh", 22, f"root@{lab.server}", "echo hello")


@scene({"tcp/22": "ssh"}, "openssh-client openssh-server")
def sftp(lab):
    """A file over sftp."""
    ssh_server(lab, 22)
    lab.file("small.txt", "small\n")
    with lab.recording():
        ssh(lab, "sftp", 22, f"root@{lab.server}:{lab.folder}/small.txt", f"{lab.folder}/got.txt")


@scene({"tcp/115": "ssh"}, "openssh-client openssh-server", decode_as=["tcp.port==115,ssh"])
def ssh_on_115(lab):
    """SSH's file transfer on the port of RFC 913."""
    ssh_server(lab, 115)
    lab.file("small.txt", "small\n")
    with lab.recording():
        ssh(lab, "sftp", 115, f"root@{lab.server}:{lab.folder}/small.txt", f"{lab.folder}/got.txt")


@scene({"tcp/22": "ssh"}, "git openssh-client openssh-server")
def git_over_ssh(lab):
    """A repository is cloned over ssh."""
    ssh_server(lab, 22)
    repository(lab)
    with lab.recording():
        lab.run(f"git clone -q ssh://root@{lab.server}{lab.folder}/git/lab.git {lab.folder}/clone", env={
            "GIT_SSH_COMMAND": f"ssh -i {lab.folder}/id -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null"})


def repository(lab):
    path = f"{lab.folder}/git/lab.git"
    sh("git", "init", "-q", "--bare", path)
    blob = sh("git", "-C", path, "hash-object", "-w", lab.file("readme", "a file\n")).stdout.strip()
    tree = sh("sh", "-c", f"printf '100644 blob {blob}\\treadme\\n' | git -C {path} mktree").stdout.strip()
    commit = sh("git", "-C", path, "-c", "user.name=lab", "-c", "user.email=lab@lab", "commit-tree", "-m", "First", tree)
    sh("git", "-C", path, "update-ref", "refs/heads/master", commit.stdout.strip())
    sh("git", "config", "--system", "safe.directory", "*")


@scene({"tcp/9418": "git"}, "git")
def git(lab):
    """A repository is listed and cloned from git daemon."""
    repository(lab)
    lab.serve(f"git daemon --export-all --base-path={lab.folder}/git --reuseaddr", "tcp/9418")
    with lab.recording():
        lab.run(f"git ls-remote git://{lab.server}/lab.git")
        lab.run(f"git -c protocol.version=0 clone -q git://{lab.server}/lab.git {lab.folder}/clone")


@scene({"tcp/3690": "unidentified"}, "subversion")
def subversion(lab):
    """A checkout from svnserve."""
    sh("svnadmin", "create", f"{lab.folder}/svn")
    lab.serve(f"svnserve -d --foreground -r {lab.folder}/svn", "tcp/3690")
    with lab.recording():
        lab.run(f"svn --non-interactive checkout svn://{lab.server}/ {lab.folder}/checkout")


def telnet(lab, port):
    login = lab.file("login.sh", "#!/bin/sh\nprintf 'bmc login: '; read name; echo \"hello $name\"\n")
    sh("chmod", "755", login)
    lab.serve(f"socat TCP-LISTEN:{port},reuseaddr,fork EXEC:'telnetd -h -E {login}',nofork", f"tcp/{port}")
    with lab.recording():
        lab.run(["sh", "-c", f"(sleep 0.7; echo root; sleep 0.7) | telnet {lab.server} {port}"], ok=None)


@scene({"tcp/23": "telnet"}, "inetutils-telnet inetutils-telnetd socat")
def telnet_login(lab):
    """Options are negotiated, a name is asked for."""
    telnet(lab, 23)


@scene({"tcp/2323": "telnet"}, "inetutils-telnet inetutils-telnetd socat", decode_as=["tcp.port==2323,telnet"])
def telnet_odd_port(lab):
    """The same on port 2323."""
    telnet(lab, 2323)


def ftp_server(lab):
    lab.file("ftp/file.txt", "x" * 700)
    sh("mkdir", "-p", "/run/vsftpd/empty")
    config = lab.file("vsftpd.conf", f"listen=YES\nbackground=NO\nanonymous_enable=YES\nanon_root={lab.folder}/ftp\n"
                      "secure_chroot_dir=/run/vsftpd/empty\nseccomp_sandbox=NO\npasv_min_port=40100\npasv_max_port=40120\n"
                      "connect_from_port_20=YES\n")
    lab.serve(f"vsftpd {config}", "tcp/21")


@scene({"tcp/21": "ftp", "tcp/*": "unidentified"}, "curl vsftpd")
def ftp(lab):
    """A listing and a file, passive; the data connections carry nothing that has a name."""
    ftp_server(lab)
    with lab.recording():
        lab.run(f"curl -sS ftp://{lab.server}/file.txt")
        lab.run(f"curl -sS ftp://{lab.server}/")


@scene({"tcp/21": "ftp", "tcp/*": "unidentified"}, "tnftp vsftpd")
def ftp_active(lab):
    """A file by the ftp command, active: the server opens the data connection from port 20."""
    ftp_server(lab)
    with lab.recording():
        lab.run(f"tnftp -A -n -d {lab.server}", text="user anonymous lab@lab\nget file.txt\nquit\n")


@scene({"tcp/873": "rsync"}, "rsync")
def rsync(lab):
    """A module is listed and copied from an rsync daemon."""
    lab.file("module/file.txt", "a file\n")
    config = lab.file("rsyncd.conf", f"use chroot = no\n[lab]\n  path = {lab.folder}/module\n  read only = yes\n")
    lab.serve(f"rsync --daemon --no-detach --config={config}", "tcp/873")
    with lab.recording():
        lab.run(f"rsync -r rsync://{lab.server}/lab/ {lab.folder}/copy/")
