// SPDX-License-Identifier: Apache-2.0
// The reader of transaction logs on files that are no logs, on damaged ones, and on thousands of random mutants.
#include "models/observe/log_reader.h"

#include <catch2/catch.hpp>
#include <random>

#include "models/input_error.h"
#include "models/observe/log_format.h"
#include "models/observe/transaction_log.h"
#include "testbenches/models/observe/log_files.h"

using namespace mho;
using namespace mho::observe;
using namespace mho::observe::testbenches;

namespace {

using namespace std::string_literals;

const std::string kMagic = "\x89mholog\n"s;
/// Version 1, picoseconds, one kind.
const std::string kShortHeader = kMagic + "\x01\x17\x01\x04kind\x04unit"s;
const std::string kLargest = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s;

/// `body` with a footer that fits it.
std::string closed(const std::string& body, char records) {
  std::string bytes = body + '\0' + records;
  log_format::Checksum sum;
  sum.add(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  for (int i = 0; i < 4; ++i) bytes += char(sum.value() >> (8 * i));
  return bytes;
}

std::string refusal_of(const std::string& bytes) {
  TemporaryFile file;
  file.write(bytes);
  const std::string line = refusal(file.path());
  CHECK((line.empty() || line.rfind(file.path() + ": ", 0) == 0));
  return line;
}

std::string small_log() {
  static const char* const kModules[] = {"platform.tile_0.adc", "platform.tile_1.adc", "platform.scheduler"};
  TemporaryFile file;
  TransactionLog log(file.path());
  std::mt19937 random(7);
  for (std::uint64_t id = 1; id <= 60; ++id) {
    Occupation occupation = conversion(kModules[random() % 3], id, random() % 1000000, 2000000);
    occupation.lane = int(random() % 3);
    occupation.kind = Kind(random() % kKinds);
    occupation.items = random() % 2 == 0 ? 1 : random() % 200;
    occupation.node = int(random() % 30);
    log.record(occupation);
  }
  log.close();
  return file.bytes();
}

void mutate(std::string& bytes, std::mt19937& random) {
  const auto place = [&] { return bytes.empty() ? 0 : random() % bytes.size(); };
  switch (random() % 7) {
    case 0:
      if (!bytes.empty()) bytes[place()] ^= char(1u << (random() % 8));
      break;
    case 1:
      if (!bytes.empty()) bytes[place()] = char(random());
      break;
    case 2:
      bytes.erase(place(), random() % 20);
      break;
    case 3:
      bytes.insert(place(), bytes.substr(place(), random() % 40));
      break;
    case 4:
      bytes.resize(place());
      break;
    case 5:
      bytes.insert(place(), kLargest);
      break;
    default:
      bytes.insert(place(), 1, char(random() % 4));
      break;
  }
}

}  // namespace

TEST_CASE("what is no log, or of another version, is refused in one line") {
  CHECK_THAT(refusal("/gone/transactions.bin"),
             Catch::StartsWith("/gone/transactions.bin: cannot be read: No such file or directory"));
  CHECK_THAT(refusal("/"), Catch::Contains("cannot be read: Is a directory"));
  CHECK_THAT(refusal_of("module,lane,kind\n"),
             Catch::Contains("is no transaction log (a log written by `mho run --log`)"));
  CHECK_THAT(refusal_of(""), Catch::Contains("is empty"));
  CHECK_THAT(refusal_of(kMagic + "\x02"), Catch::Contains("of version 2, this program reads 1"));
}

TEST_CASE("every kind of damage is found") {
  const std::string adc =
                        "\x01\x03"
                        "adc\x02\x00\x00\x00"s,
                    occupation = "\x03\x00\x00\x02"s;
  REQUIRE(refusal_of(closed(kShortHeader + adc + occupation, 1)).empty());
  const auto damage = [&](const std::string& body) { return refusal_of(closed(kShortHeader + body, 0)); };
  // 21 bytes of header, 9 of definitions, 4 of the occupation, 2 and 4 of the footer: 40.
  CHECK_THAT(refusal_of(closed(kShortHeader + adc + occupation, 2)),
             Catch::Contains("the footer counts 2 records of 1"));
  CHECK_THAT(refusal_of(closed(kShortHeader + adc + occupation, 1) + "x"),
             Catch::Contains("more bytes behind the footer"));
  std::string flipped = closed(kShortHeader + adc + occupation, 1);
  flipped[flipped.size() - 7] = 4;  // the latency, 2 instead of 1
  CHECK_THAT(refusal_of(flipped), Catch::Contains("damaged before byte 40: the checksum differs"));
  CHECK_THAT(damage(adc + "\x04\x00\x00\x02"s), Catch::Contains("an occupation of an unknown server"));
  CHECK_THAT(damage(kLargest + "\x00\x00\x02"s), Catch::Contains("an occupation of an unknown server"));
  CHECK_THAT(damage("\x02\x00\x00\x00"s), Catch::Contains("a server of an unknown module"));
  CHECK_THAT(damage("\x01\x01"
                    "a\x02\x00\x00\x01"s),
             Catch::Contains("a server of an unknown kind"));
  CHECK_THAT(damage("\x01\x01"
                    "a\x02\x00"s +
                    kLargest + "\x00"s),
             Catch::Contains("a number of more than 32 bits"));
  CHECK_THAT(damage(adc + "\x03\x08\x00"s + kLargest + "\x02"s), Catch::Contains("a number of more than 32 bits"));
  CHECK_THAT(damage("\x01\x81\x20"s), Catch::Contains("a name of 4097 bytes"));
  CHECK_THAT(damage("\x01"s + kLargest), Catch::Contains("a name of 18446744073709551615 bytes"));
  CHECK_THAT(damage("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s), Catch::Contains("a number of more than 64 bits"));
  CHECK_THAT(refusal_of(kMagic + "\x01\x26"s), Catch::Contains("ends within") || Catch::Contains("10^19"));
  CHECK_THAT(refusal_of(kMagic + "\x01\x25"s), Catch::Contains("a unit of time of 10^-19 s"));
  CHECK_THAT(refusal_of(kMagic + "\x01\x17"s + kLargest), Catch::Contains("kinds of occupation"));
}

TEST_CASE("no mutant of a log crashes the reader, takes more memory than the file, or passes for the log") {
  const std::string original = small_log();
  TemporaryFile file;
  std::mt19937 random(20240611);
  std::size_t refused = 0, cut_off = 0;
  for (int mutant = 0; mutant < 5000; ++mutant) {
    std::string bytes = original;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) mutate(bytes, random);
    if (bytes == original) continue;
    file.write(bytes);
    try {
      const ReadBack back = read_back(file.path());
      CHECK(!back.end.complete);
      CHECK(4 * back.end.records + 2 * back.end.tables.modules.size() + 4 * back.end.tables.servers.size() <=
            bytes.size());
      ++cut_off;
    } catch (const InputError& error) {
      const std::string line = error.what();
      CHECK(line.rfind(file.path() + ": ", 0) == 0);
      ++refused;
    }
  }
  CHECK(refused > 1000);
  CHECK(cut_off > 300);
}
