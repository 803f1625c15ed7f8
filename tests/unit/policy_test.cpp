// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/policy.h"

#include <algorithm>

#include <gtest/gtest.h>

using namespace hwrngd;

namespace {

Inventory machine()
{
	Inventory inventory;
	inventory.hwrng = HwrngState{};
	inventory.hwrng->available = {"a", "virtio_rng.0", "tpm_rng.0"};
	inventory.hwrng->current = "virtio_rng.0";
	inventory.hwrng->has_quality_file = true;
	inventory.sources = {{"rdrand", SourceKind::cpu, "", 4, false},
	                     {"rdseed", SourceKind::cpu, "", 512, false},
	                     {"tpmrm0", SourceKind::tpm2, "", 512, false},
	                     {"a", SourceKind::hwrng, "", 100, false},
	                     {"tpm_rng.0", SourceKind::hwrng, "", 512, false},
	                     {"virtio_rng.0", SourceKind::hwrng, "", 10, true}};
	return inventory;
}

std::vector<std::string> names(const Result<std::vector<Candidate>> &candidates)
{
	std::vector<std::string> list;
	if (candidates)
		for (const auto &candidate : *candidates) {
			EXPECT_FALSE(candidate.reason.empty());
			list.push_back(candidate.source.name);
		}
	return list;
}

TEST(Policy, RanksTheCurrentHwrngThenOthersByClaimThenTpmThenCpu)
{
	EXPECT_EQ(
	    names(rank(machine(), std::nullopt)),
	    (std::vector<std::string>{"virtio_rng.0", "tpm_rng.0", "a", "tpmrm0", "rdseed", "rdrand"}));
}

TEST(Policy, RanksATrustedGeneratorBeforeTheCpuAndAnUntrustedOneLast)
{
	Inventory inventory;
	inventory.sources = {{"unbelieved", SourceKind::generator, "", 0, false},
	                     {"jitter", SourceKind::jitter, "", 512, false},
	                     {"rdseed", SourceKind::cpu, "", 512, false},
	                     {"believed", SourceKind::generator, "", 100, false},
	                     {"printed", SourceKind::command, "", 90, false},
	                     {"upstairs", SourceKind::egd, "", 80, false},
	                     {"afar", SourceKind::ssh, "", 70, false},
	                     {"unheard of", SourceKind{99}, "", 100, false}};
	EXPECT_EQ(names(rank(inventory, std::nullopt)),
	          (std::vector<std::string>{"believed", "printed", "upstairs", "afar", "rdseed",
	                                    "jitter", "unheard of", "unbelieved"}));
	const auto sources = decide(inventory, {}, {}, std::nullopt).sources;
	const auto reason = [&](const std::string &name) {
		return std::ranges::find(sources, name, [](const auto &one) { return one.source.name; })
		    ->reason;
	};
	EXPECT_EQ(reason("upstairs"), "another machine, by the EGD protocol");
	EXPECT_EQ(reason("afar"), "another machine, over SSH");
}

TEST(Policy, AnAbsentSourceIsIgnoredWithAReasonAndIsNotACandidate)
{
	Inventory inventory;
	inventory.sources = {
	    {.name = "late",
	     .kind = SourceKind::generator,
	     .driver = "/dev/late",
	     .claim = 1024,
	     .absent = "is absent: /dev/late does not exist"},
	    {.name = "jitter", .kind = SourceKind::jitter, .driver = "", .claim = 512}};
	const auto sources = decide(inventory, {}, {}, std::nullopt).sources;
	EXPECT_EQ(sources.front().use, Use::ignore);
	EXPECT_EQ(sources.front().reason, "is absent: /dev/late does not exist");
	EXPECT_EQ(sources.back().use, Use::read) << "an absent source replaces none";
	EXPECT_EQ(names(rank(inventory, std::nullopt)), std::vector<std::string>{"jitter"});
	const auto asked = rank(inventory, "late");
	ASSERT_FALSE(asked);
	EXPECT_EQ(asked.error().code, ExitCode::no_source);
	EXPECT_TRUE(asked.error().message.contains("/dev/late")) << asked.error().message;
	inventory.sources.front().absent.clear();
	EXPECT_EQ(decide(inventory, {}, {}, std::nullopt).sources.front().use, Use::read);
}

TEST(Policy, AFaultyInstructionThatIsNamedIsRefusedWithItsErratum)
{
	Inventory inventory;
	inventory.sources.push_back({.name = "rdseed",
	                             .kind = SourceKind::cpu,
	                             .driver = "",
	                             .claim = 0,
	                             .absent = "is not used: erratum"});
	const auto ranked = rank(inventory, "rdseed", {});
	ASSERT_FALSE(ranked);
	EXPECT_EQ(ranked.error().message, "rdseed is not used: erratum");
}

TEST(Policy, JitterIsReadOnlyIfNoOtherSourceIsUsable)
{
	auto inventory = machine();
	inventory.hwrng.reset();
	inventory.sources = {{"rdseed", SourceKind::cpu, "", 512, false},
	                     {"jitter", SourceKind::jitter, "", 512, false}};
	Config config;
	const auto jitter = [&](const std::map<std::string, SourceState> &states) {
		return decide(inventory, config, states, std::nullopt).sources.back();
	};
	EXPECT_EQ(jitter({}).use, Use::ignore);
	EXPECT_EQ(jitter({}).reason, "not needed, because rdseed is read");
	EXPECT_EQ(jitter({{"rdseed", SourceState::suspect}}).use, Use::ignore) << "it may recover";
	EXPECT_EQ(jitter({{"rdseed", SourceState::quarantined}}).use, Use::read);
	inventory.sources.front().claim = 0;
	EXPECT_EQ(jitter({}).use, Use::read) << "the other has no credit";
	inventory.sources.front().claim = 512;
	config.prefer = {"jit*"};
	EXPECT_EQ(jitter({}).use, Use::read) << "it is preferred";
	config.prefer.clear();
	config.deny = {"rdseed"};
	EXPECT_EQ(jitter({}).use, Use::read);
	config.deny = {"jitter"};
	EXPECT_EQ(jitter({}).reason, "denied by \"jitter\" in `deny`");
	config.deny = {"*"};
	EXPECT_EQ(jitter({}).use, Use::ignore);
}

TEST(Policy, RanksOnlyANamedSource)
{
	EXPECT_EQ(names(rank(machine(), "rdseed")), (std::vector<std::string>{"rdseed"}));
}

TEST(Policy, AnErrorAboutAnUnknownNameListsAllSources)
{
	const auto candidates = rank(machine(), "tpm");
	ASSERT_FALSE(candidates);
	EXPECT_EQ(candidates.error().code, ExitCode::no_source);
	EXPECT_NE(candidates.error().message.find("\"tpm\""), std::string::npos);
	EXPECT_NE(candidates.error().message.find("tpmrm0"), std::string::npos);
	EXPECT_EQ(rank(Inventory{}, "tpm").error().message,
	          "\"tpm\" is not a source of this machine. Its sources are: none");
}

TEST(Policy, WithoutSourcesTheErrorSaysWhatToDo)
{
	const auto candidates = rank(Inventory{}, std::nullopt);
	ASSERT_FALSE(candidates);
	EXPECT_EQ(candidates.error().code, ExitCode::no_source);
	EXPECT_NE(candidates.error().message.find("virtio-rng"), std::string::npos);
}

TEST(Policy, ProbesNothingIfSwitchingCanDeadlock)
{
	auto inventory = machine();
	inventory.hwrng->has_quality_file = false;
	EXPECT_EQ(names(rank(inventory, std::nullopt)),
	          (std::vector<std::string>{"virtio_rng.0", "tpmrm0", "rdseed", "rdrand"}));
}

TEST(Policy, RespectsAChoiceOfNone)
{
	auto inventory = machine();
	inventory.hwrng->current = "";
	inventory.hwrng->selected = true;
	inventory.sources.back().current = false;
	EXPECT_EQ(names(rank(inventory, std::nullopt)),
	          (std::vector<std::string>{"tpmrm0", "rdseed", "rdrand"}));
	EXPECT_EQ(names(rank(inventory, "tpm_rng.0")), (std::vector<std::string>{"tpm_rng.0"}));
}

TEST(Policy, SwitchingIsDangerousOnlyToADriverWithoutQualityOnAnOldKernel)
{
	HwrngState state;
	state.current = "virtio_rng.0";
	EXPECT_TRUE(switching_danger(state, "tpm-rng-0"));
	EXPECT_FALSE(switching_danger(state, "tpm_rng.0"));
	EXPECT_FALSE(switching_danger(state, "cpu_rng.rdseed"));
	EXPECT_FALSE(switching_danger(state, "virtio_rng.0"));
	EXPECT_FALSE(switching_danger(state, "virtio_rng.1"));
	state.has_quality_file = true;
	EXPECT_FALSE(switching_danger(state, "tpm-rng-0"));
	state.has_quality_file = false;
	state.current = "";
	EXPECT_FALSE(switching_danger(state, "tpm-rng-0"));
}

/// The decision for a source of machine().
SourceDecision decided(const Decision &decision, const std::string &name)
{
	for (const auto &source : decision.sources)
		if (source.source.name == name)
			return source;
	ADD_FAILURE() << name;
	return {};
}

TEST(Decide, ReadsTheCurrentHwrngAndOtherSourcesAndProbesOtherHwrngs)
{
	const auto decision = decide(machine(), {}, {}, std::nullopt);
	ASSERT_EQ(decision.sources.size(), 6U);
	for (const char *name : {"virtio_rng.0", "tpmrm0", "rdseed", "rdrand"})
		EXPECT_EQ(decided(decision, name).use, Use::read) << name;
	for (const char *name : {"a", "tpm_rng.0"})
		EXPECT_EQ(decided(decision, name).use, Use::probe) << name;
	for (const auto &source : decision.sources)
		EXPECT_NE(source.reason, "");
	EXPECT_FALSE(decision.select);
	EXPECT_EQ(decision.reason, "the kernel chose virtio_rng.0");
}

TEST(Decide, DeniesByPattern)
{
	Config config;
	config.deny = {"nothing", "tpm*", "virtio_rng.0"};
	const auto decision = decide(machine(), config, {}, std::nullopt);
	for (const char *name : {"tpmrm0", "tpm_rng.0", "virtio_rng.0"})
		EXPECT_EQ(decided(decision, name).use, Use::ignore) << name;
	EXPECT_EQ(decided(decision, "tpmrm0").reason, "denied by \"tpm*\" in `deny`");
	// The current one is denied, and this is the only other one that is allowed.
	EXPECT_EQ(decision.select, "a");
	EXPECT_EQ(
	    decision.reason,
	    "virtio_rng.0 is denied or quarantined; of the others, this one claims the most entropy");
	config.deny = {"*"};
	EXPECT_EQ(decide(machine(), config, {}, std::nullopt).reason,
	          "all hwrngs are denied or quarantined");
}

TEST(Decide, ProbesNothingIfProbesAreOffDangerousOrUnwanted)
{
	Config config;
	config.probe_interval = {};
	EXPECT_EQ(decided(decide(machine(), config, {}, std::nullopt), "a").reason,
	          "not in use, and probes are off (probe_interval = 0)");
	auto inventory = machine();
	inventory.hwrng->has_quality_file = false;
	EXPECT_EQ(decided(decide(inventory, {}, {}, std::nullopt), "a").reason,
	          "not in use, and this kernel can hang when the hwrng is switched");
	inventory = machine();
	inventory.hwrng->current = "";
	inventory.hwrng->selected = true;
	inventory.sources.back().current = false;
	const auto decision = decide(inventory, {}, {}, std::nullopt);
	EXPECT_EQ(decided(decision, "a").reason,
	          "an administrator switched the hwrng off (rng_current is none)");
	EXPECT_FALSE(decision.select);
	EXPECT_EQ(decision.reason, "an administrator switched the hwrng off (rng_current is none)");
	inventory.hwrng.reset();
	EXPECT_EQ(decided(decide(inventory, {}, {}, std::nullopt), "a").reason,
	          "this kernel has no hwrng framework");
}

TEST(Decide, ReadsTheSameHardwareOnlyOnce)
{
	auto inventory = machine();
	inventory.tpms = {{"tpm0", "2.0", "", true, "tpm_rng.0"},
	                  {"tpm1", "2.0", "", true, std::nullopt}};
	inventory.sources.push_back({"tpmrm1", SourceKind::tpm2, "", 512, false});
	EXPECT_EQ(decided(decide(inventory, {}, {}, std::nullopt), "tpmrm0").use, Use::read);
	inventory.hwrng->current = "tpm_rng.0";
	auto decision = decide(inventory, {}, {}, std::nullopt);
	EXPECT_EQ(decided(decision, "tpmrm0").use, Use::ignore);
	EXPECT_EQ(decided(decision, "tpmrm0").reason,
	          "the same hardware as tpm_rng.0, which is in use");
	EXPECT_EQ(decided(decision, "tpmrm1").use, Use::read);
	inventory.hwrng->current = "cpu_rng.rdseed";
	decision = decide(inventory, {}, {}, std::nullopt);
	EXPECT_EQ(decided(decision, "rdseed").use, Use::ignore);
	EXPECT_EQ(decided(decision, "rdrand").use, Use::read);
}

TEST(Decide, SelectsThePreferredHwrng)
{
	Config config;
	config.prefer = {"nothing.*", "tpm_rng.*", "a"};
	auto decision = decide(machine(), config, {}, std::nullopt);
	EXPECT_EQ(decision.select, "tpm_rng.0");
	EXPECT_EQ(decision.reason, "it matches \"tpm_rng.*\" in `prefer`");
	// While it is quarantined, the next one is selected.
	decision = decide(machine(), config, {{"tpm_rng.0", SourceState::quarantined}}, std::nullopt);
	EXPECT_EQ(decision.select, "a");
	config.rng_current = Hold::leave;
	decision = decide(machine(), config, {}, std::nullopt);
	EXPECT_FALSE(decision.select);
	EXPECT_EQ(decision.reason, "rng_current = \"leave\"");
}

TEST(Decide, RespectsTheChoiceOfOthersUnlessConfiguredToHold)
{
	auto inventory = machine();
	inventory.hwrng->selected = true;
	Config config;
	config.prefer = {"tpm_rng.*"};
	EXPECT_EQ(decide(inventory, config, {}, std::nullopt).reason,
	          "an administrator selected virtio_rng.0");
	EXPECT_EQ(decide(inventory, config, {}, "tpm_rng.0").reason,
	          "an administrator selected virtio_rng.0");
	// The daemon may change its own choice.
	EXPECT_EQ(decide(inventory, config, {}, "virtio_rng.0").select, "tpm_rng.0");
	config.rng_current = Hold::hold;
	EXPECT_EQ(decide(inventory, config, {}, std::nullopt).select, "tpm_rng.0");
	// Without a preference the claims decide, once the kernel's own choice is gone.
	config.prefer.clear();
	const auto decision = decide(inventory, config, {}, std::nullopt);
	EXPECT_EQ(decision.select, "tpm_rng.0");
	EXPECT_EQ(decision.reason, "it claims the most entropy of all hwrngs");
}

/// A machine whose kernel does not trust the CPU.
Inventory distrusting()
{
	auto inventory = machine();
	inventory.sources.push_back({"cpu_rng.rdseed", SourceKind::hwrng, "", 1000, false});
	for (auto &source : inventory.sources)
		if (source.name.contains("rd"))
			source.distrust = "no trust";
	return inventory;
}

/// Makes this hwrng of the inventory the current one.
void make_current(Inventory &inventory, const std::string &name)
{
	inventory.hwrng->current = name;
	for (auto &source : inventory.sources)
		source.current = source.name == name;
}

TEST(Policy, RanksUntrustedSourcesLastUnlessTheirCreditIsConfigured)
{
	EXPECT_EQ(names(rank(distrusting(), std::nullopt)),
	          (std::vector<std::string>{"virtio_rng.0", "tpm_rng.0", "a", "tpmrm0",
	                                    "cpu_rng.rdseed", "rdseed", "rdrand"}));
	Config config;
	config.sources["rdrand"].credit = 1;
	EXPECT_EQ(names(rank(distrusting(), std::nullopt, config)),
	          (std::vector<std::string>{"virtio_rng.0", "tpm_rng.0", "a", "tpmrm0", "rdrand",
	                                    "cpu_rng.rdseed", "rdseed"}));
}

TEST(Decide, SaysWhyASourceEarnsNoCredit)
{
	Config config;
	config.sources["rdrand"].credit = 1;
	config.deny = {"a"};
	auto inventory = distrusting();
	inventory.sources[3].distrust = "no trust";
	const auto decision = decide(inventory, config, {}, std::nullopt);
	EXPECT_EQ(decided(decision, "rdseed").reason, "CPU instruction; earns no credit: no trust");
	EXPECT_EQ(decided(decision, "rdseed").use, Use::read);
	EXPECT_EQ(decided(decision, "rdrand").reason, "CPU instruction");
	EXPECT_EQ(decided(decision, "cpu_rng.rdseed").reason,
	          "not in use; probed regularly; earns no credit: no trust");
	EXPECT_EQ(decided(decision, "a").reason, "denied by \"a\" in `deny`");
}

TEST(Decide, JitterIsReadIfNoOtherSourceEarnsCredit)
{
	Inventory inventory;
	inventory.sources = {{"rdseed", SourceKind::cpu, "", 512, false},
	                     {"jitter", SourceKind::jitter, "", 512, false}};
	EXPECT_EQ(decided(decide(inventory, {}, {}, std::nullopt), "jitter").use, Use::ignore);
	inventory.sources[0].distrust = "no trust";
	EXPECT_EQ(decided(decide(inventory, {}, {}, std::nullopt), "jitter").use, Use::read);
	Config config;
	config.sources["rdseed"].credit = 100;
	EXPECT_EQ(decided(decide(inventory, config, {}, std::nullopt), "jitter").use, Use::ignore);
	config.sources["rdseed"].credit = 0;
	EXPECT_EQ(decided(decide(inventory, config, {}, std::nullopt), "jitter").use, Use::read);
}

TEST(Decide, TheDaemonDoesNotSelectAnUntrustedHwrng)
{
	auto inventory = distrusting();
	EXPECT_FALSE(decide(inventory, {}, {}, std::nullopt).select);
	// The kernel chose it, and would credit it.
	make_current(inventory, "cpu_rng.rdseed");
	auto decision = decide(inventory, {}, {}, std::nullopt);
	EXPECT_EQ(decision.select, "tpm_rng.0");
	EXPECT_EQ(decision.reason, "cpu_rng.rdseed earns no credit (no trust); of the others, this one "
	                           "claims the most entropy");
	// An administrator selected it, or prefers it, or credits it.
	inventory.hwrng->selected = true;
	EXPECT_FALSE(decide(inventory, {}, {}, std::nullopt).select);
	inventory.hwrng->selected = false;
	Config config;
	config.prefer = {"cpu_rng.*"};
	EXPECT_FALSE(decide(inventory, config, {}, std::nullopt).select);
	config.prefer.clear();
	config.sources["cpu_rng.*"].credit = 1;
	decision = decide(inventory, config, {}, std::nullopt);
	EXPECT_FALSE(decision.select);
	EXPECT_EQ(decision.reason, "cpu_rng.rdseed is in use, and ranks first");
	// There is nothing better.
	inventory = distrusting();
	make_current(inventory, "");
	std::erase_if(inventory.sources, [](const auto &source) { return source.distrust.empty(); });
	decision = decide(inventory, {}, {}, std::nullopt);
	EXPECT_FALSE(decision.select);
	EXPECT_EQ(decision.reason, "no hwrng earns credit: no trust");
	config.sources.clear();
	config.prefer = {"cpu_rng.*"};
	EXPECT_EQ(decide(inventory, config, {}, std::nullopt).select, "cpu_rng.rdseed");
}

TEST(Decide, KeepsTheBestHwrng)
{
	Config config;
	config.prefer = {"virtio_rng.*"};
	const auto decision = decide(machine(), config, {}, std::nullopt);
	EXPECT_FALSE(decision.select);
	EXPECT_EQ(decision.reason, "virtio_rng.0 is in use, and ranks first");
}

TEST(Decide, AQuarantinedHwrngIsReplacedUnlessThatCanHangTheKernel)
{
	const std::map<std::string, SourceState> sick{{"virtio_rng.0", SourceState::quarantined},
	                                              {"a", SourceState::healthy}};
	EXPECT_EQ(decide(machine(), {}, sick, std::nullopt).select, "tpm_rng.0");
	auto inventory = machine();
	inventory.hwrng->has_quality_file = false;
	EXPECT_EQ(decide(inventory, {}, sick, std::nullopt).select, "tpm_rng.0");
	Config config;
	config.deny = {"tpm_rng.*"};
	const auto decision = decide(inventory, config, sick, std::nullopt);
	EXPECT_FALSE(decision.select);
	EXPECT_NE(
	    decision.reason.find("can hang forever if the hwrng is switched from virtio_rng.0 to a"),
	    std::string::npos)
	    << decision.reason;
}

TEST(Decide, NoFrameworkAndNoHwrngAreNotErrors)
{
	EXPECT_EQ(decide({}, {}, {}, std::nullopt).reason, "this kernel has no hwrng framework");
	Inventory inventory;
	inventory.hwrng = HwrngState{};
	EXPECT_EQ(decide(inventory, {}, {}, std::nullopt).reason, "there is no hwrng");
	// None in use, but there is one.
	inventory = machine();
	inventory.hwrng->current = "";
	inventory.sources.back().current = false;
	const auto decision = decide(inventory, {}, {}, std::nullopt);
	EXPECT_EQ(decision.select, "tpm_rng.0");
	EXPECT_EQ(decision.reason, "no hwrng is in use, and this one claims the most entropy");
}

TEST(Decide, EveryUseHasAName)
{
	EXPECT_STREQ(name(Use::read), "read");
	EXPECT_STREQ(name(Use::probe), "probe");
	EXPECT_STREQ(name(Use::ignore), "ignore");
	EXPECT_STREQ(name(Use{99}), "?");
}

} // namespace
