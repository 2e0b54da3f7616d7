// SPDX-License-Identifier: Apache-2.0
// How a thread that is no worker reads the running policy: one pointer per round, quiescence reported after
// it, none held while the thread sleeps. The thread that made it.
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>

#include "classify/policy_snapshot.h"

namespace postern::dataplane {

class PolicyReader {
 public:
  // Both outlive the reader; `number` is its own in `quiescence`.
  PolicyReader(const std::atomic<const classify::PolicySnapshot*>& current, rte_rcu_qsbr& quiescence,
               unsigned number) noexcept
      : current_(current), quiescence_(quiescence), number_(number) {
    rte_rcu_qsbr_thread_register(&quiescence_, number_);
    wake();
  }
  ~PolicyReader() {
    sleep();
    rte_rcu_qsbr_thread_unregister(&quiescence_, number_);
  }
  PolicyReader(const PolicyReader&) = delete;
  PolicyReader& operator=(const PolicyReader&) = delete;

  // Whatever was read before is not used any more.
  const classify::PolicySnapshot& next_round() noexcept {
    rte_rcu_qsbr_quiescent(&quiescence_, number_);
    return *current_.load(std::memory_order_acquire);
  }
  void sleep() noexcept { rte_rcu_qsbr_thread_offline(&quiescence_, number_); }
  void wake() noexcept { rte_rcu_qsbr_thread_online(&quiescence_, number_); }

 private:
  const std::atomic<const classify::PolicySnapshot*>& current_;
  rte_rcu_qsbr& quiescence_;
  unsigned number_;
};

}  // namespace postern::dataplane
