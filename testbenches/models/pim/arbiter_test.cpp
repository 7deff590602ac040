// SPDX-License-Identifier: Apache-2.0
// The three rules of arbitration: sequences worked by hand, ties, fairness, and that nobody starves who need not.
#include "models/pim/arbiter.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <vector>

namespace mho::testbenches {
namespace {

using mapping::Arbitration;
using pim::Arbiter;
using pim::Request;
using sc_core::SC_NS;
using sc_core::sc_time;

Request from(int client, int since_ns = 0) { return {client, sc_time(since_ns, SC_NS)}; }

/// Clients in the order in which they are served when nobody comes anew.
std::vector<int> served(Arbiter& arbiter, std::vector<Request> waiting) {
  std::vector<int> order;
  while (!waiting.empty()) {
    const std::size_t next = arbiter.pick(waiting);
    order.push_back(waiting[next].client);
    waiting.erase(waiting.begin() + std::ptrdiff_t(next));
  }
  return order;
}

TEST_CASE("round robin goes on with the next number after the one served last, and round again") {
  Arbiter arbiter(Arbitration::kRoundRobin);
  CHECK(served(arbiter, {from(2), from(0), from(5)}) == std::vector<int>{0, 2, 5});
  // 5 was last: nobody is above, so it starts anew at 1. Then after 3 come 4, and round to 0 and 2.
  CHECK(served(arbiter, {from(3), from(1)}) == std::vector<int>{1, 3});
  CHECK(served(arbiter, {from(0), from(2), from(4)}) == std::vector<int>{4, 0, 2});
  // The one served last waits for all others even if it has waited longest.
  CHECK(served(arbiter, {from(2, 1), from(1, 9)}) == std::vector<int>{1, 2});
}

TEST_CASE("fixed priority serves the lowest number, whoever waited longest") {
  Arbiter arbiter(Arbitration::kFixedPriority);
  CHECK(served(arbiter, {from(3, 1), from(1, 7), from(2, 3)}) == std::vector<int>{1, 2, 3});
  CHECK(served(arbiter, {from(1, 7), from(0, 9)}) == std::vector<int>{0, 1});
}

TEST_CASE("first come serves who has waited longest, of equals the lowest number") {
  Arbiter arbiter(Arbitration::kFirstCome);
  CHECK(served(arbiter, {from(0, 5), from(3, 2), from(2, 2), from(1, 9)}) == std::vector<int>{2, 3, 0, 1});
  CHECK(served(arbiter, {from(2, 2), from(3, 2)}) == std::vector<int>{2, 3});  // who was last does not matter
}

TEST_CASE("of two requests of one client the older goes first, of equals the one listed first") {
  for (const Arbitration rule : {Arbitration::kRoundRobin, Arbitration::kFixedPriority, Arbitration::kFirstCome}) {
    Arbiter arbiter(rule);
    CHECK(arbiter.pick({from(1, 8), from(1, 3), from(1, 5)}) == 1);
    CHECK(arbiter.pick({from(1, 3), from(1, 3)}) == 0);
    CHECK(arbiter.pick({from(1, 4)}) == 0);
  }
}

TEST_CASE("a pick depends on who waits, not on the order in which they are listed") {
  std::mt19937 random(1);
  for (const Arbitration rule : {Arbitration::kRoundRobin, Arbitration::kFixedPriority, Arbitration::kFirstCome}) {
    Arbiter one(rule), other(rule);
    for (int turn = 0; turn < 500; ++turn) {
      std::vector<Request> waiting;
      for (int client = 0; client < 6; ++client)
        if (random() % 2 != 0) waiting.push_back(from(client, int(random() % 3)));
      if (waiting.empty()) continue;
      const int picked = waiting[one.pick(waiting)].client;
      std::shuffle(waiting.begin(), waiting.end(), random);
      CHECK(waiting[other.pick(waiting)].client == picked);
    }
  }
}

/// Client 0 and others ask again right after they were served, each service takes 1 ns. How often each was served.
std::vector<int> shares(Arbitration rule, int clients, int turns) {
  Arbiter arbiter(rule);
  std::vector<Request> waiting;
  for (int client = 0; client < clients; ++client) waiting.push_back(from(client));
  std::vector<int> count(static_cast<std::size_t>(clients));
  for (int turn = 0; turn < turns; ++turn) {
    Request& next = waiting[arbiter.pick(waiting)];
    ++count[std::size_t(next.client)];
    next.since = sc_time(turn + 1, SC_NS);
  }
  return count;
}

TEST_CASE("those who always wait share evenly by round robin and first come, and starve by fixed priority") {
  CHECK(shares(Arbitration::kRoundRobin, 4, 400) == std::vector<int>(4, 100));
  CHECK(shares(Arbitration::kFirstCome, 4, 400) == std::vector<int>(4, 100));
  CHECK(shares(Arbitration::kFixedPriority, 4, 400) == std::vector<int>{400, 0, 0, 0});
}

TEST_CASE("nobody is passed over longer than the others need for one turn each") {
  constexpr int kClients = 7;
  std::mt19937 random(2);
  for (const Arbitration rule : {Arbitration::kRoundRobin, Arbitration::kFirstCome}) {
    Arbiter arbiter(rule);
    std::vector<Request> waiting;
    std::vector<int> passed_over(kClients, -1);  // -1: does not wait
    for (int turn = 0; turn < 2000; ++turn) {
      for (int client = 0; client < kClients; ++client)
        if (passed_over[std::size_t(client)] < 0 && random() % 2 != 0) {
          waiting.push_back(from(client, turn));
          passed_over[std::size_t(client)] = 0;
        }
      if (waiting.empty()) continue;
      const std::size_t next = arbiter.pick(waiting);
      passed_over[std::size_t(waiting[next].client)] = -1;
      waiting.erase(waiting.begin() + std::ptrdiff_t(next));
      for (int& count : passed_over) {
        if (count >= 0) ++count;
        CHECK(count < kClients);
      }
    }
  }
}

}  // namespace
}  // namespace mho::testbenches
