// SPDX-License-Identifier: Apache-2.0
// Wall time and peak memory of `mho run` for published networks, one inference each, beside the time that their
// multiply-accumulates would take at the rate of this processor's int8 product. Everything is included: drawing
// weights, calibration, mapping, building the machine, programming, the run and the comparison with the integer
// reference. GMAC/s are those of the processor time after the network is compiled; of a machine that speculates, so is
// the share of that time in which the int8 product would do nine products a MAC (layers with other slicings and cells
// without weights left out).
//
//   networks_benchmark [NETWORK...] [-- OPTION...]      options go to `mho run`; --system isaac_8b unless one names
//   another
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/arithmetic/int8_matmul.h"
#include "platforms/scenario/layer_table_reader.h"

namespace {

using namespace mho;

constexpr int kRepetitions = 20;
/// int8 products a MAC of a machine that speculates: inputs in slices of 4, 2 and 2 bits by weights in as many.
constexpr double kSpeculationProducts = 9.0;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// MAC/s of oneDNN's u8 x s8 product of 1024^3 on one thread, the best of some; of processor time, so that other work
/// on the machine matters less.
double matrix_product_rate() {
  constexpr std::size_t kSize = 1024;
  std::mt19937_64 random(1);
  std::vector<std::int8_t> weights(kSize * kSize);
  std::vector<std::uint8_t> codes(kSize * kSize);
  for (std::int8_t& weight : weights) weight = std::int8_t(int(random() % 128) - 64);
  for (std::uint8_t& code : codes) code = std::uint8_t(random());
  std::vector<std::int32_t> sums(kSize * kSize);
  const arithmetic::Int8Matmul product(weights.data(), int(kSize), int(kSize));
  double best = 1e9;
  for (int i = 0; i < kRepetitions; ++i) {
    const std::clock_t begin = std::clock();
    product.run(codes.data(), int(kSize), sums.data());
    best = std::min(best, double(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return double(kSize) * double(kSize) * double(kSize) / best;
}

struct Run {
  bool done = false;
  double wall_s = 0.0, processor_s = 0.0, peak_bytes = 0.0;
  std::string summary;
};

/// `mho run` as a process of its own; what it complains about goes to standard error.
Run run_network(const std::string& network, const std::vector<std::string>& options) {
  std::vector<std::string> words = {MHO_PROGRAM, "run", "--network", network, "--json"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  Run result;
  const double begin = now();
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv(MHO_PROGRAM, arguments.data());
    _exit(127);
  }
  close(ends[1]);
  char buffer[4096];
  for (ssize_t got = 0; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    result.summary.append(buffer, std::size_t(got));
  close(ends[0]);
  int status = 0;
  rusage usage{};
  result.done = wait4(child, &status, 0, &usage) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  result.wall_s = now() - begin;
  const auto seconds = [](const timeval& time) { return double(time.tv_sec) + 1e-6 * double(time.tv_usec); };
  result.processor_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  result.peak_bytes = 1024.0 * double(usage.ru_maxrss);
  return result;
}

double number_in(const std::string& summary, const std::string& key) {
  const std::size_t at = summary.find("\"" + key + "\": ");
  return at == std::string::npos ? 0.0 : std::strtod(summary.c_str() + at + key.size() + 4, nullptr);
}

std::string network_file(const std::string& name) { return MHO_SCENARIOS_DIR "/networks/" + name + ".yaml"; }

/// Networks of layers with synthetic weights, by name.
std::vector<std::string> catalogue() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(MHO_SCENARIOS_DIR "/networks"))
    if (entry.path().extension() == ".yaml" &&
        !std::filesystem::is_directory(entry.path().parent_path() / entry.path().stem()))
      names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

void print_row(const std::string& name, const Run& run, double rate) {
  if (!run.done) {
    std::printf("| %s | failed | | | | | | | | | | |\n", name.c_str());
    return;
  }
  const double macs = number_in(run.summary, "macs"), limit = macs / rate;
  const double compiling = number_in(run.summary, "compile_time_s"), after = run.processor_s - compiling;
  char share[32] = "-";
  if (number_in(run.summary, "speculations") > 0.0)
    std::snprintf(share, sizeof share, "%.0f %%", 100.0 * kSpeculationProducts * limit / after);
  std::printf("| %s | %.2f | %.1f | %.0f | %.2f | %.2f | %.2f | %.0f | %.1f | %.0f | %s | %s |\n", name.c_str(),
              macs * 1e-9, double(dnn::weight_count(read_layer_table(network_file(name)))) * 1e-6,
              number_in(run.summary, "chips"), run.wall_s, run.processor_s, compiling, run.peak_bytes / (1 << 20),
              macs * 1e-9 / after, run.wall_s / limit, share,
              number_in(run.summary, "output_mean_abs_error") == 0.0 ? "yes" : "no");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> names(argv + 1, argv + argc), options;
  const auto separator = std::find(names.begin(), names.end(), "--");
  if (separator != names.end()) options.assign(separator + 1, names.end());
  names.erase(separator, names.end());
  if (names.empty()) names = catalogue();
  const bool has_system = std::any_of(options.begin(), options.end(),
                                      [](const std::string& word) { return word.rfind("--system", 0) == 0; });
  if (!has_system) options.insert(options.begin(), {"--system", "isaac_8b"});
  const double rate = matrix_product_rate();
  std::printf("int8 product of 1024^3 on one thread: %.0f GMAC/s\n\n", rate * 1e-9);
  std::printf(
      "| network | GMAC | M weights | chips | wall, s | processor, s | compiling, s | peak, MiB | GMAC/s | times the "
      "int8 limit | share of speculation's products | outputs equal "
      "|\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::string& name : names) print_row(name, run_network(name, options), rate);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
