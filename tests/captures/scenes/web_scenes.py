# SPDX-License-Identifier: Apache-2.0
"""HTTP in its versions, TLS, QUIC, proxies, WebSocket and gRPC."""
from scenes.scene import scene


def nginx(lab, listen, ready, more=""):
    scratch = lab.folder_of("nginx", "www-data")
    lab.file("www/index.html", "<html><title>lab</title><p>nothing to see</html>\n")
    lab.file("www/file.bin", bytes(range(256)) * 4)
    paths = " ".join(f"{kind}_temp_path {scratch}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = lab.file("nginx.conf", f"""user www-data; worker_processes 1; daemon off; pid {scratch}/pid; error_log stderr;
events {{ worker_connections 64; }}
http {{ access_log off; {paths} {more}
  server {{ {' '.join(f'listen {one};' for one in listen)} root {lab.folder}/www; location = /post {{ return 200 "thanks"; }} }} }}
""")
    lab.serve(f"nginx -e stderr -p {scratch} -c {config}", ready)


def curl(lab, url, words="", ok=(0,)):
    return lab.run(f"curl -sS -k -o /dev/null {words} {url}", ok=ok)


@scene({"tcp/80": "http"}, "curl nginx-light")
def http_1(lab):
    """GET, HEAD, a range, a POST, something that is not there; IPv4 and IPv6."""
    nginx(lab, ("80", "[::]:80"), "tcp/80")
    with lab.recording():
        curl(lab, f"http://{lab.server}/")
        curl(lab, f"http://{lab.server}/", "-I")
        curl(lab, f"http://[{lab.server6}]/file.bin", "-r 10-99")
        curl(lab, f"http://{lab.server}/post", "-d name=value")
        curl(lab, f"http://{lab.server}/missing", "-0")


@scene({"tcp/2380": "http"}, "curl nginx-light", decode_as=["tcp.port==2380,http"])
def http_odd_port(lab):
    """HTTP on port 2380, two requests on one connection."""
    nginx(lab, ("2380",), "tcp/2380")
    with lab.recording():
        lab.run(f"curl -sS -o /dev/null -o /dev/null http://{lab.server}:2380/ http://{lab.server}:2380/file.bin")


@scene({"tcp/80": "http2"}, "curl nghttp2-server", decode_as=["tcp.port==80,http2"])
def http_2_prior_knowledge(lab):
    """HTTP/2 in clear from the first byte."""
    lab.file("www/index.html", "hello\n")
    lab.serve(f"nghttpd --no-tls -d {lab.folder}/www 80", "tcp/80")
    with lab.recording():
        curl(lab, f"http://{lab.server}/index.html", "--http2-prior-knowledge")


@scene({"tcp/80": "http"}, "curl nghttp2-proxy nginx-light")
def http_2_upgrade(lab):
    """HTTP/1.1 that asks to go on as h2c, and does."""
    nginx(lab, ("127.0.0.1:8080",), "tcp/8080")
    lab.serve("nghttpx --frontend=*,80;no-tls --backend=127.0.0.1,8080 --workers=1 --no-ocsp", "tcp/80")
    with lab.recording():
        curl(lab, f"http://{lab.server}/index.html", "--http2")


def https(lab, *requests, port=443, more=""):
    crt, key = lab.certificate()
    nginx(lab, (f"{port} ssl http2",), f"tcp/{port}", f"ssl_certificate {crt}; ssl_certificate_key {key}; {more}")
    with lab.recording():
        for words in requests:
            curl(lab, f"https://server.lab:{port}/", f"--resolve server.lab:{port}:{lab.server} {words}")


@scene({"tcp/443": "tls"}, "curl nginx-light")
def tls_1_2(lab):
    """TLS 1.2 with ALPN h2, and with http/1.1."""
    https(lab, "--tls-max 1.2", "--tls-max 1.2 --http1.1", more="ssl_protocols TLSv1.2;")


@scene({"tcp/443": "tls"}, "curl nginx-light")
def tls_1_3(lab):
    """TLS 1.3 with ALPN h2, and with http/1.1."""
    https(lab, "--tlsv1.3", "--tlsv1.3 --http1.1", more="ssl_protocols TLSv1.3;")


@scene({"tcp/7443": "tls"}, "curl nginx-light")
def tls_odd_port(lab):
    """TLS on port 7443, without a name."""
    crt, key = lab.certificate()
    nginx(lab, ("7443 ssl",), "tcp/7443", f"ssl_certificate {crt}; ssl_certificate_key {key};")
    with lab.recording():
        curl(lab, f"https://{lab.server}:7443/")


@scene({"tcp/4433": "tls"}, "openssl")
def tls_openssl(lab):
    """openssl at both ends: 1.3, 1.2 without extended master secret, a client certificate, resumption."""
    crt, key = lab.certificate()
    lab.serve(f"openssl s_server -accept 4433 -cert {crt} -key {key} -verify 1 -www", "tcp/4433")
    connect = f"openssl s_client -connect {lab.server}:4433 -servername server.lab"
    with lab.recording():
        lab.run(connect, text="Q\n", ok=None)
        lab.run(f"{connect} -tls1_2", text="Q\n", ok=None)
        lab.run(f"{connect} -tls1_2 -cert {crt} -key {key}", text="Q\n", ok=None)


@scene({"udp/4433": "unidentified"}, "openssl")
def dtls(lab):
    """DTLS 1.2 between openssl and itself."""
    crt, key = lab.certificate()
    lab.serve(f"openssl s_server -dtls -accept 4433 -cert {crt} -key {key} -quiet", "udp/4433")
    with lab.recording():
        lab.run(f"timeout 2 openssl s_client -dtls -connect {lab.server}:4433", text="hello\n", ok=None)


@scene({"udp/4433": "http3"}, "ngtcp2-client ngtcp2-server")
def quic(lab):
    """HTTP/3 between ngtcp2's client and server."""
    crt, key = lab.certificate()
    lab.file("www/index.html", "hello\n")
    lab.serve(f"gtlsserver -q -d {lab.folder}/www {lab.server} 4433 {key} {crt}", "udp/4433")
    with lab.recording():
        lab.run(f"timeout 4 gtlsclient -q --exit-on-all-streams-close {lab.server} 4433 https://server.lab/index.html", ok=None)


@scene({"udp/443": "http3"}, "ngtcp2-client ngtcp2-server")
def quic_443(lab):
    """The same on port 443 over IPv6."""
    crt, key = lab.certificate()
    lab.file("www/index.html", "hello\n")
    lab.serve(f"gtlsserver -q -d {lab.folder}/www {lab.server6} 443 {key} {crt}", "udp/443")
    with lab.recording():
        lab.run(f"timeout 4 gtlsclient -q --exit-on-all-streams-close {lab.server6} 443 https://server.lab/index.html", ok=None)


def tinyproxy(lab):
    nginx(lab, (f"{lab.server}:80",), "tcp/80")
    config = lab.file("tinyproxy.conf", "Port 8888\nTimeout 60\nMaxClients 10\nLogLevel Error\nConnectPort 80\n")
    lab.serve(f"tinyproxy -d -c {config}", "tcp/8888")


@scene({"tcp/8888": "http_proxy"}, "curl tinyproxy nginx-light")
def http_proxy(lab):
    """GET of a whole URL through a proxy."""
    tinyproxy(lab)
    with lab.recording():
        curl(lab, f"http://{lab.server}/", f"-x http://{lab.server}:8888")


@scene({"tcp/8888": "http_connect"}, "curl tinyproxy nginx-light")
def http_connect(lab):
    """CONNECT through a proxy, then HTTP."""
    tinyproxy(lab)
    with lab.recording():
        curl(lab, f"http://{lab.server}/", f"-p -x http://{lab.server}:8888")


@scene({"tcp/1080": "socks"}, "curl microsocks nginx-light")
def socks_5(lab):
    """SOCKS 5 without and with a password."""
    nginx(lab, (f"{lab.server}:80",), "tcp/80")
    lab.serve("microsocks -p 1080 -u lab -P test -1", "tcp/1080")
    with lab.recording():
        curl(lab, f"http://{lab.server}/", f"--socks5 lab:test@{lab.server}:1080")
        curl(lab, f"http://{lab.server}/", f"--socks5 {lab.server}:1080")


@scene({"tcp/1080": "socks"}, "curl openssh-client openssh-server nginx-light")
def socks_4(lab):
    """SOCKS 4 and 4a to ssh -D."""
    nginx(lab, (f"{lab.server}:80",), "tcp/80")
    from scenes.shell_scenes import ssh_server
    key = ssh_server(lab, 22)
    lab.serve(f"ssh -N -D {lab.server}:1080 -i {key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null {lab.server}",
              "tcp/1080")
    with lab.recording():
        curl(lab, f"http://{lab.server}/", f"--socks4 {lab.server}:1080")
        curl(lab, f"http://{lab.server}/", f"--socks4a {lab.server}:1080")


@scene({"tcp/8765": "websocket"}, "python3-websockets", decode_as=["tcp.port==8765,http"])
def websocket(lab):
    """Messages over a WebSocket."""
    server = lab.file("server.py", "import asyncio, websockets\nasync def echo(ws):\n    async for m in ws:\n        await ws.send(m)\n"
                      "async def main():\n    async with websockets.serve(echo, '0.0.0.0', 8765):\n        await asyncio.Future()\n"
                      "asyncio.run(main())\n")
    client = lab.file("client.py", "import asyncio, sys, websockets\nasync def main():\n"
                      "    async with websockets.connect(f'ws://{sys.argv[1]}:8765/chat') as ws:\n"
                      "        await ws.send('hello'); print(await ws.recv())\nasyncio.run(main())\n")
    lab.serve(f"{lab.python} {server}", "tcp/8765")
    with lab.recording():
        lab.run(f"{lab.python} {client} {lab.server}")


@scene({"tcp/50051": "http2"}, "python3-grpcio", decode_as=["tcp.port==50051,http2"])
def grpc(lab):
    """A gRPC call in clear."""
    server = lab.file("server.py", "import grpc, time\nfrom concurrent.futures import ThreadPoolExecutor\n"
                      "class Any(grpc.GenericRpcHandler):\n    def service(self, details):\n"
                      "        return grpc.unary_unary_rpc_method_handler(lambda request, context: request)\n"
                      "s = grpc.server(ThreadPoolExecutor(2), handlers=(Any(),))\ns.add_insecure_port('0.0.0.0:50051')\ns.start()\n"
                      "time.sleep(60)\n")
    client = lab.file("client.py", "import grpc, sys\nwith grpc.insecure_channel(f'{sys.argv[1]}:50051') as c:\n"
                      "    print(c.unary_unary('/lab.Echo/Say')(b'hello', timeout=5))\n")
    lab.serve(f"{lab.python} {server}", "tcp/50051")
    with lab.recording():
        lab.run(f"{lab.python} {client} {lab.server}")


@scene({"tcp/80": "http"}, "apt nginx-light")
def apt(lab):
    """apt fetches a file."""
    nginx(lab, ("80",), "tcp/80")
    with lab.recording():
        lab.run(f"/usr/lib/apt/apt-helper -o Acquire::http::Proxy=DIRECT download-file http://{lab.server}/file.bin {lab.folder}/got")


@scene({"tcp/443": "http"}, "curl nginx-light", decode_as=["tcp.port==443,http"])
def http_on_443(lab):
    """HTTP in clear where TLS is usual."""
    nginx(lab, ("443",), "tcp/443")
    with lab.recording():
        curl(lab, f"http://{lab.server}:443/")
