// SPDX-License-Identifier: Apache-2.0
// The transaction log byte by byte, there and back, cut off, on disks that refuse.
#include "models/observe/transaction_log.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "models/input_error.h"
#include "testbenches/models/observe/log_files.h"
#include "testbenches/strict_reports.h"

using namespace mho;
using namespace mho::observe;
using namespace mho::observe::testbenches;
using sc_core::sc_time;

namespace {

using namespace std::string_literals;

/// Magic, version 1, exponent -12 as 23, 11 kinds.
const std::string kHeader =
    "\x89mholog\n\x01\x17\x0b"s
    "\x07"
    "command\x04rows\x06"
    "buffer\x05lines\x08transfer\x05"
    "bytes\x05"
    "array\x06slices\x0a"
    "conversion"
    "\x0b"
    "conversions\x09shift_add\x09"
    "additions\x08"
    "function\x05"
    "codes\x03hop\x05"
    "flits\x04link\x04"
    "bits"
    "\x07program\x04rows\x06memory\x05"
    "bytes"s;

sc_time ps(std::uint64_t value) { return sc_time::from_value(value); }

/// Converter 2 of a.adc: 128 conversions from 1000 to 1100 ps, then ten items every 50 ps from 900 ps on.
std::vector<Occupation> two_occupations() {
  Occupation first = conversion("a.adc", 1, 1000, 1100);
  first.lane = 2;
  first.work = 128;
  Occupation second = first;
  second.id = 5;
  second.parent = 3;
  second.operation = 7;
  second.node = 4;
  second.items = 10;
  second.interval = ps(50);
  second.begin = ps(900);
  second.end = ps(900 + 9 * 50 + 100);
  return {first, second};
}

// Definitions: module 0 a.adc; server 0 is module 0, lane 2 (4), kind 4.
// First:  server 0 + 3, flags work 32 + service 128, begin +1000 (2000 = d0 0f), work 128 (80 01), service 100,
//         latency 100 (200 = c8 01).
// Second: flags id 1 + parent 2 + operation 4 + node 8 + items 16 + interval 64, begin -100 (199 = c7 01),
//         id 5 - 2 (6), parent +3 (6), operation +7 (14), node 4 + 1 (10), 10 items, interval 50, latency 100.
const std::string kDefinitions =
    "\x01\x05"
    "a.adc\x02\x00\x04\x04"s;
const std::string kFirst = "\x03\xa0\xd0\x0f\x80\x01\x64\xc8\x01"s;
const std::string kSecond = "\x03\x5f\xc7\x01\x06\x06\x0e\x0a\x0a\x32\xc8\x01"s;
// 2 records; python3: zlib.adler32 of everything before is 0xc26944a2.
const std::string kFooter = "\x00\x02"s;
const std::string kChecksum = "\xa2\x44\x69\xc2"s;

std::string logged(const std::vector<Occupation>& occupations) {
  TemporaryFile file;
  TransactionLog log(file.path());
  for (const Occupation& occupation : occupations) log.record(occupation);
  log.close();
  return file.bytes();
}

/// Whatever a field may hold, extremes most of all.
struct RandomOccupations {
  std::mt19937_64 random{20240611};
  std::vector<std::string> modules{"a", "a.b", "tile_0.adc", std::string(5000, 'x'), ""};

  std::uint64_t number() {
    switch (random() % 4) {
      case 0:
        return random();
      case 1:
        return random() % 3;
      case 2:
        return 0 - random() % 3;
      default:
        return random() % 100000;
    }
  }
  Occupation next() {
    Occupation occupation;
    occupation.module = modules[random() % modules.size()].c_str();
    occupation.lane = int(random() % 4 == 0 ? random() : random() % 100);
    occupation.kind = Kind(random() % kKinds);
    occupation.id = number();
    occupation.parent = number();
    occupation.operation = number();
    occupation.node = int(number());
    occupation.items = number();
    occupation.work = number();
    occupation.begin = ps(number());
    occupation.end = ps(number());
    occupation.interval = ps(number());
    occupation.service = ps(number());
    return occupation;
  }
};

void check_equal(const LogTables& tables, const LoggedOccupation& read, const Occupation& written) {
  const LoggedServer& server = tables.servers.at(read.server);
  CHECK(tables.modules.at(server.module) == std::string(written.module).substr(0, 4096));
  CHECK(server.lane == written.lane);
  CHECK(tables.kinds.at(server.kind).name == describe(written.kind).name);
  CHECK(tables.kinds.at(server.kind).work_unit == describe(written.kind).work_unit);
  CHECK(read.id == written.id);
  CHECK(read.parent == written.parent);
  CHECK(read.operation == written.operation);
  CHECK(read.node == written.node);
  CHECK(read.items == written.items);
  CHECK(read.work == written.work);
  CHECK(read.begin == written.begin.value());
  CHECK(read.end == written.end.value());
  CHECK(read.interval == written.interval.value());
  CHECK(read.service == written.service.value());
}

struct FillsTheDisk : sc_core::sc_module {
  FillsTheDisk(sc_core::sc_module_name module_name, Recorder& to) : sc_module(module_name), recorder(to) {
    SC_HAS_PROCESS(FillsTheDisk);
    SC_METHOD(run);
  }
  void run() {
    ++id;
    recorder.record(conversion(name(), id, id * 1000, id * 1000 + 500));
    next_trigger(ps(1000));
  }
  Recorder& recorder;
  std::uint64_t id = 0;
};

}  // namespace

TEST_CASE("two occupations are the bytes that the format says") {
  const std::string before_checksum = kHeader + kDefinitions + kFirst + kSecond + kFooter;
  CHECK(logged(two_occupations()).substr(0, before_checksum.size()) == before_checksum);
  CHECK(logged(two_occupations()).substr(before_checksum.size()) == kChecksum);
}

TEST_CASE("a log without occupations is complete") {
  TemporaryFile file;
  file.write(logged({}));
  const ReadBack back = read_back(file.path());
  CHECK(back.end.complete);
  CHECK(back.end.records == 0);
  CHECK(back.end.tables.exponent == -12);
  CHECK(back.end.tables.kinds.size() == kKinds);
}

TEST_CASE("everything that is recorded is read back") {
  TemporaryFile file;
  RandomOccupations source;
  std::vector<Occupation> written;
  for (int i = 0; i < 20000; ++i) written.push_back(source.next());
  file.write(logged(written));
  const ReadBack back = read_back(file.path());
  CHECK(back.end.complete);
  CHECK(back.end.records == written.size());
  REQUIRE(back.occupations.size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i) check_equal(back.end.tables, back.occupations[i], written[i]);
}

TEST_CASE("a log that is cut off anywhere is read up to its last complete occupation") {
  TemporaryFile file;
  const std::string whole = logged(two_occupations());
  const std::size_t first_end = (kHeader + kDefinitions + kFirst).size(), second_end = first_end + kSecond.size();
  for (std::size_t bytes = kHeader.size(); bytes < whole.size(); ++bytes) {
    file.write(whole.substr(0, bytes));
    const ReadBack back = read_back(file.path());
    INFO(bytes);
    CHECK(!back.end.complete);
    CHECK(back.end.records == (bytes < first_end ? 0 : bytes < second_end ? 1 : 2));
    CHECK(back.occupations.size() == back.end.records);
  }
  file.write(whole);
  CHECK(read_back(file.path()).end.complete);
  for (std::size_t bytes = 0; bytes < kHeader.size(); ++bytes) {
    file.write(whole.substr(0, bytes));
    CHECK_THAT(refusal(file.path()), Catch::Contains("is empty or ends within its first lines"));
  }
}

TEST_CASE("a log is on disk as the run goes on, and an ordinary occupation takes few bytes") {
  TemporaryFile file;
  TransactionLog log(file.path());
  Occupation occupation = two_occupations().front();
  log.record(occupation);
  CHECK(read_back(file.path()).end.tables.kinds.size() == kKinds);
  constexpr std::uint64_t kMany = 100'000;
  for (std::uint64_t i = 2; i <= kMany; ++i) {
    occupation.id = i;
    occupation.begin += ps(123456 * (i % 3));
    occupation.end = occupation.begin + ps(800000);
    log.record(occupation);
  }
  const ReadBack killed = read_back(file.path());
  CHECK(!killed.end.complete);
  CHECK(killed.end.records > kMany - 20000);
  log.close();
  CHECK(log.records() == kMany);
  CHECK(read_back(file.path()).end.records == kMany);
  CHECK(file.bytes().size() < 12 * kMany);
}

TEST_CASE("a log is closed when an exception passes it") {
  TemporaryFile file;
  try {
    TransactionLog log(file.path());
    log.record(two_occupations().front());
    throw std::runtime_error("the run fails");
  } catch (const std::runtime_error&) {
  }
  CHECK(read_back(file.path()).end.complete);
  CHECK(read_back(file.path()).end.records == 1);
}

TEST_CASE("nothing is recorded behind the end of a log") {
  TemporaryFile file;
  TransactionLog log(file.path());
  log.close();
  log.record(two_occupations().front());
  log.close();
  CHECK(log.records() == 0);
  CHECK(read_back(file.path()).end.complete);
}

TEST_CASE("servers are told apart by name, lane and kind, not by the address of the name") {
  TemporaryFile file;
  TransactionLog log(file.path());
  char name[] = "first";
  const std::string same = "first";
  log.record(conversion(name, 1, 0, 1));
  log.record(conversion(same.c_str(), 2, 0, 1));
  std::strcpy(name, "other");
  log.record(conversion(name, 3, 0, 1));
  std::strcpy(name, "first");
  log.record(conversion(name, 4, 0, 1));
  Occupation lane = conversion(name, 5, 0, 1), kind = lane;
  lane.lane = 1;
  kind.kind = Kind::kArray;
  log.record(lane);
  log.record(kind);
  log.close();
  const ReadBack back = read_back(file.path());
  std::vector<std::size_t> servers;
  for (const LoggedOccupation& occupation : back.occupations) servers.push_back(occupation.server);
  CHECK(servers == std::vector<std::size_t>{0, 0, 1, 0, 2, 3});
  CHECK(back.end.tables.modules == std::vector<std::string>{"first", "other"});
  CHECK(back.end.tables.servers.size() == 4);
}

TEST_CASE("a log that cannot be opened is refused in one line") {
  try {
    TransactionLog log("/gone/folder/transactions.bin");
    FAIL("opened");
  } catch (const InputError& error) {
    CHECK(std::string(error.what()) ==
          "/gone/folder/transactions.bin: cannot be written: No such file or directory (a file on a disk with room for "
          "it)");
  }
}

TEST_CASE("a full disk ends the simulation with one clear error") {
  TransactionLog log("/dev/full");
  FillsTheDisk module("module", log);
  CHECK_THROWS_WITH(sc_core::sc_start(), Catch::Contains("/dev/full: cannot be written: No space left on device"));
  CHECK(log.failed());
  CHECK_THROWS_AS(log.close(), InputError);
  CHECK_NOTHROW(log.record(two_occupations().front()));
}

TEST_CASE("a disk that is full at the end is seen by close, and the destructor keeps quiet") {
  TransactionLog log("/dev/full");
  CHECK_THROWS_WITH(log.close(), Catch::StartsWith("/dev/full: cannot be written: No space left on device"));
}
