// SPDX-License-Identifier: Apache-2.0
// Decoding of a log. Nothing that a length in the file promises is believed before the bytes are there.
#include "models/observe/log_reader.h"

#include <utility>

#include "models/observe/log_bytes.h"

namespace mho::observe {

using namespace log_format;

namespace {

constexpr int kFinestExponent = -18, kCoarsestExponent = 3;  // IEEE 1666 knows femtoseconds to seconds
constexpr std::uint64_t kMostKinds = 256;

class LogParser {
 public:
  LogParser(const std::string& path, const LogVisitor& visit) : bytes_(path), visit_(visit) {}

  LogEnd parse() {
    read_header();
    try {
      while (read_entry()) continue;
      end_.complete = true;
    } catch (const CutOff&) {
      end_.complete = false;
    }
    return std::move(end_);
  }

 private:
  void read_header() try {
    for (const std::uint8_t expected : kMagic)
      if (bytes_.byte() != expected) throw bytes_.error("is no transaction log");
    if (const std::uint64_t version = bytes_.number(); version != kVersion)
      throw bytes_.error("is a transaction log of version " + std::to_string(version) + ", this program reads " +
                         std::to_string(kVersion));
    end_.tables.exponent = bytes_.small_number(0);
    if (end_.tables.exponent < kFinestExponent || end_.tables.exponent > kCoarsestExponent)
      throw bytes_.damaged("a unit of time of 10^" + std::to_string(end_.tables.exponent) + " s");
    const std::uint64_t kinds = bytes_.number();
    if (kinds > kMostKinds) throw bytes_.damaged(std::to_string(kinds) + " kinds of occupation");
    for (std::uint64_t i = 0; i < kinds; ++i) {
      LoggedKind kind;
      kind.name = bytes_.text();
      kind.work_unit = bytes_.text();
      end_.tables.kinds.push_back(std::move(kind));
    }
  } catch (const CutOff&) {
    throw bytes_.error("is empty or ends within its first lines");
  }

  /// False behind the footer.
  bool read_entry() {
    const std::uint64_t what = bytes_.number();
    switch (what) {
      case kFooter:
        read_footer();
        return false;
      case kModule:
        end_.tables.modules.push_back(bytes_.text());
        return true;
      case kServer:
        read_server();
        return true;
      default:
        read_occupation(what - kFirstServer);
        return true;
    }
  }

  void read_footer() {
    const std::uint64_t records = bytes_.number();
    const std::uint32_t expected = bytes_.checksum();
    std::uint32_t written = 0;
    for (std::size_t i = 0; i < kChecksumBytes; ++i) written |= std::uint32_t(bytes_.byte()) << (8 * i);
    if (written != expected) throw bytes_.damaged("the checksum differs");
    if (records != end_.records)
      throw bytes_.damaged("the footer counts " + std::to_string(records) + " records of " +
                           std::to_string(end_.records));
    if (!bytes_.at_end()) throw bytes_.damaged("more bytes behind the footer");
  }

  void read_server() {
    LoggedServer server;
    server.module = bytes_.number();
    server.lane = bytes_.small_number(0);
    server.kind = bytes_.number();
    if (server.module >= end_.tables.modules.size()) throw bytes_.damaged("a server of an unknown module");
    if (server.kind >= end_.tables.kinds.size()) throw bytes_.damaged("a server of an unknown kind");
    end_.tables.servers.push_back(server);
    last_of_server_.emplace_back();
  }

  void read_occupation(std::uint64_t server) {
    if (server >= end_.tables.servers.size()) throw bytes_.damaged("an occupation of an unknown server");
    const unsigned flags = bytes_.byte();
    const auto difference = [&](unsigned flag) { return (flags & flag) != 0 ? bytes_.difference() : 0; };
    LastInLog last = last_;
    last.begin += bytes_.difference();
    last.id += 1 + difference(kId);
    last.parent += difference(kParent);
    last.operation += difference(kOperation);
    if ((flags & kNode) != 0) last.node = std::uint64_t(std::int64_t{bytes_.small_number(last.node)});
    LastOfServer own = last_of_server_[server];
    for (const auto& [flag, field] :
         {std::pair(kItems, &own.items), {kWork, &own.work}, {kInterval, &own.interval}, {kService, &own.service}})
      if ((flags & flag) != 0) *field = bytes_.number();
    LoggedOccupation occupation;
    occupation.end = last.begin + (own.items - 1) * own.interval + bytes_.difference();
    // The entry is complete.
    last_ = last;
    last_of_server_[server] = own;
    occupation.server = std::size_t(server);
    occupation.id = last.id;
    occupation.parent = last.parent;
    occupation.operation = last.operation;
    occupation.node = int(static_cast<std::int64_t>(last.node));
    occupation.items = own.items;
    occupation.work = own.work;
    occupation.begin = last.begin;
    occupation.interval = own.interval;
    occupation.service = own.service;
    ++end_.records;
    visit_(end_.tables, occupation);
  }

  LogBytes bytes_;
  const LogVisitor& visit_;
  LogEnd end_;
  LastInLog last_;
  std::vector<LastOfServer> last_of_server_;
};

}  // namespace

LogEnd read_log(const std::string& path, const LogVisitor& visit) { return LogParser(path, visit).parse(); }

}  // namespace mho::observe
