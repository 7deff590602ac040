// SPDX-License-Identifier: Apache-2.0
// Draws what modules were busy with: one line for each of a module's servers, a letter where it begins with something
// and = as long as that takes. Letter A stands for node 0, B for node 1, ...: here, for whose vector it is.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <systemc>
#include <vector>

#include "models/observe/recorder.h"

class Timeline : public mho::observe::Recorder {
 public:
  explicit Timeline(const sc_core::sc_time& step) : step_(step) {}

  /// Modules call this when they begin with something; when it ends is known by then.
  void record(const mho::observe::Occupation& occupation) override {
    Line& line = line_of(std::string(occupation.module) + ' ' + std::to_string(occupation.lane));
    const std::size_t begin = column(occupation.begin), end = column(occupation.end);
    line.letters.resize(std::max(line.letters.size(), end), '.');
    std::fill(line.letters.begin() + std::ptrdiff_t(begin), line.letters.begin() + std::ptrdiff_t(end), '=');
    if (begin < end) line.letters[begin] = char('A' + occupation.node);
  }

  void print() const {
    std::size_t longest = 0;
    for (const Line& line : lines_) longest = std::max(longest, line.letters.size());
    std::printf("\n%-12s one letter is %s\n", "", step_.to_string().c_str());
    for (const Line& line : lines_)
      std::printf("%-12s %s\n", line.name.c_str(),
                  (line.letters + std::string(longest - line.letters.size(), '.')).c_str());
  }

 private:
  struct Line {
    std::string name, letters;
  };
  /// Lines stand in the order in which servers were first busy.
  Line& line_of(const std::string& name) {
    const auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& each) { return each.name == name; });
    return line != lines_.end() ? *line : lines_.emplace_back(Line{name, ""});
  }
  std::size_t column(const sc_core::sc_time& time) const { return std::size_t(time / step_ + 0.5); }

  sc_core::sc_time step_;
  std::vector<Line> lines_;
};
