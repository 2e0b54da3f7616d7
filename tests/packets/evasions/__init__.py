# SPDX-License-Identifier: Apache-2.0
"""The catalogue of evasions. `ROWS` are all of them; KERNEL is where `delivers` was measured last.

Rows that earlier measurements of the same kernel line told otherwise, or did not tell:
- chain_over_fragments: an IPv6 header chain cut inside its extension headers is delivered (it was reported as dropped);
  only a first fragment that holds the whole chain of extension headers but no whole transport header is dropped.
- timestamp_old_by_one: one tick back is taken, two are not.
- urgent_zero: urgent pointer 0 takes the first byte out of the stream, as 1 does."""
from packets.evasions import below_tcp, strategies, tcp
from packets.evasions.row import Row

__all__ = ["KERNEL", "ROWS", "Row"]

KERNEL = "Linux 6.18"
ROWS = [*tcp.ROWS, *below_tcp.ROWS, *strategies.ROWS]
