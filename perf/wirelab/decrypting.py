# SPDX-License-Identifier: Apache-2.0
"""What makes posternd decrypt the stands' HTTPS: a pack with one rule, the application it names, and certificates."""
from dataclasses import dataclass

from wirelab.stand import HTTPS, HTTPS_TEN, SERVER, TLS_PORTS

APPLICATION = """catalogue: 1
applications:
  - {{app_id: lab_web, kind: composite, category: infrastructure, risk: 1,
     members: [{{application: tls, protocol: tcp, ports: {ports}}}]}}
"""
PACK = """id: perf
schema_version: 1.0.0
version: 1.0.0
trust_tier: community
title: {{en: Measurements, fr: Mesures}}
description: {{en: Decrypts what the stands send over TLS., fr: Déchiffre le TLS des bancs.}}
authors: [{{name: postern, org: postern}}]
mitre_attack: []
threat_model:
  summary: {{en: None., fr: Aucune.}}
  attacker_goal: {{en: None., fr: Aucun.}}
  key_controls: [decryption]
rules:
  - action: allow
    direction: inbound
    zones: {{source: [trust], destination: [management]}}
    application: {{app_id: lab_web, category: infrastructure, risk: 1}}
    decryption: {{mode: {mode}}}
    security_profiles: {{url_filtering: {{credential_phishing: alert}}}}
    logging: {{forwarding: all, log_end: true}}
    rationale: {{en: Measured., fr: Mesuré.}}
"""


@dataclass(frozen=True)
class Cores:
    """Where posternd's threads run."""
    worker: int
    tls: int


@dataclass(frozen=True)
class Decryption:
    """How the stands' HTTPS is decrypted, and where, if that matters."""
    mode: str = "ssl_inbound_inspection"
    cores: Cores | None = None

    def site_text(self, stand):
        """The part of the site file that decrypts; the files that it names are written beside it."""
        ports = [HTTPS, HTTPS_TEN, *TLS_PORTS.values()]
        for name, text in (("pack.yaml", PACK.format(mode=self.mode)), ("catalogue.yaml", APPLICATION.format(ports=ports))):
            with open(f"{stand.folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        workers = f"cores: [{self.cores.worker}]\n" if self.cores else ""
        threads = f", cores: [{self.cores.tls}]" if self.cores else ""
        inbound = ", ".join(f'{{certificate: "{stand.shared}/{key}.crt", key: "{stand.shared}/{key}.key", '
                            f'servers: [{SERVER}/32]}}' for key in ("ecdsa", "rsa"))
        return f"""packs: [pack.yaml]
catalogues: [catalogue.yaml]
{workers}tls: {{threads: 1, inbound: [{inbound}]{threads}}}"""
