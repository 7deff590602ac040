// SPDX-License-Identifier: Apache-2.0
// The units of every kind of quantity, as data; decimal prefixes by SI, binary prefixes by IEC 80000-13.
#include "platforms/config/units.h"

#include <stdexcept>

namespace mho::config {
namespace {

constexpr Unit kTimeUnits[] = {{"fs", -15, 0, true}, {"ps", -12, 0, true}, {"ns", -9, 0, true},
                               {"us", -6, 0, true},  {"ms", -3, 0, true},  {"s", 0, 0, true}};
constexpr UnitTable kTime{"time", "s", "ns", UnitList(kTimeUnits)};

constexpr Unit kFrequencyUnits[] = {{"Hz", 0, 0, true},    {"kHz", 3, 0, true},  {"MHz", 6, 0, true},
                                    {"GHz", 9, 0, true},   {"S/s", 0, 0, false}, {"kS/s", 3, 0, false},
                                    {"MS/s", 6, 0, false}, {"GS/s", 9, 0, false}};
constexpr UnitTable kFrequency{"frequency", "Hz", "MHz", UnitList(kFrequencyUnits)};

constexpr Unit kSampleRateUnits[] = {{"S/s", 0, 0, true},  {"kS/s", 3, 0, true}, {"MS/s", 6, 0, true},
                                     {"GS/s", 9, 0, true}, {"Hz", 0, 0, false},  {"kHz", 3, 0, false},
                                     {"MHz", 6, 0, false}, {"GHz", 9, 0, false}};
constexpr UnitTable kSampleRate{"sample rate", "Hz", "MS/s", UnitList(kSampleRateUnits)};

constexpr Unit kBytesUnits[] = {{"B", 0, 0, true},     {"kB", 3, 0, true},    {"MB", 6, 0, true},
                                {"GB", 9, 0, true},    {"TB", 12, 0, true},   {"KiB", 0, 10, false},
                                {"MiB", 0, 20, false}, {"GiB", 0, 30, false}, {"TiB", 0, 40, false}};
constexpr UnitTable kBytes{"size in bytes", "B", "KiB", UnitList(kBytesUnits)};

constexpr Unit kBitsUnits[] = {{"b", 0, 0, true}, {"bit", 0, 0, false}};
constexpr UnitTable kBits{"size in bits", "b", "b", UnitList(kBitsUnits)};

constexpr Unit kBandwidthUnits[] = {{"B/s", 0, 0, true},     {"kB/s", 3, 0, true},    {"MB/s", 6, 0, true},
                                    {"GB/s", 9, 0, true},    {"TB/s", 12, 0, true},   {"KiB/s", 0, 10, false},
                                    {"MiB/s", 0, 20, false}, {"GiB/s", 0, 30, false}, {"b/s", 0, -3, false},
                                    {"kb/s", 3, -3, false},  {"Mb/s", 6, -3, false},  {"Gb/s", 9, -3, false},
                                    {"Tb/s", 12, -3, false}};
constexpr UnitTable kBandwidth{"bandwidth", "B/s", "GB/s", UnitList(kBandwidthUnits)};

constexpr Unit kEnergyUnits[] = {{"aJ", -18, 0, true}, {"fJ", -15, 0, true}, {"pJ", -12, 0, true}, {"nJ", -9, 0, true},
                                 {"uJ", -6, 0, true},  {"mJ", -3, 0, true},  {"J", 0, 0, true}};
constexpr UnitTable kEnergy{"energy", "J", "pJ", UnitList(kEnergyUnits)};

constexpr Unit kEnergyPerBitUnits[] = {{"fJ/b", -15, 0, true},  {"pJ/b", -12, 0, true},    {"nJ/b", -9, 0, true},
                                       {"J/b", 0, 0, true},     {"fJ/bit", -15, 0, false}, {"pJ/bit", -12, 0, false},
                                       {"nJ/bit", -9, 0, false}};
constexpr UnitTable kEnergyPerBit{"energy per bit", "J/b", "pJ/b", UnitList(kEnergyPerBitUnits)};

constexpr Unit kPowerUnits[] = {
    {"pW", -12, 0, true}, {"nW", -9, 0, true}, {"uW", -6, 0, true}, {"mW", -3, 0, true}, {"W", 0, 0, true}};
constexpr UnitTable kPower{"power", "W", "mW", UnitList(kPowerUnits)};

constexpr Unit kAreaUnits[] = {{"nm2", -18, 0, true}, {"um2", -12, 0, true}, {"mm2", -6, 0, true}, {"m2", 0, 0, true}};
constexpr UnitTable kArea{"area", "m2", "um2", UnitList(kAreaUnits)};

constexpr Unit kLengthUnits[] = {{"nm", -9, 0, true}, {"um", -6, 0, true}, {"mm", -3, 0, true}, {"m", 0, 0, true}};
constexpr UnitTable kLength{"length", "m", "um", UnitList(kLengthUnits)};

constexpr Unit kVoltageUnits[] = {{"uV", -6, 0, true}, {"mV", -3, 0, true}, {"V", 0, 0, true}};
constexpr UnitTable kVoltage{"voltage", "V", "mV", UnitList(kVoltageUnits)};

constexpr Unit kCurrentUnits[] = {{"nA", -9, 0, true}, {"uA", -6, 0, true}, {"mA", -3, 0, true}, {"A", 0, 0, true}};
constexpr UnitTable kCurrent{"current", "A", "uA", UnitList(kCurrentUnits)};

constexpr Unit kResistanceUnits[] = {{"ohm", 0, 0, true}, {"kohm", 3, 0, true}, {"Mohm", 6, 0, true}};
constexpr UnitTable kResistance{"resistance", "ohm", "kohm", UnitList(kResistanceUnits)};

constexpr Unit kConductanceUnits[] = {{"nS", -9, 0, true}, {"uS", -6, 0, true}, {"mS", -3, 0, true}, {"S", 0, 0, true}};
constexpr UnitTable kConductance{"conductance", "S", "uS", UnitList(kConductanceUnits)};

constexpr Unit kChargeUnits[] = {{"fC", -15, 0, true}, {"pC", -12, 0, true}, {"nC", -9, 0, true}, {"C", 0, 0, true}};
constexpr UnitTable kCharge{"charge", "C", "fC", UnitList(kChargeUnits)};

constexpr Unit kCapacitanceUnits[] = {
    {"aF", -18, 0, true}, {"fF", -15, 0, true}, {"pF", -12, 0, true}, {"nF", -9, 0, true}, {"F", 0, 0, true}};
constexpr UnitTable kCapacitance{"capacitance", "F", "fF", UnitList(kCapacitanceUnits)};

constexpr Unit kPercentageUnits[] = {{"%", -2, 0, true}};
constexpr UnitTable kPercentage{"percentage", "", "%", UnitList(kPercentageUnits)};

}  // namespace

const UnitTable& unit_table(Quantity kind) {
  switch (kind) {
    case Quantity::time:
      return kTime;
    case Quantity::frequency:
      return kFrequency;
    case Quantity::sample_rate:
      return kSampleRate;
    case Quantity::bytes:
      return kBytes;
    case Quantity::bits:
      return kBits;
    case Quantity::bandwidth:
      return kBandwidth;
    case Quantity::energy:
      return kEnergy;
    case Quantity::energy_per_bit:
      return kEnergyPerBit;
    case Quantity::power:
      return kPower;
    case Quantity::area:
      return kArea;
    case Quantity::length:
      return kLength;
    case Quantity::voltage:
      return kVoltage;
    case Quantity::current:
      return kCurrent;
    case Quantity::resistance:
      return kResistance;
    case Quantity::conductance:
      return kConductance;
    case Quantity::charge:
      return kCharge;
    case Quantity::capacitance:
      return kCapacitance;
    case Quantity::percentage:
      return kPercentage;
  }
  throw std::logic_error("unit_table: no such quantity");
}

}  // namespace mho::config
