// SPDX-License-Identifier: Apache-2.0
// Files that cannot be read, and `base:`: what a child replaces, where values then stand, cycles and chains.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "platforms/config/document.h"
#include "platforms/config/writer.h"
#include "testbenches/platforms/config/message_of.h"

using namespace mho::config;
namespace fs = std::filesystem;

namespace {

/// A folder of its own for every test case, removed afterwards.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "mho_config_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return *this / name;
  }
  /// Names stand for files of this folder.
  Resolve resolve() const {
    return [this](const std::string& kind, const Node& name) {
      const std::string path = *this / (name.text() + ".yaml");
      if (!fs::exists(path)) throw name.position().error("no " + kind + " `" + name.text() + "`");
      return path;
    };
  }

 private:
  fs::path path_;
};

std::string flow(const Node& node) { return write_flow(node); }

}  // namespace

TEST_CASE("a file is read with its path in every position") {
  const Folder folder;
  const std::string path = folder.write("a.yaml", "rows: 128\n");
  const Node root = load_file(path);
  CHECK(root.find("rows")->text() == "128");
  CHECK(root.find("rows")->position().file() == path);
  CHECK(message_of([&] { load_file(folder.write("b.yaml", "a: [\n")); }).find(folder / "b.yaml" + ":1:4: ") == 0);
}

TEST_CASE("what is no readable regular file is refused at once") {
  const Folder folder;
  const std::string allowed = " (a YAML file)";
  CHECK(message_of([&] { load_file(folder / "none.yaml"); }) == folder / "none.yaml" + ": no such file" + allowed);
  CHECK(message_of([&] { load_file(folder / "."); }) == folder / "." + ": a directory" + allowed);
  CHECK(message_of([&] { load_file("/dev/zero"); }) == "/dev/zero: not a regular file" + allowed);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(message_of([&] { load_file(folder / "pipe"); }) == folder / "pipe" + ": not a regular file" + allowed);
  CHECK(message_of([&] { load_file(""); }) == "not a file name" + allowed);
  CHECK(message_of([&] { load_file(std::string("a\0b", 3)); }) == "a\\x00b: not a file name" + allowed);
  fs::create_symlink("loop", folder / "loop");
  CHECK(message_of([&] { load_file(folder / "loop"); }).find(folder / "loop" + ": cannot be read") == 0);
  CHECK(message_of([&] { load_file(folder / "none" + std::string(5000, 'x')); }).find("cannot be read") !=
        std::string::npos);
  CHECK(message_of([&] {
          load_file(folder.write("bytes.yaml", std::string("\x7f"
                                                           "ELF\0",
                                                           5)));
        }) != "no error");
  if (geteuid() != 0) {
    const std::string secret = folder.write("secret.yaml", "a: 1\n");
    REQUIRE(chmod(secret.c_str(), 0) == 0);
    CHECK(message_of([&] { load_file(secret); }) == secret + ": cannot be opened" + allowed);
  }
}

TEST_CASE("a file over 64 MiB is refused without reading it all") {
  const Folder folder;
  const std::string path = folder.write("big.yaml", "a: 1\n");
  fs::resize_file(path, std::uintmax_t{1} << 40);  // sparse
  CHECK(message_of([&] { load_file(path); }) == path + ": more than 64 MiB (a smaller file)");
}

TEST_CASE("a child overrides its base key by key, at every depth, in the order of the base") {
  const Folder folder;
  folder.write("isaac.yaml",
               "name: isaac\ncrossbar: {rows: 128,   columns: 128, cell: {bits: 2}}\nslices: [1, 2, 3]\nadc: 8\n");
  const std::string path = folder.write(
      "mine.yaml",
      "base: isaac\nslices: [4]\ncrossbar:\n  cell: {bits: 4, kind: 1t1r}\n  rows: 256\nadc: {bits: 6}\nextra: 1\n");
  const Node tree = load_with_base(path, "system", folder.resolve());
  CHECK(flow(tree) ==
        "{name: isaac, crossbar: {rows: 256, columns: 128, cell: {bits: 4, kind: 1t1r}}, slices: [4], "
        "adc: {bits: 6}, extra: 1}");
  const Node& crossbar = *tree.find("crossbar");
  CHECK(crossbar.find("rows")->position().file() == path);
  CHECK(crossbar.find("rows")->position().line() == 5);
  CHECK(crossbar.find("columns")->position().file() == folder / "isaac.yaml");
  CHECK(crossbar.find("columns")->position().column() == 34);
  CHECK(crossbar.position().file() == path);
  CHECK(tree.key_position("adc").file() == path);
  CHECK(tree.key_position("name").file() == folder / "isaac.yaml");
}

TEST_CASE("an explicit null removes a key of the base, an empty value does not") {
  const Folder folder;
  folder.write("a.yaml", "readout: {kind: ou, lines: 9}\nx: 1\ny: 2\n");
  const std::string path = folder.write("b.yaml", "base: a\nreadout: {kind: adc, lines: ~}\nx: null\ny:\nz: ~\n");
  const Node tree = load_with_base(path, "system", folder.resolve());
  CHECK(flow(tree) == "{readout: {kind: adc}, y: ~, z: ~}");
  CHECK_FALSE(tree.find("y")->explicit_null());
}

TEST_CASE("bases have bases, and the nearest wins") {
  const Folder folder;
  folder.write("a.yaml", "x: 1\ny: 1\nz: 1\n");
  folder.write("b.yaml", "base: a\ny: 2\nz: 2\n");
  const std::string path = folder.write("c.yaml", "z: 3\nbase: b\n");
  CHECK(flow(load_with_base(path, "system", folder.resolve())) == "{x: 1, y: 2, z: 3}");
  CHECK(flow(resolve_base(parse_text("base: b\nw: 4\n", "--system"), "system", folder.resolve())) ==
        "{x: 1, y: 2, z: 2, w: 4}");
}

TEST_CASE("cycles, endless chains and bases that are no name or no file are refused at the base key") {
  const Folder folder;
  const std::string self = folder.write("self.yaml", "a: 1\nbase: self\n");
  CHECK(message_of([&] { load_with_base(self, "system", folder.resolve()); }) ==
        self + ":2:7: `base` `self` inherits from itself (no cycles)");
  const std::string one = folder.write("one.yaml", "base: two\n");
  const std::string two = folder.write("two.yaml", "base: one\n");
  CHECK(message_of([&] { load_with_base(one, "system", folder.resolve()); }) ==
        two + ":1:7: `base` `one` inherits from itself (no cycles)");
  for (int i = 0; i < 20; ++i)
    folder.write("n" + std::to_string(i) + ".yaml", "base: n" + std::to_string(i + 1) + "\n");
  CHECK(message_of([&] { load_with_base(folder / "n0.yaml", "system", folder.resolve()); }) ==
        folder / "n15.yaml" + ":1:7: too many files inherit from each other (16 files)");
  const std::string list = folder.write("list.yaml", "base: [a]\n");
  CHECK(message_of([&] { load_with_base(list, "system", folder.resolve()); }) ==
        list + ":1:7: `base` is a list (the name or path of a system)");
  const std::string lost = folder.write("lost.yaml", "base: nowhere\n");
  CHECK(message_of([&] { load_with_base(lost, "system", folder.resolve()); }) == lost + ":1:7: no system `nowhere`");
  const Resolve literal = [](const std::string&, const Node& name) { return name.text(); };
  const std::string device = folder.write("device.yaml", "base: /dev/zero\n");
  CHECK(message_of([&] { load_with_base(device, "system", literal); }) ==
        device + ":1:7: `base` `/dev/zero`: not a regular file (a YAML file)");
}

TEST_CASE("a mistake in a base is reported in the base") {
  const Folder folder;
  const std::string bad = folder.write("bad.yaml", "a: 1\na: 2\n");
  const std::string path = folder.write("c.yaml", "base: bad\n");
  CHECK(message_of([&] { load_with_base(path, "system", folder.resolve()); }).find(bad + ":2:1: ") == 0);
  const std::string list = folder.write("list.yaml", "- 1\n");
  CHECK(message_of([&] { load_with_base(list, "system", folder.resolve()); }) ==
        list + ":1:1: the document is a list (a mapping)");
}

TEST_CASE("only a base key at the top inherits") {
  const Folder folder;
  const std::string path = folder.write("c.yaml", "platform: {base: 0x40000000}\n");
  CHECK(flow(load_with_base(path, "scenario", folder.resolve())) == "{platform: {base: 0x40000000}}");
}

TEST_CASE("merging and removing very many keys takes no quadratic time") {
  std::string parent = "{", child = "{";
  for (int i = 0; i < 200'000; ++i) {
    parent += "k" + std::to_string(i) + ": 1,";
    child += "k" + std::to_string(i) + ": ~,";
  }
  Node tree = parse_text(parent + '}', "parent");
  tree.merge(parse_text(child + '}', "child"));
  CHECK(tree.members().empty());
}
