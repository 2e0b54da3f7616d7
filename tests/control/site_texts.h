// SPDX-License-Identifier: Apache-2.0
// A site file and a pack that fit each other, for tests that change one line. Lines are counted on.
#pragma once

#include <string>

namespace postern::control {

inline const std::string kSite =
    R"(site: rack12
packs: [pack.yaml]
workers: 2
cores: [2, 3]
flows: 4096
mtu: 1500
wires:
  - wire: front
    sides:
      it: af_xdp:fw-it0
      management: af_packet:fw-mg0
    vlan_map: {10: 110}
    on_failure: closed
    l2: {lldp: drop}
zones:
  - {zone: trust, wire: front, side: it, prefixes: [10.1.0.0/24, "fd01::/64"]}
  - {zone: internal, wire: front, side: it, vlan: 10, prefixes: [10.2.0.0/24]}
  - {zone: management, wire: front, side: management}
applications:
  infra_mgmt_web: {servers: [10.3.0.10]}
  bmc_management: {servers: [10.4.0.0/24], opt_in: [ipmi_2_0]}
identity:
  groups: {deployment_defined: [oob_admins]}
  users:   [{user: alice, address: 10.1.0.5, groups: [oob_admins], posture: compliant}]
  devices: [{device: vcenter, address: 10.1.0.9, groups: [oob_admins], posture: compliant}]
rules:
  before:
    - rule: allow_ntp
      action: allow
      zones: {source: [management], destination: [internal]}
      source: [10.3.0.0/24]
      destination: [10.2.0.53]
      protocol: udp
      ports: [123, "5000-5010"]
      application: any_application
      service: any
      logging: {forwarding: siem_default, log_start: true}
  after:
    - rule: drop_rest
      action: drop
      zones: {source: [trust], destination: [management]}
logging:
  directory: logs
  forwarding:
    siem_default: {file: siem_default.json}
    siem_high_priority: {file: /srv/high.json}
  default_rule: siem_default
  stats_seconds: 5
exceptions:
  midstream: pass
pending: {packets: 8, bytes: 4096, seconds: 3}
timeouts: {udp: 90}
control: {socket: run/control.sock, group: postern}
)";

inline const std::string kSitePack =
    R"(id: sample
schema_version: 1.0.0
version: 1.2.3
trust_tier: community
title: {en: Sample, fr: Exemple}
description: {en: Text, fr: Texte}
authors: [{name: Someone, org: Somewhere}]
mitre_attack: []
threat_model: {summary: {en: a, fr: b}, attacker_goal: {en: a, fr: b}, key_controls: [segmentation]}
rules:
  - action: allow
    direction: inbound
    zones: {source: [trust, internal], destination: [management]}
    application: {app_id: infra_mgmt_web, category: infrastructure, risk: 4}
    identity: {user_groups: [deployment_defined], device_posture: compliant}
    decryption: {mode: ssl_inbound_inspection}
    security_profiles: {ips: {action: block}}
    logging: {forwarding: siem_high_priority, log_end: true, log_start: true}
    rationale: {en: a, fr: b}
  - action: drop
    direction: internal
    zones: {source: [management], destination: [management]}
    application: {app_id: clear_text_mgmt, category: infrastructure, risk: 4}
    logging: {forwarding: siem_default, log_end: true}
    rationale: {en: a, fr: b}
)";

}  // namespace postern::control
