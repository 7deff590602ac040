// SPDX-License-Identifier: Apache-2.0
// The three texts generated from a register table, compared word for word with a small table that has
// one of everything and prose that each format could misread.
#include <catch2/catch.hpp>
#include <string>

#include "models/tlm/registers_export.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

using namespace mho::tlm_kit;
using Catch::Matchers::Contains;

RegisterTable table() {
  return {{"CTRL",
           0x4,
           32,
           RegisterAccess::kReadWrite,
           0x10,
           "Control | start",
           {{"START", 0, 1, "Starts if a < b & c"}, {"MODE", 4, 3, "Mode */"}}},
          {"IRQ_STATUS", 0x10, 64, RegisterAccess::kWriteOneToClear, 0, "Pending\ninterrupts", {}},
          {"DOORBELL", 0x1018, 32, RegisterAccess::kWriteOnly, 0, "Start", {}},
          {"ID", 0x101c, 32, RegisterAccess::kReadOnly, 0x4d484f, "Identification", {}}};
}

TEST_CASE("the documentation of a register table is a Markdown table") {
  CHECK(markdown_table(table()) ==
        "| Offset | Name | Bits | Access | Reset | Description |\n"
        "|---|---|---|---|---|---|\n"
        "| 0x0004 | CTRL | 32 | RW | 0x10 | Control \\| start<br>`[0] START` Starts if a < b & c"
        "<br>`[6:4] MODE` Mode */ |\n"
        "| 0x0010 | IRQ_STATUS | 64 | W1C | 0x0 | Pending interrupts |\n"
        "| 0x1018 | DOORBELL | 32 | WO | 0x0 | Start |\n"
        "| 0x101c | ID | 32 | RO | 0x4d484f | Identification |\n");
}

TEST_CASE("the firmware header of a register table has offsets, reset values, shifts and masks") {
  CHECK(c_header(table(), "MHO") ==
        "/* SPDX-License-Identifier: Apache-2.0 */\n"
        "/* Generated from the register table of the model; do not edit. */\n"
        "#ifndef MHO_REGISTERS_H\n"
        "#define MHO_REGISTERS_H\n"
        "\n"
        "/* RW, 32 bits: Control | start */\n"
        "#define MHO_CTRL_OFFSET 0x0004u\n"
        "#define MHO_CTRL_RESET 0x10u\n"
        "/* [0] Starts if a < b & c */\n"
        "#define MHO_CTRL_START_SHIFT 0u\n"
        "#define MHO_CTRL_START_MASK 0x1u\n"
        "/* [6:4] Mode * / */\n"
        "#define MHO_CTRL_MODE_SHIFT 4u\n"
        "#define MHO_CTRL_MODE_MASK 0x70u\n"
        "\n"
        "/* W1C, 64 bits: Pending interrupts */\n"
        "#define MHO_IRQ_STATUS_OFFSET 0x0010u\n"
        "#define MHO_IRQ_STATUS_RESET 0x0ull\n"
        "\n"
        "/* WO, 32 bits: Start */\n"
        "#define MHO_DOORBELL_OFFSET 0x1018u\n"
        "#define MHO_DOORBELL_RESET 0x0u\n"
        "\n"
        "/* RO, 32 bits: Identification */\n"
        "#define MHO_ID_OFFSET 0x101cu\n"
        "#define MHO_ID_RESET 0x4d484fu\n"
        "\n"
        "#endif\n");
}

TEST_CASE("the SVD of a register table describes one peripheral with escaped prose") {
  const std::string document = svd(table(), {"pim", "1.0", "Accelerator", 0x40000000});
  CHECK_THAT(document, Contains("<baseAddress>0x40000000</baseAddress>") && Contains("<size>0x1020</size>"));
  CHECK_THAT(document, Contains("          <register>\n"
                                "            <name>IRQ_STATUS</name>\n"
                                "            <description>Pending interrupts</description>\n"
                                "            <addressOffset>0x10</addressOffset>\n"
                                "            <size>64</size>\n"
                                "            <access>read-write</access>\n"
                                "            <resetValue>0x0</resetValue>\n"
                                "            <resetMask>0xffffffffffffffff</resetMask>\n"
                                "            <modifiedWriteValues>oneToClear</modifiedWriteValues>\n"
                                "          </register>\n"));
  CHECK_THAT(document, Contains("<description>Starts if a &lt; b &amp; c</description>"));
  CHECK_THAT(document, Contains("                <bitOffset>4</bitOffset>\n"
                                "                <bitWidth>3</bitWidth>\n"));
  CHECK_THAT(document, Contains("<access>write-only</access>") && Contains("<access>read-only</access>"));
}

TEST_CASE("no text is generated from a table with a mistake") {
  const RegisterTable mistaken = {{"A", 2, 32, RegisterAccess::kReadOnly, 0, "", {}}};
  CHECK_THROWS(markdown_table(mistaken));
  CHECK_THROWS(c_header(mistaken, "MHO"));
  CHECK_THROWS(svd(mistaken, {}));
}

}  // namespace
}  // namespace mho::testbenches
