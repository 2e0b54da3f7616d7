# SPDX-License-Identifier: Apache-2.0
"""Databases, queues and caches."""
from scenes.lab import sh
from scenes.scene import scene

POSTGRES = "/usr/lib/postgresql/15/bin"


def postgres(lab, more=""):
    data = lab.folder_of("pg", "postgres")
    sh("runuser", "-u", "postgres", "--", f"{POSTGRES}/initdb", "-D", data, "-A", "trust", "-U", "lab")
    with open(f"{data}/pg_hba.conf", "a", encoding="ascii") as rules:
        rules.write("host all all 0.0.0.0/0 trust\n")
    lab.serve(f"runuser -u postgres -- {POSTGRES}/postgres -D {data} -c listen_addresses=* "
              f"-c unix_socket_directories={data} {more}", "tcp/5432")


@scene({"tcp/5432": "postgres"}, "postgresql-15 postgresql-client-15")
def postgres_plain(lab):
    """psql asks whether TLS is there, then goes on without; and once without asking."""
    postgres(lab)
    with lab.recording():
        for mode in ("prefer", "disable"):
            lab.run(["psql", f"host={lab.server} user=lab dbname=postgres sslmode={mode}", "-c", "select 1"])


@scene({"tcp/5432": "postgres"}, "postgresql-15 postgresql-client-15")
def postgres_tls(lab):
    """psql asks for TLS and gets it."""
    crt, key = lab.certificate()
    sh("chown", "postgres", crt, key)
    sh("chmod", "600", key)
    postgres(lab, f"-c ssl=on -c ssl_cert_file={crt} -c ssl_key_file={key}")
    with lab.recording():
        lab.run(["psql", f"host={lab.server} user=lab dbname=postgres sslmode=require", "-c", "select 1"])


@scene({"tcp/3306": "mysql"}, "mariadb-server mariadb-client")
def mysql(lab):
    """Login with a password, a query; and a login that is refused."""
    data = lab.folder_of("mysql", "mysql")
    sh("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=mysql", "--skip-test-db")
    setup = lab.file("setup.sql", "CREATE USER 'lab'@'%' IDENTIFIED BY 'test';\n")
    lab.serve(f"mariadbd --no-defaults --datadir={data} --user=mysql --port=3306 --bind-address=0.0.0.0 --skip-name-resolve "
              f"--socket={data}/sock --init-file={setup} --innodb-buffer-pool-size=8M", "tcp/3306", seconds=40)
    with lab.recording():
        lab.run(f"mariadb --no-defaults -h {lab.server} -u lab -ptest -e 'select 1'")
        lab.run(f"mariadb --no-defaults -h {lab.server} -u lab -pwrong -e 'select 1'", ok=(1,))


@scene({"tcp/6379": "redis"}, "redis-server redis-tools")
def redis(lab):
    """Commands by redis-cli, and inline ones."""
    lab.serve("redis-server --port 6379 --protected-mode no --save '' --daemonize no", "tcp/6379")
    with lab.recording():
        lab.run(f"redis-cli -h {lab.server} set fan failed")
        lab.run(f"redis-cli -h {lab.server} get fan")


@scene({"tcp/11211": "memcached"}, "memcached netcat-openbsd")
def memcached(lab):
    """Text commands to memcached."""
    lab.serve("memcached -u nobody -p 11211", "tcp/11211")
    with lab.recording():
        lab.run(f"nc -N -w 1 {lab.server} 11211", text="set a 0 60 2\r\nhi\r\nget a\r\nquit\r\n")


@scene({"tcp/1883": "mqtt"}, "mosquitto mosquitto-clients")
def mqtt(lab):
    """Subscribe and publish, MQTT 3.1.1 and 5."""
    config = lab.file("mosquitto.conf", "listener 1883\nallow_anonymous true\n")
    lab.serve(f"mosquitto -c {config}", "tcp/1883")
    with lab.recording():
        for version in ("mqttv311", "mqttv5"):
            lab.run(f"mosquitto_pub -V {version} -h {lab.server} -t lab/fan -m failed -q 1 -r")
            lab.run(f"mosquitto_sub -V {version} -h {lab.server} -t lab/# -C 1 -W 5")


@scene({"tcp/4730": "unidentified"}, "gearman-job-server gearman-tools")
def gearman(lab):
    """The status of a job server, in the text form of its protocol, and a background job in the binary one."""
    lab.serve("gearmand -L 0.0.0.0 -p 4730 -l stderr", "tcp/4730")
    with lab.recording():
        lab.run(f"gearadmin -h {lab.server} --status")
        lab.run(f"gearman -b -h {lab.server} -p 4730 -f nothing hello")


@scene({"tcp/11300": "unidentified"}, "beanstalkd netcat-openbsd")
def beanstalk(lab):
    """A job is put into a queue and taken out."""
    lab.serve("beanstalkd -p 11300", "tcp/11300")
    with lab.recording():
        lab.run(f"nc -N -w 1 {lab.server} 11300", text="put 0 0 60 5\r\nhello\r\nreserve\r\nquit\r\n")


@scene({"tcp/2379": "http2"}, "etcd-server etcd-client", decode_as=["tcp.port==2379,http2"])
def etcd(lab):
    """A key is written and read over gRPC."""
    lab.serve(f"etcd --data-dir {lab.folder}/etcd --listen-client-urls http://{lab.server}:2379 --advertise-client-urls "
              f"http://{lab.server}:2379 --listen-peer-urls http://127.0.0.1:2380", "tcp/2379")
    with lab.recording():
        lab.run(f"etcdctl --endpoints=http://{lab.server}:2379 put fan failed", env={"ETCDCTL_API": "3"})


# Servers of protocols that have a client in Debian but no server: what the client asks first gets a proper answer.
KAFKA = """import socket, struct
s = socket.create_server(('', 9092))
API_VERSIONS = 18
while True:
    c, _ = s.accept()
    host = c.getsockname()[0].encode()
    while True:
        head = c.recv(4, socket.MSG_WAITALL)
        if len(head) < 4:
            break
        body = c.recv(struct.unpack('!i', head)[0], socket.MSG_WAITALL)
        key, version, number = struct.unpack_from('!hhi', body)
        if key == API_VERSIONS and version > 0:    # UNSUPPORTED_VERSION, in the form of version 0
            answer = struct.pack('!hihhh', 35, 1, 18, 0, 0)
        elif key == API_VERSIONS:
            answer = struct.pack('!hi', 0, 2) + struct.pack('!hhhhhh', 18, 0, 0, 3, 0, 0)
        else:                                       # one broker, no topics
            answer = struct.pack('!iih', 1, 1, len(host)) + host + struct.pack('!ii', 9092, 0)
        c.sendall(struct.pack('!ii', len(answer) + 4, number) + answer)
"""


@scene({"tcp/9092": "kafka"}, "kcat python3", crafted="server")
def kafka(lab):
    """kcat asks for the metadata of a broker."""
    program = lab.file("broker.py", KAFKA)
    lab.serve(f"{lab.python} {program}", "tcp/9092")
    with lab.recording():
        lab.run(f"timeout 5 kcat -b {lab.server}:9092 -L -X broker.version.fallback=0.9.0 -m 4", ok=None)


MONGO = '''import socket, struct, sys

def document(**members):
    out = b""
    for name, value in members.items():
        name = name.replace("_S", "$").encode() + b"\\0"
        if isinstance(value, bool):
            out += b"\\x08" + name + bytes([value])
        elif isinstance(value, int):
            out += b"\\x10" + name + struct.pack("<i", value)
        else:
            value = value.encode() + b"\\0"
            out += b"\\x02" + name + struct.pack("<i", len(value)) + value
    return struct.pack("<i", len(out) + 5) + out + b"\\0"

def message(number, answer_to, doc):            # OP_MSG
    return struct.pack("<iiiiiB", 21 + len(doc), number, answer_to, 2013, 0, 0) + doc

def query(number, doc):                          # OP_QUERY, the first word of every driver
    name = b"admin.$cmd\\0"
    body = struct.pack("<i", 0) + name + struct.pack("<ii", 0, -1) + doc
    return struct.pack("<iiii", 16 + len(body), number, 0, 2004) + body

def reply(number, answer_to, doc):               # OP_REPLY
    body = struct.pack("<iqii", 8, 0, 0, 1) + doc
    return struct.pack("<iiii", 16 + len(body), number, answer_to, 1) + body

hello = document(ismaster=True, maxBsonObjectSize=16777216, maxWireVersion=17, ok=1)
if sys.argv[1] == "serve":
    s = socket.create_server(("", 27017))
    c = s.accept()[0]
    c.recv(4096)
    c.sendall(reply(9, 1, hello))
    c.recv(4096)
    c.sendall(message(10, 2, document(ok=1)))
    c.recv(1)
else:
    c = socket.create_connection((sys.argv[1], 27017))
    c.sendall(query(1, document(isMaster=1, helloOk=True)))
    c.recv(4096)
    c.sendall(message(2, 0, document(ping=1, _Sdb="admin")))
    c.recv(4096)
'''


@scene({"tcp/27017": "mongodb"}, "python3", crafted="both", decode_as=["tcp.port==27017,mongo"])
def mongodb(lab):
    """isMaster as OP_QUERY, ping as OP_MSG."""
    program = lab.file("mongo.py", MONGO)
    lab.serve(f"{lab.python} {program} serve", "tcp/27017")
    with lab.recording():
        lab.run(f"{lab.python} {program} {lab.server}")


AMQP = """import socket, struct
def method(channel, klass, number, body):
    body = struct.pack('!HH', klass, number) + body
    return struct.pack('!BHI', 1, channel, len(body)) + body + b'\\xce'
s = socket.create_server(('', 5672))
c = s.accept()[0]
c.recv(8)
c.sendall(method(0, 10, 10, b'\\0\\x09' + struct.pack('!I', 0) + struct.pack('!I', 5) + b'PLAIN' + struct.pack('!I', 5) + b'en_US'))
c.recv(4096)
c.sendall(method(0, 10, 30, struct.pack('!HIH', 10, 131072, 60)))
c.recv(4096)
c.sendall(method(0, 10, 41, b'\\0'))
c.recv(4096)
"""


@scene({"tcp/5672": "amqp"}, "amqp-tools python3", crafted="server")
def amqp(lab):
    """amqp-publish logs in at a broker that goes away afterwards."""
    program = lab.file("broker.py", AMQP)
    lab.serve(f"{lab.python} {program}", "tcp/5672")
    with lab.recording():
        lab.run(f"timeout 5 amqp-publish -s {lab.server} -r lab -b hello", ok=None)
