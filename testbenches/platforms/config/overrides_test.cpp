// SPDX-License-Identifier: Apache-2.0
// `--set key.path=value`: paths, values, and messages that name the option instead of a line.
#include "platforms/config/overrides.h"

#include <catch2/catch.hpp>

#include "platforms/config/document.h"
#include "platforms/config/reader.h"
#include "platforms/config/writer.h"
#include "testbenches/platforms/config/message_of.h"

using namespace mho::config;

namespace {

const char* const kText =
    "crossbar: {rows: 128, cell: {bits: 2}}\nlist: [{name: a}, {name: b}]\nlayers: {layer1.0: 8}\n";

std::string after(const std::string& argument) {
  Node root = parse_text(kText, "f");
  apply_override(root, argument);
  return write_flow(root);
}
std::string refused(const std::string& argument) {
  return message_of([&] { after(argument); });
}

}  // namespace

TEST_CASE("an override replaces a value, makes keys on the way, and reaches into lists") {
  CHECK(after("crossbar.rows=256") ==
        "{crossbar: {rows: 256, cell: {bits: 2}}, list: [{name: a}, {name: b}], layers: {layer1.0: 8}}");
  CHECK(after("crossbar.cell.bits=4").find("cell: {bits: 4}") != std::string::npos);
  CHECK(after("adc.bits=6").find("adc: {bits: 6}") != std::string::npos);
  CHECK(after("list.1.name=c").find("list: [{name: a}, {name: c}]") != std::string::npos);
  CHECK(after("list.0=5").find("list: [5, {name: b}]") != std::string::npos);
  CHECK(after("layers.\"layer1.0\"=4").find("layers: {layer1.0: 4}") != std::string::npos);
  CHECK(after("crossbar.read=100 ns").find("read: 100 ns") != std::string::npos);
  CHECK(after("name=a=b").find("name: a=b") != std::string::npos);
}

TEST_CASE("a value may be a flow list or mapping; mappings merge and null removes") {
  CHECK(after("list=[1, 2]").find("list: [1, 2]") != std::string::npos);
  CHECK(after("crossbar={rows: 64, columns: 32}").find("crossbar: {rows: 64, cell: {bits: 2}, columns: 32}") !=
        std::string::npos);
  CHECK(after("crossbar.cell=~").find("crossbar: {rows: 128}") != std::string::npos);
  CHECK(after("crossbar={cell: null}").find("crossbar: {rows: 128}") != std::string::npos);
  CHECK(refused("crossbar.cols=~") == "--set crossbar.cols: there is no `cols` to remove (a key that is written)");
}

TEST_CASE("later overrides win") {
  Node root = parse_text(kText, "f");
  apply_overrides(root, {"crossbar.rows=1", "crossbar.rows=2"});
  CHECK(root.find("crossbar")->find("rows")->text() == "2");
}

TEST_CASE("a malformed override is refused and changes nothing") {
  CHECK(refused("rows") == "--set rows: no `=` (`key.path=value`)");
  CHECK(refused("=1") == "--set =1: an empty key (`key.path=value`)");
  CHECK(refused("") == "--set : no `=` (`key.path=value`)");
  CHECK(refused("a..b=1") == "--set a..b=1: an empty key (`key.path=value`)");
  CHECK(refused("a.\"b=1") == "--set a.\"b=1: a quote is not closed (`key.path=value`)");
  CHECK(refused("list.2.name=c") == "--set list.2.name: `2` is no element of a list of 2 (0 to 1)");
  CHECK(refused("list.-1=c") == "--set list.-1: `-1` is no element of a list of 2 (0 to 1)");
  CHECK(refused("list.name=c") == "--set list.name: `name` is no element of a list of 2 (0 to 1)");
  CHECK(refused("crossbar.rows.x=1") ==
        "--set crossbar.rows.x: there is no `x` in it: the value above is the number `128` (keys of a mapping, indices "
        "of a list)");
  CHECK(refused("a=b: c").find("--set a: the value `b: c` is no scalar") == 0);
  CHECK(refused("a=- b").find("--set a: the value `- b` is no scalar") == 0);
  CHECK(refused("a=[1").find("--set a: this bracket is not closed") == 0);
  CHECK(refused("a=&x 1") == "--set a: an anchor (`&name`) (a value without anchor)");
  CHECK(refused("a=010").find("--set a: the number `010` begins with a zero") == 0);
  CHECK(refused("a=\xFF").find("--set a: byte `\\xff` is not UTF-8") == 0);
  CHECK(refused("\xFF\n=1") == "--set \\xff\\n=1: the key `\\xff\\n` is no name (`key.path=value`)");
  CHECK(refused(std::string(250, 'k') + "=1") == "no error");
  CHECK(refused(std::string(251, 'k') + "=1").find("is no name (`key.path=value`)") != std::string::npos);
  Node root = parse_text(kText, "f");
  const std::string before = write_flow(root);
  CHECK_THROWS_AS(apply_override(root, "new.deep.key=[1"), mho::InputError);
  CHECK(write_flow(root) == before);
}

TEST_CASE("depth is limited over path and value together") {
  std::string path = "a";
  for (int i = 0; i < 62; ++i) path += ".a";
  CHECK(refused(path + "=1") == "no error");
  CHECK(refused(path + "=[[1]]").find("nested too deeply (64 levels)") != std::string::npos);
  CHECK(refused(path + ".a=1").find("more than 63 keys") != std::string::npos);
}

TEST_CASE("mistakes found later in an overridden value name the option") {
  Node root = parse_text(kText, "f");
  apply_overrides(root,
                  {"crossbar.rows=0", "crossbar.columns='64'", "list.0.name=[]", "crosbar.rows=1", "adc={rate: 5}"});
  Reader reader(root);
  Reader crossbar = reader.section("crossbar", "");
  CHECK(message_of([&] { crossbar.get("columns", integer(1, 1024), 128, ""); }) ==
        "--set crossbar.columns: `crossbar.columns` is the quoted text `64` (integer, 1 to 1024)");
  CHECK(message_of([&] { crossbar.get("rows", integer(1, 1024), 128, ""); }) ==
        "--set crossbar.rows: `crossbar.rows` is 0 (integer, 1 to 1024)");
  CHECK(message_of([&] {
          reader.section("adc", "").get("rate", quantity(Quantity::sample_rate), kRequired, "");
        }).find("--set adc: `adc.rate`: `5` has no unit (sample rate, for example `5 MS/s`") == 0);
  CHECK(message_of([&] { reader.finish(); }).find("f:2:1: unknown key `list`") == 0);
  (void)reader.find("list", tree(), "");
  (void)reader.find("layers", tree(), "");
  CHECK(message_of([&] {
          reader.finish();
        }).find("--set crosbar.rows: unknown key `crosbar`; did you mean `crossbar`?") == 0);
}
