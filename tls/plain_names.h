// SPDX-License-Identifier: Apache-2.0
// Whether the names in a certificate are what they seem: no NUL and no control bytes in its subject and its
// alternative names (a C program reads "bank.example\0.evil.example" as a bank's), and one list of the
// latter at most, that can be read. Any thread.
#pragma once

struct x509_st;

namespace postern::tls {

bool has_plain_names(const x509_st* certificate) noexcept;

}  // namespace postern::tls
