# SPDX-License-Identifier: Apache-2.0
"""Directories, mail, logs and file shares."""
from scenes.lab import sh
from scenes.scene import scene


@scene({"udp/1812": "radius", "udp/1813": "radius"}, "freeradius freeradius-utils")
def radius(lab):
    """An access request that is accepted, one that is rejected, and a status question."""
    base = lab.folder_of("raddb")
    sh("cp", "-a", "/etc/freeradius/3.0/.", base)
    lab.file("raddb/clients.conf", f"client lab {{\n ipaddr = {lab.client}\n secret = testing123\n}}\n")
    lab.file("raddb/mods-config/files/authorize", 'lab Cleartext-Password := "test"\n  Reply-Message = "hello"\n')
    sh("chown", "-R", "freerad", base)
    lab.serve(f"freeradius -f -l stdout -d {base}", "udp/1812")
    with lab.recording():
        lab.run(f"radtest lab test {lab.server} 0 testing123")
        lab.run(f"radtest lab wrong {lab.server} 0 testing123", ok=None)
        accounting = "Acct-Status-Type=Start,User-Name=lab,Acct-Session-Id=1"
        lab.run(f"radclient -r 1 -t 2 {lab.server}:1813 acct testing123", text=accounting + "\n", ok=None)


def rsyslog(lab, module, port):
    config = lab.file("rsyslog.conf", f'module(load="{module}")\ninput(type="{module}" port="{port}")\n*.* {lab.folder}/messages\n')
    lab.serve(f"rsyslogd -n -f {config} -i {lab.folder}/pid-{port}", f"{module[2:]}/{port}")


@scene({"udp/514": "syslog"}, "bsdutils rsyslog")
def syslog_udp(lab):
    """RFC 5424 and RFC 3164 messages."""
    rsyslog(lab, "imudp", 514)
    with lab.recording():
        lab.run(f"logger -d -n {lab.server} -P 514 --rfc5424 -p auth.warning fan 1 failed")
        lab.run(f"logger -d -n {lab.server} -P 514 --rfc3164 -t bmc fan 1 works again")


@scene({"tcp/514": "syslog", "tcp/601": "syslog"}, "bsdutils rsyslog",
       decode_as=["tcp.port==514,syslog", "tcp.port==601,syslog"])
def syslog_tcp(lab):
    """RFC 5424 with octet counting, and by lines."""
    rsyslog(lab, "imtcp", 514)
    rsyslog(lab, "imtcp", 601)
    with lab.recording():
        lab.run(f"logger -T -n {lab.server} -P 514 --rfc3164 -t bmc fan 1 failed")
        lab.run(f"logger -T -n {lab.server} -P 601 --octet-count --rfc5424 fan 1 works again")


def slapd(lab):
    data = lab.folder_of("ldap")
    config = lab.file("slapd.conf", f"""include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {lab.folder}/slapd.pid
TLSCertificateFile {lab.folder}/server.crt
TLSCertificateKeyFile {lab.folder}/server.key
database mdb
directory {data}
suffix "dc=lab"
rootdn "cn=admin,dc=lab"
rootpw test
""")
    lab.certificate()
    lab.serve(f"slapd -d 0 -f {config} -h 'ldap:/// ldaps:///'", "tcp/389")
    entry = "dn: dc=lab\nobjectClass: organization\nobjectClass: dcObject\no: lab\ndc: lab\n"
    lab.run("ldapadd -x -D cn=admin,dc=lab -w test -H ldap://127.0.0.1", at="server", text=entry)


@scene({"tcp/389": "ldap"}, "ldap-utils slapd")
def ldap(lab):
    """Simple bind and search, anonymous search, StartTLS."""
    slapd(lab)
    with lab.recording():
        lab.run(f"ldapsearch -x -D cn=admin,dc=lab -w test -H ldap://{lab.server} -b dc=lab")
        lab.run(f"ldapsearch -x -H ldap://{lab.server} -b dc=lab -s base", ok=None)
        lab.run(f"ldapsearch -x -ZZ -H ldap://{lab.server} -b dc=lab", ok=None, env={"LDAPTLS_REQCERT": "never"})


@scene({"tcp/636": "tls"}, "ldap-utils slapd")
def ldaps(lab):
    """LDAP over TLS."""
    slapd(lab)
    with lab.recording():
        lab.run(f"ldapsearch -x -H ldaps://{lab.server} -b dc=lab", env={"LDAPTLS_REQCERT": "never"})


@scene({"udp/88": "kerberos", "tcp/88": "kerberos"}, "krb5-kdc krb5-admin-server krb5-user")
def kerberos(lab):
    """kinit over UDP and TCP."""
    kdc = lab.file("kdc.conf", f"[realms]\nLAB = {{\n database_name = {lab.folder}/principal\n key_stash_file = {lab.folder}/stash\n"
                   " kdc_ports = 88\n kdc_tcp_ports = 88\n}\n")
    names = {}
    for transport, limit in (("udp", 1400), ("tcp", 1)):
        names[transport] = lab.file(f"{transport}.conf", f"[libdefaults]\ndefault_realm = LAB\nudp_preference_limit = {limit}\n"
                                    f"dns_lookup_kdc = false\n[realms]\nLAB = {{\n kdc = {lab.server}\n}}\n")
    where = {"KRB5_CONFIG": names["udp"], "KRB5_KDC_PROFILE": kdc}
    lab.run("kdb5_util create -s -r LAB -P master", at="server", env=where)
    lab.run("kadmin.local -q 'addprinc -pw test lab@LAB'", at="server", env=where)
    lab.serve("krb5kdc -n", "udp/88 tcp/88", env=where)
    with lab.recording():
        for config in names.values():
            lab.run(f"kinit -c {lab.folder}/cache lab@LAB", text="test\n", env={"KRB5_CONFIG": config})


def mail_server(lab, more=""):
    program = lab.file("mail.py", f"""import ssl, time
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
{more}
Controller(Sink(), hostname='{lab.server}', port=25, server_hostname='mail.lab', **options).start()
time.sleep(60)
""")
    lab.serve(f"{lab.python} {program}", "tcp/25")


@scene({"tcp/25": "smtp"}, "swaks python3-aiosmtpd")
def smtp(lab):
    """A message is delivered."""
    mail_server(lab, "options = {}")
    with lab.recording():
        lab.run(f"swaks --server {lab.server} --from bmc@lab --to admin@lab --ehlo bmc.lab")


@scene({"tcp/25": "smtp"}, "swaks python3-aiosmtpd")
def smtp_starttls(lab):
    """A message is delivered after STARTTLS."""
    crt, key = lab.certificate()
    mail_server(lab, f"context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)\ncontext.load_cert_chain('{crt}', '{key}')\n"
                     "options = {'tls_context': context}")
    with lab.recording():
        lab.run(f"swaks --server {lab.server} --from bmc@lab --to admin@lab --ehlo bmc.lab --tls", ok=None)


def dovecot(lab):
    sh("mkdir", "-p", f"{lab.folder}/mail/cur", f"{lab.folder}/mail/new", f"{lab.folder}/mail/tmp")
    lab.file("mail/new/1.lab", "From: bmc@lab\nTo: admin@lab\nSubject: fan\n\nfan 1 failed\n")
    sh("chown", "-R", "dovecot", f"{lab.folder}/mail")
    config = lab.file("dovecot.conf", f"""base_dir = /run/dovecot
log_path = /dev/stderr
protocols = imap pop3
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{lab.folder}/mail
first_valid_uid = 1
passdb {{
  driver = static
  args = password=test
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={lab.folder}
}}
""")
    lab.serve(f"dovecot -F -c {config}", "tcp/143 tcp/110")


@scene({"tcp/143": "imap"}, "curl dovecot-imapd dovecot-pop3d")
def imap(lab):
    """Login, list of folders, one message."""
    dovecot(lab)
    with lab.recording():
        lab.run(f"curl -sS -u lab:test imap://{lab.server}/")
        lab.run(f"curl -sS -u lab:test imap://{lab.server}/INBOX;MAILINDEX=1", ok=None)


@scene({"tcp/110": "pop3"}, "curl dovecot-imapd dovecot-pop3d")
def pop3(lab):
    """Login, list, one message."""
    dovecot(lab)
    with lab.recording():
        lab.run(f"curl -sS -u lab:test pop3://{lab.server}/")
        lab.run(f"curl -sS -u lab:test pop3://{lab.server}/1", ok=None)


@scene({"tcp/445": "smb", "tcp/139": "smb"}, "samba smbclient", frames_per_flow=60)
def smb(lab):
    """SMB 3 and SMB 1 negotiation, a listing, a file; port 445 and the session service on 139."""
    lab.file("share/file.txt", "a file\n")
    state = lab.folder_of("samba")
    config = lab.file("smb.conf", f"""[global]
map to guest = Bad User
server min protocol = NT1
disable netbios = no
server role = standalone server
log file = {state}/log
lock directory = {state}
state directory = {state}
cache directory = {state}
pid directory = {state}
private dir = {state}
ncalrpc dir = {state}/ncalrpc
load printers = no
printing = bsd
[lab]
path = {lab.folder}/share
guest ok = yes
""")
    lab.serve(f"smbd -F --no-process-group -s {config}", "tcp/445")
    with lab.recording():
        lab.run(f"smbclient -s {config} -N //{lab.server}/lab -c 'ls; get file.txt {lab.folder}/got'")
        lab.run(f"smbclient -s {config} -N -p 139 -m NT1 --option='client min protocol=NT1' //{lab.server}/lab -c ls")


@scene({"tcp/2049": "nfs", "tcp/111": "portmap", "udp/111": "portmap"}, "nfs-ganesha nfs-ganesha-vfs libnfs-utils rpcbind")
def nfs(lab):
    """NFS 4 by libnfs, with rpcbind asked over UDP and TCP."""
    lab.file("export/file.txt", "a file\n")
    config = lab.file("ganesha.conf", f"""NFS_CORE_PARAM {{ Protocols = 3, 4; NFS_Port = 2049; Bind_addr = {lab.server}; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSV4 {{ Graceless = true; RecoveryRoot = {lab.folder_of('recovery')}; }}
EXPORT {{ Export_Id = 1; Path = {lab.folder}/export; Pseudo = /export; Access_Type = RW; Squash = None; SecType = sys;
  FSAL {{ Name = VFS; }} }}
""")
    sh("mkdir", "-p", "/run/ganesha", "/var/lib/nfs/ganesha", "/run/rpcbind")
    lab.serve("rpcbind -f -w", "tcp/111 udp/111")
    lab.serve(f"ganesha.nfsd -F -L /dev/stderr -f {config} -p {lab.folder}/pid", "tcp/2049")
    with lab.recording():
        lab.run(f"rpcinfo -p {lab.server}")
        lab.run(f"rpcinfo -T udp {lab.server} portmapper", ok=None)
        lab.run(f"nfs-ls nfs://{lab.server}/export?version=4", ok=None)
