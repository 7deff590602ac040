// SPDX-License-Identifier: Apache-2.0
// fork and exec of /proc/self/exe, which is right for any program that calls run_main, and stays right when the file
// is replaced meanwhile. Between fork and exec only what is allowed in a process that had threads is called.
#include "platforms/program/child_runs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace mho {
namespace {

constexpr std::size_t kMostOfStderr = 64 * 1024;

[[noreturn]] void become_program(char* const* argv, int err, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int nothing = open("/dev/null", O_RDWR);
  const bool ready = getppid() == parent && nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 &&
                     dup2(nothing, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0;
  if (ready) execv("/proc/self/exe", argv);
  _exit(127);
}

/// All that is written into a pipe; of much only the end is kept.
std::string drain(int from) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t bytes = read(from, buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return text;
    text.append(buffer, std::size_t(bytes));
    if (text.size() > 2 * kMostOfStderr) text.erase(0, text.size() - kMostOfStderr);
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return 127;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

ChildResult not_started(const char* call) {
  return {127, std::string("cannot start the run: ") + call + ": " + std::strerror(errno) + "\n"};
}

ChildResult run_or_fault(const RunChild& run, const std::vector<std::string>& command) try {
  return run(command);
} catch (const std::exception& error) {
  return {1, std::string(error.what()) + "\n"};
}

/// As many threads as the system grants, at least one.
std::vector<std::thread> start_threads(const std::function<void()>& work, std::size_t count) {
  std::vector<std::thread> threads;
  while (threads.size() < count) try {
      threads.emplace_back(work);
    } catch (const std::system_error&) {
      if (threads.empty()) throw;
      break;
    }
  return threads;
}

}  // namespace

ChildResult run_child(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"mho"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int err[2];
  if (pipe2(err, O_CLOEXEC) != 0) return not_started("pipe");
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become_program(argv.data(), err[1], parent);
  close(err[1]);
  ChildResult result = child < 0 ? not_started("fork") : ChildResult{0, drain(err[0])};
  close(err[0]);
  if (child < 0) return result;
  result.exit_code = wait_for(child);
  if (result.exit_code > 128) {
    const int signal = result.exit_code - 128;
    result.err += "ended by signal " + std::to_string(signal) + " (" + strsignal(signal) +
                  (signal == SIGKILL ? "; if memory was short: fewer runs at once)\n" : ")\n");
  }
  return result;
}

void run_children(const std::vector<std::vector<std::string>>& commands, int jobs, const RunChild& run,
                  const std::function<void(std::size_t, const ChildResult&)>& done,
                  const std::function<void()>& waiting) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<std::size_t, ChildResult>> ended;
  const auto work = [&] {
    for (std::size_t i = next++; i < commands.size(); i = next++) {
      ChildResult result = run_or_fault(run, commands[i]);
      const std::lock_guard<std::mutex> guard(mutex);
      ended.emplace_back(i, std::move(result));
      changed.notify_one();
    }
  };
  std::vector<std::thread> threads = start_threads(work, std::min(std::size_t(std::max(jobs, 1)), commands.size()));
  for (std::size_t count = 0; count < commands.size();) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return !ended.empty(); });
    const std::deque<std::pair<std::size_t, ChildResult>> now = std::exchange(ended, {});
    lock.unlock();
    for (const auto& [command, result] : now) done(command, result);
    count += now.size();
    waiting();
  }
  for (std::thread& thread : threads) thread.join();
}

int processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

}  // namespace mho
