# SPDX-License-Identifier: Apache-2.0
"""Packets for tests: hosts with their places, conversations, payloads and capture files. Frames are scapy packets."""
