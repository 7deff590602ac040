// SPDX-License-Identifier: Apache-2.0
// Proves that the conformance suite bites: a target without fault passes, and each deliberate fault is
// reported under the rule that it breaks.
#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "testbenches/models/tlm/broken_targets.h"
#include "testbenches/models/tlm/conformance.h"
#include "testbenches/models/tlm/conformance_rules.h"
#include "testbenches/models/tlm/test_initiator.h"
#include "testbenches/strict_reports.h"

namespace mho::testbenches {
namespace {

struct FaultCase {
  Fault fault;
  const char* name;
  const char* rule;
};

const std::vector<FaultCase> kFaultCases = {
    {Fault::kResponseLeftOnSuccess, "response left on success", kRuleResponse},
    {Fault::kResponseLeftOnRefusal, "response left on refusal", kRuleResponse},
    {Fault::kDelayShrinks, "delay shrinks", kRuleDelay},
    {Fault::kWaits, "waits", kRuleNoWait},
    {Fault::kAddressChanged, "address changed", kRuleAttributes},
    {Fault::kExtensionRemoved, "extension removed", kRuleExtension},
    {Fault::kReferenceKept, "reference kept", kRuleReference},
    {Fault::kWritesBeyondArray, "writes beyond the array", kRuleBeyond},
    {Fault::kRefusedReadMovesData, "refused read moves data", kRuleRefusedData},
    {Fault::kRefusedWriteStores, "refused write stores", kRuleRefusedState},
    {Fault::kRefusalCounted, "refusal counted as access", kRuleRefusedState},
    {Fault::kMappedRefused, "mapped refused", kRuleMapped},
    {Fault::kUnmappedAccepted, "unmapped accepted", kRuleUnmapped},
    {Fault::kUnmappedWrongResponse, "unmapped with the wrong response", kRuleUnmapped},
    {Fault::kWrapAccepted, "wrap-around accepted", kRuleUnmapped},
    {Fault::kCrossingAccepted, "crossing accepted", kRuleCrossing},
    {Fault::kSizeAccepted, "wrong size accepted", kRuleSize},
    {Fault::kSizeWrongResponse, "wrong size with the wrong response", kRuleSize},
    {Fault::kMisalignedAccepted, "misaligned accepted", kRuleAlignment},
    {Fault::kReadOnlyWritten, "read-only written", kRuleDirection},
    {Fault::kDirectionWrongResponse, "direction with the wrong response", kRuleDirection},
    {Fault::kEnablesIgnored, "byte enables ignored", kRuleEnables},
    {Fault::kEnableLengthIgnored, "byte enable length ignored", kRuleEnables},
    {Fault::kEnablesNotRefused, "byte enables not refused", kRuleEnables},
    {Fault::kZeroWidthRefused, "streaming width 0 refused", kRuleZeroWidth},
    {Fault::kZeroWidthMovesNothing, "streaming width 0 moves nothing", kRuleZeroWidth},
    {Fault::kLongWidthRefused, "long streaming width refused", kRuleLongWidth},
    {Fault::kStreamingAsPlain, "streaming taken as plain", kRuleStreaming},
    {Fault::kStreamingNotHonoured, "streaming promised, taken as plain", kRuleStreaming},
    {Fault::kIgnoreWrites, "ignore writes", kRuleIgnore},
    {Fault::kReadShifted, "read gives other data", kRuleReadData},
    {Fault::kWriteDropped, "write dropped", kRuleWriteData},
    {Fault::kHintMissing, "DMI hint missing", kRuleHint},
    {Fault::kHintEverywhere, "DMI hint everywhere", kRuleHint},
    {Fault::kDebugCountsAccess, "debug counted as access", kRuleDebugState},
    {Fault::kDebugCountOfRequest, "debug count of the request", kRuleDebugCount},
    {Fault::kDebugCountOfOne, "debug count of one", kRuleDebugCount},
    {Fault::kDebugReadsBeyondEnd, "debug reads beyond the end", kRuleDebugData},
    {Fault::kDebugUnmapped, "debug of unmapped addresses", kRuleDebugCount},
    {Fault::kDebugConsumes, "debug consumes", kRuleDebugState},
    {Fault::kDebugWaits, "debug waits", kRuleDebugTime},
    {Fault::kDebugWriteDropped, "debug write dropped", kRuleDebugData},
    {Fault::kDmiEndExclusive, "DMI end exclusive", kRuleDmiBounds},
    {Fault::kDmiPointerShifted, "DMI pointer shifted", kRuleDmiData},
    {Fault::kDmiPointerToCopy, "DMI pointer to a copy", kRuleDmiData},
    {Fault::kDmiRefusalUnbounded, "DMI refusal unbounded", kRuleDmiBounds},
    {Fault::kDmiOutsideBounds, "DMI bounds without the address", kRuleDmiBounds},
    {Fault::kDmiGrantedEverywhere, "DMI granted everywhere", kRuleDmiGrant},
    {Fault::kDmiRefused, "DMI refused", kRuleDmiGrant},
    {Fault::kDmiReadOnly, "DMI without write access", kRuleDmiGrant},
};

/// A target with its own initiator.
struct Bench {
  Bench(const std::string& name, Fault fault)
      : initiator((name + "_initiator").c_str()), target((name + "_target").c_str(), fault) {
    initiator.socket.bind(target.socket);
  }

  std::vector<std::string> run() { return violated_rules(initiator.target(), target.description()); }

  TestInitiator<> initiator;
  BrokenTarget target;
};

bool reports(const std::vector<std::string>& violations, const std::string& rule) {
  return std::any_of(violations.begin(), violations.end(),
                     [&rule](const std::string& violation) { return violation.compare(0, rule.size(), rule) == 0; });
}

TEST_CASE("a target without fault breaks no rule of the conformance suite") {
  Bench bench("sound", Fault::kNone);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  CHECK(bench.run() == std::vector<std::string>{});
}

TEST_CASE("each deliberate fault is reported under the rule that it breaks") {
  std::vector<std::unique_ptr<Bench>> benches;
  std::vector<std::vector<std::string>> found(kFaultCases.size());
  for (std::size_t i = 0; i < kFaultCases.size(); ++i) {
    benches.push_back(std::make_unique<Bench>("fault" + std::to_string(i), kFaultCases[i].fault));
    // In a thread, since two of the faults wait.
    benches.back()->initiator.in_thread = [&benches, &found, i] { found[i] = benches[i]->run(); };
  }
  sc_core::sc_start();
  for (std::size_t i = 0; i < kFaultCases.size(); ++i) {
    CAPTURE(kFaultCases[i].name, found[i]);
    CHECK(reports(found[i], kFaultCases[i].rule));
  }
}

TEST_CASE("every rule of the conformance suite is broken by at least one deliberate fault") {
  for (const char* const rule :
       {kRuleMapped,      kRuleUnmapped,     kRuleCrossing,   kRuleSize,      kRuleAlignment, kRuleDirection,
        kRuleEnables,     kRuleZeroWidth,    kRuleLongWidth,  kRuleStreaming, kRuleIgnore,    kRuleResponse,
        kRuleDelay,       kRuleNoWait,       kRuleAttributes, kRuleExtension, kRuleReference, kRuleBeyond,
        kRuleRefusedData, kRuleRefusedState, kRuleReadData,   kRuleWriteData, kRuleHint,      kRuleDebugCount,
        kRuleDebugData,   kRuleDebugState,   kRuleDebugTime,  kRuleDmiGrant,  kRuleDmiBounds, kRuleDmiData}) {
    CAPTURE(rule);
    CHECK(std::any_of(kFaultCases.begin(), kFaultCases.end(),
                      [rule](const FaultCase& each) { return std::string(each.rule) == rule; }));
  }
}

}  // namespace
}  // namespace mho::testbenches
