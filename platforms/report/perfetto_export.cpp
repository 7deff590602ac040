// SPDX-License-Identifier: Apache-2.0
// Writes Trace Event JSON. The log is read three times, so that nothing but the commands has to be kept: for what it
// defines, for the commands, and for everything else, whose arrows need the commands' places.
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unordered_map>

#include "models/input_error.h"
#include "models/observe/log_reader.h"
#include "platforms/config/quantity.h"
#include "platforms/report/log_export.h"
#include "platforms/report/log_tracks.h"

namespace mho {
namespace {

using observe::LoggedOccupation;
using observe::LogTables;

constexpr int kMicro = 6, kNano = 9;  // digits from seconds

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Where an arrow may begin or end.
struct Place {
  LogTrack track;
  std::uint64_t begin = 0;
};

class EventWriter {
 public:
  EventWriter(std::ostream& out, const LogTables& tables) : out_(out), tables_(tables), tracks_(tables) {
    for (std::size_t i = 0; i < tables.kinds.size(); ++i) {
      kinds_.push_back(json_text(tables.kinds[i].name));
      units_.push_back(json_text(tables.kinds[i].work_unit));
    }
    out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
    for (std::size_t i = 0; i < tracks_.processes().size(); ++i) {
      describe("process_name", {i + 1, 0}, "\"name\":" + json_text(tracks_.processes()[i]));
      describe("process_sort_index", {i + 1, 0}, "\"sort_index\":" + std::to_string(i));
    }
  }
  void finish() { out_ << "\n]}\n"; }

  /// Draws one slice, begin to end, however many items it has.
  Place slice(const LoggedOccupation& occupation) {
    const std::uint64_t end = std::max(occupation.begin, occupation.end);
    const Place place{tracks_.place(occupation.server, occupation.begin, end), occupation.begin};
    if (place.track.is_new) {
      describe("thread_name", place.track, "\"name\":" + json_text(tracks_.name_of(occupation.server, place.track)));
      describe("thread_sort_index", place.track, "\"sort_index\":" + std::to_string(place.track.order));
    }
    const std::size_t kind = tables_.servers[occupation.server].kind;
    std::string name = kinds_[kind];
    if (occupation.node >= 0) name.insert(name.size() - 1, " node " + std::to_string(occupation.node));
    begin_event("X", name, kinds_[kind], place);
    out_ << ",\"dur\":" << decimal(end - occupation.begin, tables_.exponent + kMicro) << ",\"args\":{";
    write_arguments(occupation, end - occupation.begin, units_[kind]);
    out_ << "}}";
    return place;
  }

  void arrow(std::uint64_t id, const Place& from, const Place& to) {
    begin_event("s", "\"command\"", "\"flow\"", from);
    out_ << ",\"id\":" << id << '}';
    begin_event("f", "\"command\"", "\"flow\"", to);
    out_ << ",\"id\":" << id << ",\"bp\":\"e\"}";
  }

 private:
  void next_event() {
    out_ << (first_ ? "\n" : ",\n");
    first_ = false;
  }
  void describe(const char* what, const LogTrack& track, const std::string& argument) {
    next_event();
    out_ << "{\"ph\":\"M\",\"name\":\"" << what << "\",\"pid\":" << track.process << ",\"tid\":" << track.thread
         << ",\"args\":{" << argument << "}}";
  }
  void begin_event(const char* phase, const std::string& name, const std::string& category, const Place& place) {
    next_event();
    out_ << "{\"ph\":\"" << phase << "\",\"name\":" << name << ",\"cat\":" << category
         << ",\"pid\":" << place.track.process << ",\"tid\":" << place.track.thread
         << ",\"ts\":" << decimal(place.begin, tables_.exponent + kMicro);
  }
  void write_arguments(const LoggedOccupation& occupation, std::uint64_t duration, const std::string& unit) {
    const auto nanoseconds = [this](std::uint64_t time) { return decimal(time, tables_.exponent + kNano); };
    out_ << "\"id\":" << occupation.id << ",\"parent\":" << occupation.parent << ",\"node\":" << occupation.node
         << ",\"lane\":" << tables_.servers[occupation.server].lane << ",\"items\":" << occupation.items
         << ",\"work\":" << occupation.work << ",\"work_unit\":" << unit
         << ",\"interval_ns\":" << nanoseconds(occupation.interval)
         << ",\"service_ns\":" << nanoseconds(occupation.service);
    if (occupation.items > 1 && duration > 0)
      out_ << ",\"busy_share\":"
           << config::format_real(double(occupation.items) * double(occupation.service) / double(duration));
  }

  std::ostream& out_;
  const LogTables& tables_;
  LogTracks tracks_;
  std::vector<std::string> kinds_, units_;  ///< as JSON texts
  bool first_ = true;
};

}  // namespace

void export_perfetto(const std::string& log, std::ostream& out) {
  const observe::LogEnd all = observe::read_log(log, [](const LogTables&, const LoggedOccupation&) {});
  EventWriter events(out, all.tables);
  // A log that grows meanwhile is drawn as far as it went at first.
  const auto each = [&](const std::function<void(const std::string& kind, const LoggedOccupation&)>& visit) {
    std::uint64_t left = all.records;
    observe::read_log(log, [&](const LogTables& tables, const LoggedOccupation& occupation) {
      if (left == 0) return;
      --left;
      if (occupation.server >= all.tables.servers.size())
        throw InputError(log, 0, 0, "became another log while it was read", "a log of a run that has ended");
      visit(tables.kinds[tables.servers[occupation.server].kind].name, occupation);
    });
  };
  std::unordered_map<std::uint64_t, Place> commands;
  each([&](const std::string& kind, const LoggedOccupation& occupation) {
    if (kind == "command") commands[occupation.id] = events.slice(occupation);
  });
  each([&](const std::string& kind, const LoggedOccupation& occupation) {
    if (kind == "command") return;
    const Place place = events.slice(occupation);
    if (kind != "conversion") return;
    const auto command = commands.find(occupation.parent);
    if (command != commands.end() && command->second.begin <= place.begin)
      events.arrow(occupation.id, command->second, place);
  });
  events.finish();
}

}  // namespace mho
