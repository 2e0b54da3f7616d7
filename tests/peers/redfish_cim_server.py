#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small BMC: Redfish over TLS on 443, CIM-XML over TLS on 5989 and in clear on 5988.

POST /redfish/v1/UpdateService/update answers length and SHA-256 of what it received.
GET /firmware/NAME serves a file of the folder given with --files.
"""
import argparse
import hashlib
import json
import os
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def resource(path, kind, name, **members):
    return {"@odata.id": path, "@odata.type": f"#{kind}", "Id": path.rsplit("/", 1)[-1], "Name": name, **members}


def collection(path, kind, name, *members):
    return {"@odata.id": path, "@odata.type": f"#{kind}.{kind}", "Name": name,
            "Members@odata.count": len(members), "Members": [{"@odata.id": member} for member in members]}


ROOT = "/redfish/v1"
REDFISH = {
    "/redfish": {"v1": f"{ROOT}/"},
    ROOT: resource(ROOT, "ServiceRoot.v1_15_0.ServiceRoot", "Root Service", RedfishVersion="1.18.0",
                   **{part: {"@odata.id": f"{ROOT}/{part}"}
                      for part in ("Systems", "Chassis", "Managers", "UpdateService", "SessionService")}),
    f"{ROOT}/Systems": collection(f"{ROOT}/Systems", "ComputerSystemCollection", "Systems", f"{ROOT}/Systems/1"),
    f"{ROOT}/Systems/1": resource(f"{ROOT}/Systems/1", "ComputerSystem.v1_20_0.ComputerSystem", "Server",
                                  PowerState="On", SystemType="Physical", Status={"State": "Enabled", "Health": "OK"}),
    f"{ROOT}/Chassis": collection(f"{ROOT}/Chassis", "ChassisCollection", "Chassis", f"{ROOT}/Chassis/1"),
    f"{ROOT}/Chassis/1": resource(f"{ROOT}/Chassis/1", "Chassis.v1_23_0.Chassis", "Chassis", ChassisType="RackMount"),
    f"{ROOT}/Managers": collection(f"{ROOT}/Managers", "ManagerCollection", "Managers", f"{ROOT}/Managers/bmc"),
    f"{ROOT}/Managers/bmc": resource(f"{ROOT}/Managers/bmc", "Manager.v1_18_0.Manager", "BMC", ManagerType="BMC",
                                     FirmwareVersion="1.0.0"),
    f"{ROOT}/UpdateService": resource(f"{ROOT}/UpdateService", "UpdateService.v1_13_0.UpdateService", "Update Service",
                                      ServiceEnabled=True, HttpPushUri=f"{ROOT}/UpdateService/update"),
    f"{ROOT}/SessionService": resource(f"{ROOT}/SessionService", "SessionService.v1_1_9.SessionService",
                                       "Session Service", Sessions={"@odata.id": f"{ROOT}/SessionService/Sessions"}),
}

CIM_ANSWER = """<?xml version="1.0" encoding="utf-8"?>
<CIM CIMVERSION="2.0" DTDVERSION="2.0"><MESSAGE ID="{id}" PROTOCOLVERSION="1.0"><SIMPLERSP>
<IMETHODRESPONSE NAME="EnumerateInstanceNames"><IRETURNVALUE><INSTANCENAME CLASSNAME="CIM_ComputerSystem">
<KEYBINDING NAME="Name"><KEYVALUE VALUETYPE="string">bmc.lab</KEYVALUE></KEYBINDING>
</INSTANCENAME></IRETURNVALUE></IMETHODRESPONSE></SIMPLERSP></MESSAGE></CIM>
"""


class Bmc(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files = ""

    def setup(self):
        self.request.settimeout(60)
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def do_GET(self):
        path = self.path.split("?")[0].rstrip("/")
        if path in REDFISH:
            self.answer(200, "application/json", json.dumps(REDFISH[path]).encode())
        elif path.startswith("/firmware/"):
            self.send_file(os.path.basename(path))
        else:
            self.answer(404, "application/json", b'{"error": {"code": "Base.1.18.ResourceMissingAtURI"}}')

    def do_POST(self):
        length, digest, head = self.read_body()
        if self.path.startswith("/cimom"):
            if b"<CIM " not in head:
                self.answer(400, "text/plain", b"not CIM-XML\n")
                return
            message = head.partition(b'MESSAGE ID="')[2].partition(b'"')[0].decode("ascii", "replace") or "1"
            self.answer(200, 'application/xml; charset="utf-8"', CIM_ANSWER.format(id=message).encode(),
                        {"CIMOperation": "MethodResponse"})
        elif self.path == f"{ROOT}/SessionService/Sessions":
            self.answer(201, "application/json", b"{}", {"X-Auth-Token": "lab", "Location": self.path + "/1"})
        elif self.path == f"{ROOT}/UpdateService/update":
            self.answer(200, "application/json", json.dumps({"bytes": length, "sha256": digest}).encode())
        else:
            self.answer(404, "text/plain", b"")

    def read_body(self):
        """Reads the whole body but keeps only its first 64 KiB."""
        left = length = int(self.headers.get("Content-Length", 0))
        digest, head = hashlib.sha256(), b""
        while left:
            chunk = self.rfile.read(min(left, 65536))
            if not chunk:
                break
            head = head or chunk
            digest.update(chunk)
            left -= len(chunk)
        return length - left, digest.hexdigest(), head

    def send_file(self, name):
        try:
            with open(os.path.join(self.files, name), "rb") as image:
                self.answer(200, "application/octet-stream", image.read())
        except OSError:
            self.answer(404, "text/plain", b"")

    def answer(self, status, kind, body, headers=None):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), "OData-Version": "4.0",
                            **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True

    def __init__(self, port, tls):
        super().__init__(("::", port), Bmc, bind_and_activate=False)
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.server_bind()
        self.server_activate()
        if tls:  # the handshake belongs to the connection's thread: a silent client must not stop the others
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        pass  # clients that go away are part of the lab


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--cert", required=True)
    words.add_argument("--key", required=True)
    words.add_argument("--files", default=".")
    words = words.parse_args()
    Bmc.files = words.files
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(words.cert, words.key)
    for server in (Server(5988, None), Server(5989, tls)):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    Server(443, tls).serve_forever()


if __name__ == "__main__":
    main()
