// SPDX-License-Identifier: Apache-2.0
// The rules of the conformance suite in words; a violation begins with one of these sentences. They follow
// IEEE 1666-2011, 11 and 14, and are stricter where the project is (a refused access changes nothing).
#pragma once

namespace mho::testbenches {

// Blocking transport: what is accepted, what is refused and how.
constexpr char kRuleMapped[] = "an access to a mapped address succeeds";
constexpr char kRuleUnmapped[] = "an unmapped address gets TLM_ADDRESS_ERROR_RESPONSE";
constexpr char kRuleCrossing[] = "an access that leaves its range is refused";
constexpr char kRuleSize[] = "a wrong size gets TLM_BURST_ERROR_RESPONSE";
constexpr char kRuleAlignment[] = "a misaligned access is refused";
constexpr char kRuleDirection[] = "a wrong direction gets TLM_COMMAND_ERROR_RESPONSE";
constexpr char kRuleEnables[] = "byte enables are honoured, else refused with TLM_BYTE_ENABLE_ERROR_RESPONSE";
constexpr char kRuleZeroWidth[] = "a streaming width of 0 means the length";
constexpr char kRuleLongWidth[] = "a streaming width above the length means the length";
constexpr char kRuleStreaming[] = "streaming is honoured, else refused with TLM_BURST_ERROR_RESPONSE";
constexpr char kRuleIgnore[] = "TLM_IGNORE_COMMAND is neither a read nor a write";

// Blocking transport: what holds for every access.
constexpr char kRuleResponse[] = "the response is set on every path";
constexpr char kRuleDelay[] = "the delay only grows";
constexpr char kRuleNoWait[] = "blocking transport does not wait";
constexpr char kRuleAttributes[] = "the other attributes come back as they were sent";
constexpr char kRuleExtension[] = "unknown extensions are left alone";
constexpr char kRuleReference[] = "no reference to the payload is kept after the call";
constexpr char kRuleBeyond[] = "no byte beyond the data array is touched";
constexpr char kRuleRefusedData[] = "a refused access moves no data";
constexpr char kRuleRefusedState[] = "a refused access changes no state";
constexpr char kRuleReadData[] = "a read gives what is stored";
constexpr char kRuleWriteData[] = "a write stores what was sent";
constexpr char kRuleHint[] = "a transfer that succeeds carries the DMI hint where DMI is granted, else not";

// Debug transport.
constexpr char kRuleDebugCount[] = "debug transport returns the exact number of bytes";
constexpr char kRuleDebugData[] = "debug transport moves the data that it counts and no more";
constexpr char kRuleDebugState[] = "debug transport has no side effect";
constexpr char kRuleDebugTime[] = "debug transport takes no time";

// Direct memory access.
constexpr char kRuleDmiGrant[] = "DMI is granted for the ranges that have it and refused elsewhere";
constexpr char kRuleDmiBounds[] =
    "a DMI answer holds for an ordered range around the address and nothing it is wrong for";
constexpr char kRuleDmiData[] = "a DMI pointer leads to the bytes of its bounds";

}  // namespace mho::testbenches
