// SPDX-License-Identifier: GPL-2.0-or-later
// Converts the status document to JSON and back: complete, damaged, and of another version. Also
// runs the commands that read it.
#include "status/document.h"

#include "fake_daemon.h"
#include "full_status.h"
#include "paths.h"
#include "run_hwrngctl.h"

#include <array>
#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace hwrngd;
using namespace hwrngd::test;

namespace {

using Json = nlohmann::ordered_json;
using Pointer = Json::json_pointer;

/// The pointers to all keys in `json`, at all depths; in arrays, only those of the first element.
std::vector<Pointer> keys_in(const Json &json, const Pointer &at = Pointer())
{
	std::vector<Pointer> keys;
	const auto add_those_in = [&](const Json &value, const Pointer &where) {
		const auto more = keys_in(value, where);
		keys.insert(keys.end(), more.begin(), more.end());
	};
	if (json.is_array() && !json.empty())
		add_those_in(json.front(), at / 0);
	if (json.is_object())
		for (const auto &[key, value] : json.items()) {
			keys.push_back(at / key);
			add_those_in(value, at / key);
		}
	return keys;
}

Json without(Json document, const Pointer &key)
{
	document.at(key.parent_pointer()).erase(key.back());
	return document;
}

Json with(Json document, const Pointer &key, const Json &value)
{
	document[key] = value;
	return document;
}

std::optional<DaemonStatus> parse(const Json &document)
{
	return status_from_json(Json::parse(document.dump()));
}

TEST(StatusDocument, SurvivesTheRoundTrip)
{
	const auto status = full_status();
	EXPECT_EQ(parse(to_json(status)), status);
	EXPECT_EQ(parse(to_json(DaemonStatus())), DaemonStatus());
}

TEST(StatusDocument, AMissingKeyLeavesTheDefault)
{
	const auto full = to_json(full_status());
	const auto keys = keys_in(full);
	EXPECT_EQ(keys.size(), 14U + 7 + 20 + 8 + 3 + 2 + 4);
	for (const auto &key : keys) {
		const auto lacking = parse(without(full, key));
		ASSERT_TRUE(lacking) << key;
		if (key.back() != "schema") {
			EXPECT_NE(*lacking, full_status()) << key << " has its default value, or is not read";
		}
	}
	EXPECT_EQ(parse(Json::object()), DaemonStatus());
	EXPECT_EQ(parse({{"sources", {Json::object()}}})->sources.at(0), SourceStatus());
}

TEST(StatusDocument, AnUnknownKeyIsIgnored)
{
	const auto full = to_json(full_status());
	for (const auto &key : keys_in(full)) {
		const auto sibling = key.parent_pointer() / "surprise";
		for (const auto &value : {Json(nullptr), Json("text"), Json(Json::array({1})), full})
			EXPECT_EQ(parse(with(full, sibling, value)), full_status()) << sibling << value;
	}
}

TEST(StatusDocument, AKeyOfTheWrongTypeIsLikeAMissingOne)
{
	const auto full = to_json(full_status());
	for (const auto &key : keys_in(full)) {
		const auto lacking = parse(without(full, key));
		for (const auto &value : {Json(nullptr), Json(true), Json(7), Json("text"),
		                          Json(Json::array({5})), Json(Json::object())}) {
			if (std::string_view(value.type_name()) == full.at(key).type_name())
				continue; // the type is right, or only the type of its elements is wrong
			EXPECT_EQ(parse(with(full, key, value)), lacking) << key << value;
		}
	}
	for (const auto &value : {Json(-1), Json(1.5), Json(1e300)}) {
		const Pointer pid("/pid");
		EXPECT_EQ(parse(with(full, pid, value)), parse(without(full, pid))) << value;
	}
	auto odd = full;
	odd["sources"].insert(odd["sources"].begin(), 5);
	odd["sources"].push_back(Json::array());
	EXPECT_EQ(parse(odd), full_status()) << "entries of `sources` that are not sources are ignored";
}

TEST(StatusDocument, AnotherSchemaVersionOrNotAnObjectIsRefused)
{
	for (const auto &none : {Json(nullptr), Json(7), Json("text"), Json(Json::array()),
	                         Json(Json::value_t::discarded), Json({{"schema", 2U}})})
		EXPECT_EQ(status_from_json(none), std::nullopt) << none.type_name();
}

/// Compares the keys of `document` with those in `schema`, which is a part of `whole`.
void compare_keys(const Json &document, const Json &schema, const Json &whole,
                  const std::string &where)
{
	if (const auto link = schema.find("$ref"); link != schema.end()) {
		compare_keys(document, whole.at(Pointer(link->get<std::string>().substr(1))), whole, where);
		return;
	}
	EXPECT_NE(schema.value("additionalProperties", Json()), Json(false))
	    << where << ": must allow fields that are added later";
	if (document.is_array()) {
		compare_keys(document.at(0), schema.at("items"), whole, where + "[]");
		return;
	}
	if (!document.is_object())
		return;
	const auto properties = schema.value("properties", Json::object());
	std::set<std::string> written;
	for (const auto &[key, value] : document.items()) {
		written.insert(key);
		if (!schema.contains("properties"))
			continue; // its keys may have any names
		ASSERT_TRUE(properties.contains(key)) << where << ": no " << key << " in the schema";
		compare_keys(value, properties.at(key), whole, fmt::format("{}.{}", where, key));
	}
	for (const auto &[key, value] : properties.items())
		EXPECT_TRUE(written.contains(key)) << where << ": the daemon does not write " << key;
	EXPECT_EQ(schema.at("required").get<std::set<std::string>>(), written) << where;
}

TEST(StatusDocument, HasTheKeysOfItsSchema)
{
	std::ifstream file(status_schema_path);
	const auto schema = Json::parse(file);
	compare_keys(to_json(full_status()), schema, schema, "");
	EXPECT_EQ(schema.at(Pointer("/properties/schema/const")), status_schema);
}

struct Command {
	const char *arguments;
	int code;
};
// doctor finds something to do on a machine without a hwrng, so it exits with 1.
constexpr std::array<Command, 5> commands{{{"status", 0},
                                           {"top --batch --count=1 --delay=0.1", 0},
                                           {"metrics", 0},
                                           {"policy --explain", 0},
                                           {"doctor", 1}}};

void expect_usual(const FakeTree &tree, const std::string &what)
{
	for (const auto &[arguments, code] : commands) {
		const auto ran = run(tree, arguments);
		EXPECT_EQ(ran.code, code) << arguments << ": " << what << "\n" << ran.err;
		EXPECT_EQ(ran.err, "") << arguments << ": " << what;
		EXPECT_FALSE(ran.out.empty()) << arguments << ": " << what;
		EXPECT_FALSE(ran.out.contains("exception")) << what << "\n" << ran.out;
		if (std::string_view(arguments) == "metrics") {
			EXPECT_TRUE(ran.out.contains("\nhwrngd_up 1\n")) << what << "\n" << ran.out;
		}
	}
}

TEST(StatusDocument, AllCommandsTolerateTheSameFaults)
{
	const auto full = to_json(full_status());
	std::vector<Json> documents{full, Json::object()};
	for (const auto &key : keys_in(full)) {
		documents.push_back(with(without(full, key), key.parent_pointer() / "surprise", 1));
		const bool text = full.at(key).is_string();
		documents.push_back(with(full, key, text ? Json(7) : Json("text")));
	}
	std::atomic<size_t> next = 0;
	std::array<std::jthread, 8> threads; // doctor mostly sleeps
	for (auto &thread : threads)
		thread = std::jthread([&] {
			for (size_t i = next++; i < documents.size(); i = next++) {
				FakeTree tree;
				const FakeDaemon daemon(tree, documents[i].dump());
				expect_usual(tree, documents[i].dump());
			}
		});
}

TEST(StatusDocument, WhatItHoldsReachesNoTerminalAsAnOrder)
{
	const auto full = to_json(full_status());
	for (const auto &key : keys_in(full)) {
		if (!full.at(key).is_string())
			continue;
		FakeTree tree;
		const FakeDaemon daemon(tree, with(full, key, "\x1b[31m\r\x07\xc2\x9bm").dump());
		for (const auto *arguments :
		     {"status", "top --batch --count 1 --delay 0.1", "policy --explain", "doctor"}) {
			const auto ran = run(tree, arguments);
			EXPECT_EQ((ran.out + ran.err).find_first_of("\x1b\r\x07"), std::string::npos)
			    << key << ": " << arguments << "\n"
			    << ran.out << ran.err;
			EXPECT_FALSE((ran.out + ran.err).contains("\xc2\x9b")) << key << ": " << arguments;
		}
	}
}

} // namespace
