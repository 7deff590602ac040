// SPDX-License-Identifier: Apache-2.0
// Three writers over the same table. Each escapes what its format would otherwise misread, since
// descriptions are prose.
#include "models/tlm/registers_export.h"

#include <algorithm>
#include <sstream>

namespace mho::tlm_kit {
namespace {

std::string hex(std::uint64_t value, unsigned int digits = 0) {
  std::ostringstream out;
  out << std::hex << value;
  const std::string text = out.str();
  return "0x" + std::string(digits > text.size() ? digits - text.size() : 0, '0') + text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string one_line(const std::string& text) { return replaced(text, "\n", " "); }

std::string cell(const std::string& text) { return replaced(one_line(text), "|", "\\|"); }

std::string comment(const std::string& text) { return "/* " + replaced(one_line(text), "*/", "* /") + " */"; }

std::string xml(const std::string& text) {
  return replaced(replaced(replaced(text, "&", "&amp;"), "<", "&lt;"), ">", "&gt;");
}

const char* short_name(RegisterAccess access) {
  switch (access) {
    case RegisterAccess::kReadOnly:
      return "RO";
    case RegisterAccess::kReadWrite:
      return "RW";
    case RegisterAccess::kWriteOneToClear:
      return "W1C";
    case RegisterAccess::kWriteOnly:
      return "WO";
  }
  return "";
}

/// The schema has no word for write-one-to-clear: it is read-write with modifiedWriteValues beside it.
const char* svd_access(RegisterAccess access) {
  switch (access) {
    case RegisterAccess::kReadOnly:
      return "read-only";
    case RegisterAccess::kWriteOnly:
      return "write-only";
    default:
      return "read-write";
  }
}

/// Digits that show all offsets of the table at the same width.
unsigned int offset_digits(const RegisterTable& table) {
  const std::string last = hex(table.empty() ? 0 : table.back().offset);
  return std::max(3u, static_cast<unsigned int>(last.size()) - 2);
}

std::string bits(const RegisterField& field) {
  const std::string lsb = std::to_string(field.lsb);
  return field.width == 1 ? "[" + lsb + "]" : "[" + std::to_string(field.lsb + field.width - 1) + ":" + lsb + "]";
}

std::string element(const std::string& tag, const std::string& content) {
  return "<" + tag + ">" + xml(content) + "</" + tag + ">";
}

void write_svd_field(std::ostream& out, const RegisterField& field) {
  const std::string indent(14, ' ');
  out << indent << "<field>\n"
      << indent << "  " << element("name", field.name) << "\n"
      << indent << "  " << element("description", one_line(field.description)) << "\n"
      << indent << "  " << element("bitOffset", std::to_string(field.lsb)) << "\n"
      << indent << "  " << element("bitWidth", std::to_string(field.width)) << "\n"
      << indent << "</field>\n";
}

void write_svd_register(std::ostream& out, const RegisterDescription& entry) {
  const std::string indent(10, ' ');
  out << indent << "<register>\n"
      << indent << "  " << element("name", entry.name) << "\n"
      << indent << "  " << element("description", one_line(entry.description)) << "\n"
      << indent << "  " << element("addressOffset", hex(entry.offset)) << "\n"
      << indent << "  " << element("size", std::to_string(entry.width_bits)) << "\n"
      << indent << "  " << element("access", svd_access(entry.access)) << "\n"
      << indent << "  " << element("resetValue", hex(entry.reset_value)) << "\n"
      << indent << "  " << element("resetMask", hex(entry.mask())) << "\n";
  if (entry.access == RegisterAccess::kWriteOneToClear) {
    out << indent << "  " << element("modifiedWriteValues", "oneToClear") << "\n";
  }
  if (!entry.fields.empty()) {
    out << indent << "  <fields>\n";
    for (const RegisterField& field : entry.fields) write_svd_field(out, field);
    out << indent << "  </fields>\n";
  }
  out << indent << "</register>\n";
}

}  // namespace

std::string markdown_table(const RegisterTable& table) {
  check_registers(table);
  std::ostringstream out;
  out << "| Offset | Name | Bits | Access | Reset | Description |\n"
      << "|---|---|---|---|---|---|\n";
  for (const RegisterDescription& entry : table) {
    out << "| " << hex(entry.offset, offset_digits(table)) << " | " << entry.name << " | " << entry.width_bits << " | "
        << short_name(entry.access) << " | " << hex(entry.reset_value) << " | " << cell(entry.description);
    for (const RegisterField& field : entry.fields) {
      out << "<br>`" << bits(field) << " " << field.name << "` " << cell(field.description);
    }
    out << " |\n";
  }
  return out.str();
}

std::string c_header(const RegisterTable& table, const std::string& prefix) {
  check_registers(table);
  std::ostringstream out;
  const std::string guard = prefix + "_REGISTERS_H";
  out << "/* SPDX-License-Identifier: Apache-2.0 */\n"
      << "/* Generated from the register table of the model; do not edit. */\n"
      << "#ifndef " << guard << "\n#define " << guard << "\n";
  for (const RegisterDescription& entry : table) {
    const std::string name = prefix + "_" + entry.name;
    const std::string suffix = entry.width_bits == 64 ? "ull" : "u";
    const std::string kind = std::string(short_name(entry.access)) + ", " + std::to_string(entry.width_bits) + " bits";
    out << "\n"
        << comment(kind + ": " + entry.description) << "\n"
        << "#define " << name << "_OFFSET " << hex(entry.offset, offset_digits(table)) << "u\n"
        << "#define " << name << "_RESET " << hex(entry.reset_value) << suffix << "\n";
    for (const RegisterField& field : entry.fields) {
      const std::string field_name = name + "_" + field.name;
      out << comment(bits(field) + " " + field.description) << "\n"
          << "#define " << field_name << "_SHIFT " << field.lsb << "u\n"
          << "#define " << field_name << "_MASK " << hex(field.mask()) << suffix << "\n";
    }
  }
  out << "\n#endif\n";
  return out.str();
}

std::string svd(const RegisterTable& table, const SvdDevice& device) {
  check_registers(table);
  const std::uint64_t size = table.empty() ? 0 : table.back().offset + table.back().width_bytes();
  std::ostringstream out;
  out << "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
      << "<device schemaVersion=\"1.3\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema-instance\" "
      << "xs:noNamespaceSchemaLocation=\"CMSIS-SVD.xsd\">\n"
      << "  " << element("name", device.name) << "\n"
      << "  " << element("version", device.version) << "\n"
      << "  " << element("description", one_line(device.description)) << "\n"
      << "  <addressUnitBits>8</addressUnitBits>\n"
      << "  <width>32</width>\n"
      << "  <peripherals>\n    <peripheral>\n"
      << "      " << element("name", device.name) << "\n"
      << "      " << element("description", one_line(device.description)) << "\n"
      << "      " << element("baseAddress", hex(device.base)) << "\n"
      << "      <addressBlock>\n        <offset>0x0</offset>\n"
      << "        " << element("size", hex(size)) << "\n"
      << "        <usage>registers</usage>\n      </addressBlock>\n"
      << "      <registers>\n";
  for (const RegisterDescription& entry : table) write_svd_register(out, entry);
  out << "      </registers>\n    </peripheral>\n  </peripherals>\n</device>\n";
  return out.str();
}

}  // namespace mho::tlm_kit
