// SPDX-License-Identifier: Apache-2.0
// Patterns, selections and files of waves, on a toy module whose every change is known.
#include <catch2/catch.hpp>

#include <filesystem>
#include <stdexcept>

#include "platforms/observe/gtkwave_files.h"
#include "platforms/observe/module_statistics.h"
#include "platforms/observe/path_pattern.h"
#include "platforms/observe/wave_file.h"
#include "testbenches/platforms/program.h"
#include "testbenches/strict_reports.h"

using namespace mho;
using namespace mho::testbenches;
using sc_core::SC_NS;

namespace {

/// busy 1 from 10 to 25 ns, 2 to 40 ns, then 0: 15 x 1 + 15 x 2 = 45 ns; the flag rises with the last breath at 50 ns.
struct Toy : sc_core::sc_module, observe::Instrument {
  explicit Toy(sc_core::sc_module_name module_name, bool fails = false) : sc_module(module_name), fails_(fails) {
    SC_HAS_PROCESS(Toy);
    SC_METHOD(step);  // a thread's stack would confuse AddressSanitizer where exceptions are thrown
  }
  std::vector<observe::Statistic> statistics() const override { return {{"busy", "time it works", "s", 45e-9}}; }
  std::vector<observe::Wave> waves() const override {
    return {{"state", "what it does", "", &state_, {"idle", "reading"}},
            {"busy", "parts at work", "parts", &busy_},
            {"total", "things done", "things", &total_},
            {"level", "of water", "m", &level_},
            {"part_3.flag", "at the end", "", &flag_}};
  }

 private:
  void step() {
    switch (steps_++) {
      case 0:
        return next_trigger(10, SC_NS);
      case 1:
        busy_ = state_ = 1;
        return next_trigger(15, SC_NS);
      case 2:
        busy_ = 2;
        level_ = 0.5;
        if (fails_) throw std::runtime_error("broken");
        return next_trigger(15, SC_NS);
      case 3:
        busy_ = state_ = 0;
        total_ = 6;
        return next_trigger(10, SC_NS);
      default:
        flag_ = true;
        sc_core::sc_pause();
    }
  }

  int steps_ = 0;
  const bool fails_;
  bool flag_ = false;
  std::uint32_t state_ = 0, busy_ = 0;
  std::uint64_t total_ = 0;
  double level_ = 0.0;
};

struct Top : sc_core::sc_module {
  explicit Top(sc_core::sc_module_name module_name, bool fails = false)
      : sc_module(module_name), toy_0("toy_0", fails), toy_1("toy_1") {}
  Toy toy_0, toy_1;
};

std::vector<SelectedWave> select(const sc_core::sc_object& root, const std::vector<std::string>& patterns) {
  std::vector<WavePattern> written;
  for (const std::string& text : patterns) written.push_back({text, config::Position("run.yaml", 3, 9)});
  return select_waves(root, written);
}

std::vector<std::string> paths_of(const std::vector<SelectedWave>& waves) {
  std::vector<std::string> paths;
  for (const SelectedWave& wave : waves) paths.push_back(wave.path());
  return paths;
}

/// Behind the header, which holds a date.
std::string changes_in(const std::string& vcd) {
  const std::string text = text_of(vcd), mark = "$dumpvars\n";
  const std::size_t begin = text.find(mark);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin);
}

}  // namespace

TEST_CASE("a star stands for any text of one component and two stars for any number of components") {
  CHECK(matches("pim0.core.tile_3.*.adc.busy", "pim0.core.tile_3.group_12.adc.busy"));
  CHECK_FALSE(matches("pim0.core.tile_3.*.adc.busy", "pim0.core.tile_30.group_12.adc.busy"));
  CHECK_FALSE(matches("pim0.*.busy", "pim0.core.adc.busy"));
  CHECK(matches("pim0.**.busy", "pim0.core.adc.busy"));
  CHECK(matches("**.irq", "irq"));
  CHECK(matches("**.irq", "pim0.core.irq"));
  CHECK_FALSE(matches("**.irq", "pim0.core.irqs"));
  CHECK(matches("**", "a.b.c"));
  CHECK(matches("*", "irq"));
  CHECK_FALSE(matches("*", "host.state"));
  CHECK(matches("t*_*.b*y", "tile_3.busy"));
  CHECK_FALSE(matches("tile_*.busy", "tile_3.buse"));
  CHECK(matches("**.tile_1.**.busy", "tile_1.busy"));
  CHECK_FALSE(matches("a..b", "a.b"));
  CHECK_FALSE(matches("", "a"));
  CHECK_FALSE(matches("a", "a.a"));
  CHECK_FALSE(matches("a.a", "a"));
}

TEST_CASE("patterns of nothing but stars take no longer than others") {
  std::string pattern, stars, path;
  for (int i = 0; i < 500; ++i) {
    pattern += "**.";
    stars += "*a";
    path += "a.";
  }
  CHECK_FALSE(matches(pattern + "b", path + "a"));
  CHECK_FALSE(matches(stars + "b", std::string(1000, 'a')));
}

TEST_CASE("instance numbers of a path become stars, other digits stay") {
  CHECK(kind_of("pim0.core.tile_31.group_0.adc.busy") == "pim0.core.tile_*.group_*.adc.busy");
  CHECK(kind_of("a_1b.c_.d_22") == "a_1b.c_.d_*");
}

TEST_CASE("the nearest names are those with the fewest letters to change, stars and numbers being free") {
  const std::vector<std::string> paths{"irq", "core.tile_0.adc.busy", "core.tile_1.adc.busy", "core.tile_0.bus.queue"};
  CHECK(nearest_patterns("core.tile_9.adc.bussy", paths, 1) == std::vector<std::string>{"core.tile_*.adc.busy"});
  CHECK(nearest_patterns("**.queu", paths, 1) == std::vector<std::string>{"core.tile_*.bus.queue"});
  CHECK(nearest_patterns("*.irk", paths, 9).size() == 3);
  CHECK(nearest_patterns("x", {}, 3).empty());
}

TEST_CASE("waves are selected once each, by their paths below the root or with its name") {
  const Top top("top");
  CHECK(paths_of(select(top, {"toy_1.busy", "top.toy_*.busy", "**.flag"})) ==
        std::vector<std::string>{"top.toy_0.busy", "top.toy_0.part_3.flag", "top.toy_1.busy", "top.toy_1.part_3.flag"});
  CHECK(select(top, {"**"}).size() == 10);
  CHECK(select(top, {}).empty());
}

TEST_CASE("a pattern that names nothing is refused where it was written, with the nearest names") {
  const Top top("top");
  CHECK_THROWS_WITH(select(top, {"**.busy", "toy_7.bussy"}),
                    "run.yaml:3:9: `observe.waves`: no wave is named `toy_7.bussy` (among others `toy_*.busy`, "
                    "`toy_*.level` or `toy_*.state`; see `mho list waves`)");
}

TEST_CASE("more waves than a simulation can afford are refused with their number") {
  struct Many : sc_core::sc_module, observe::Instrument {
    explicit Many(sc_core::sc_module_name module_name, std::size_t count) : sc_module(module_name) {
      for (std::size_t i = 0; i < count; ++i) names.push_back("part_" + std::to_string(i) + ".busy");
    }
    std::vector<observe::Wave> waves() const override {
      std::vector<observe::Wave> all;
      for (const std::string& name : names) all.push_back({name.c_str(), "it works", "", &busy});
      return all;
    }
    std::vector<std::string> names;
    bool busy = false;
  };
  const Many enough("enough", 4096), many("many", 4097);
  CHECK(select(enough, {"**"}).size() == 4096);
  CHECK_THROWS_WITH(select(many, {"part_1*.busy", "**.busy"}),
                    Catch::StartsWith("run.yaml:3:9: `observe.waves`: `**.busy` names 4097 waves, which makes 4097 "
                                      "(at most 4096; a narrower pattern"));
}

TEST_CASE("wave.vcd holds every change at its time, that of the last moment as well") {
  const TemporaryFolder folder;
  Top top("top");
  WaveFile waves(folder.path("wave.vcd"), select(top, {"toy_0.**"}));
  sc_core::sc_start();
  sc_core::sc_start(sc_core::sc_get_time_resolution());
  waves.close();
  // In the order of the module: a state, b busy, c total, d level, e flag. Times in ps.
  CHECK(changes_in(folder.path("wave.vcd")) ==
        "$dumpvars\nb0 aaaaa\nb0 aaaab\nb0 aaaac\nr0 aaaad\n0aaaae\n$end\n\n"
        "#10000\nb1 aaaaa\nb1 aaaab\n\n#25000\nb10 aaaab\nr0.5 aaaad\n\n"
        "#40000\nb0 aaaaa\nb0 aaaab\nb110 aaaac\n\n#50000\n1aaaae\n\n#50001\n");
  const std::string text = text_of(folder.path("wave.vcd"));
  CHECK_THAT(text, Catch::Contains("$timescale\n     1 ps\n$end"));
  CHECK_THAT(text, Catch::Contains("$scope module part_3 $end\n$var wire    1  aaaae  flag       $end"));
}

TEST_CASE("wave.vcd is closed and whole also when the simulation fails") {
  const TemporaryFolder folder;
  Top top("top", true);
  {
    const WaveFile waves(folder.path("wave.vcd"), select(top, {"toy_0.busy"}));
    CHECK_THROWS_WITH(sc_core::sc_start(), Catch::Contains("broken"));
  }
  CHECK_THAT(changes_in(folder.path("wave.vcd")), Catch::EndsWith("#10000\nb1 aaaaa\n\n#25000\n"));
  CHECK_THAT(text_of(folder.path("wave.gtkw")), Catch::Contains("\n*-"));
}

TEST_CASE("a waveform that cannot be opened is an error") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(WaveFile(folder.path("nowhere/wave.vcd"), {}), Catch::StartsWith("cannot write "));
  CHECK_THROWS_AS(WaveFile(folder.path("wave.txt"), {}), std::invalid_argument);
}

TEST_CASE("a waveform that the disk does not take is an error and no result") {
  const TemporaryFolder folder;
  const Top top("top");
  std::filesystem::create_symlink("/dev/full", folder.path("wave.vcd"));
  WaveFile waves(folder.path("wave.vcd"), select(top, {"toy_0.busy"}));
  sc_core::sc_start();
  CHECK_THROWS_WITH(waves.close(), Catch::Contains("is the disk full?"));
}

TEST_CASE("the save file groups signals by scope, translates states and draws counts and reals") {
  const Top top("top");
  CHECK(save_file_text("wave.vcd", select(top, {"toy_0.**"})) ==
        "[dumpfile] \"wave.vcd\"\n[savefile] \"wave.gtkw\"\n[timestart] 0\n[size] 1600 900\n[pos] -1 -1\n"
        "@800200\n-top.toy_0\n"
        "@2024\n^1 ./wave_states_toy.txt\nSystemC.top.toy_0.state[31:0]\n"
        "@24\nSystemC.top.toy_0.busy[31:0]\n"
        "@88024\nSystemC.top.toy_0.total[63:0]\n@20000\n-\n-\n"
        "@88024\nSystemC.top.toy_0.level\n@20000\n-\n-\n"
        "@1000200\n-top.toy_0\n"
        "@800200\n-top.toy_0.part_3\n@28\nSystemC.top.toy_0.part_3.flag\n@1000200\n-top.toy_0.part_3\n");
}

TEST_CASE("every type of state has one translate filter file, named after a module that has it") {
  const std::uint32_t state = 0;
  const observe::Wave first{"state", "", "", &state, {"idle", "busy"}}, other{"state", "", "", &state, {"off", "on"}};
  const observe::Wave plain{"queue", "", "", &state};
  const StateFiles files = state_files(
      {{"top.adc_3", first}, {"top.adc_4", first}, {"top.adc_4", other}, {"top.bus", first}, {"top.bus", plain}});
  CHECK(files == StateFiles{{"wave_states_adc.txt", {"idle", "busy"}}, {"wave_states_adc_2.txt", {"off", "on"}}});
  CHECK(filter_text({"idle", "busy"}) == "0 idle\n1 busy\n");
}

TEST_CASE("files for GTKWave lie beside the waveform, and the save file says how much time there is") {
  const TemporaryFolder folder;
  Top top("top");
  WaveFile waves(folder.path("wave.vcd"), select(top, {"toy_1.state"}));
  CHECK(text_of(folder.path("wave_states_toy.txt")) == "0 idle\n1 reading\n");
  sc_core::sc_start(8192 * 36, sc_core::SC_PS);  // 50 ns: both toys have paused
  sc_core::sc_start(8192 * 36 - 50000, sc_core::SC_PS);
  waves.close();
  // 8192 x 36 ps in a window of 3.6 ps at zoom 0: log2(81920) = 13 + log2(10) = 16.321928.
  CHECK_THAT(text_of(folder.path("wave.gtkw")), Catch::Contains("\n*-16.321928 0 -1"));
}

TEST_CASE("statistics are read from all modules, and kinds of module are described once") {
  const Top top("top");
  const std::vector<ModuleStatistic> all = statistics_of(top);
  REQUIRE(all.size() == 2);
  CHECK(all[1].module == "top.toy_1");
  CHECK((all[1].name == "busy" && all[1].unit == "s" && all[1].description == "time it works"));
  CHECK(all[1].value == 45e-9);
  const std::vector<ModuleKind> kinds = module_kinds(top);
  REQUIRE(kinds.size() == 1);
  CHECK(kinds[0].path == "toy_*");
  CHECK(kinds[0].statistics.size() == 1);
  REQUIRE(kinds[0].waves.size() == 5);
  CHECK(kinds[0].waves[0].description == "what it does: idle, reading");
  CHECK(kinds[0].waves[4].name == "part_*.flag");
}
