// What a watch asks for, and how a change looks as an event.
#include "http/watch_handlers.h"

#include <gtest/gtest.h>

#include "support/mutations.h"

namespace armazem::http {
namespace {

using test::key;
using test::version;
constexpr std::string_view log_id = "0123456789abcdef";

std::string slug(std::string_view query, std::optional<std::string_view> last = std::nullopt) {
  WatchRequest into;
  const auto problem = parse_watch(query, last, into);
  return problem ? std::string(info(problem->type).slug) : "fine";
}

TEST(WatchRequest, ByPrefixByKeyOrEverything) {
  WatchRequest everything;
  EXPECT_FALSE(parse_watch("", std::nullopt, everything));
  EXPECT_TRUE(everything.filter.matches("any"));
  EXPECT_TRUE(everything.log_id.empty());
  WatchRequest prefix;
  EXPECT_FALSE(parse_watch("prefix=a%2Fb", std::nullopt, prefix));
  EXPECT_TRUE(prefix.filter.matches("a/bc"));
  EXPECT_FALSE(prefix.filter.matches("a/"));
  WatchRequest one;
  EXPECT_FALSE(parse_watch("key=%C3%A9", std::nullopt, one));
  EXPECT_TRUE(one.filter.matches("é"));
  EXPECT_FALSE(one.filter.matches("é2"));
}

TEST(WatchRequest, GoesOnBehindAnEvent) {
  WatchRequest by_header;
  EXPECT_FALSE(parse_watch("", "0123456789abcdef-42", by_header));
  EXPECT_EQ(by_header.log_id, log_id);
  EXPECT_EQ(by_header.position, 42U);
  WatchRequest by_query;
  EXPECT_FALSE(parse_watch("prefix=x&last_event_id=0123456789abcdef-7", std::nullopt, by_query));
  EXPECT_EQ(by_query.position, 7U);
  WatchRequest both;
  EXPECT_FALSE(parse_watch("last_event_id=0123456789abcdef-7", "0123456789abcdef-9", both));
  EXPECT_EQ(both.position, 9U) << "an EventSource that comes back knows better than its address";
}

TEST(WatchRequest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(slug("key="), "key-invalid");
  EXPECT_EQ(slug("prefix=" + std::string(limits::key_bytes_max + 1, 'x')), "key-invalid");
  EXPECT_EQ(slug("prefix=%zz"), "percent-encoding-invalid");
  for (const char* query : {"x", "x=1", "prefix", "prefix=a&key=b", "key=a&key=b", "&"}) EXPECT_EQ(slug(query), "query-invalid") << query;
  for (const char* id : {"", "7", "0123456789abcdef", "0123456789abcdef-", "0123456789abcdef-x", "0123456789abcdef-7x",
                         "0123456789abcdef_7", "0123456789abcdef-99999999999999999999"}) {
    EXPECT_EQ(slug("", id), "query-invalid") << id;
  }
}

TEST(ChangeEvent, APutIsAnEntryAndADeleteNamesItsKey) {
  Change change{7, key("a\nb"), version(1, 1), ChangedValue{"text/plain", ValueForm::text, 5, "x\ny\"z", std::nullopt}};
  EXPECT_EQ(change_event(log_id, change), "event: put\nid: 0123456789abcdef-7\ndata: {\"key\":\"a\\nb\",\"version\":\"" +
                                              version(1, 1).text() +
                                              "\",\"size\":5,\"content_type\":\"text/plain\",\"value\":\"x\\ny\\\"z\"}\n\n");
  change.value.reset();
  EXPECT_EQ(change_event(log_id, change), "event: delete\nid: 0123456789abcdef-7\ndata: {\"key\":\"a\\nb\",\"version\":\"" +
                                              version(1, 1).text() + "\"}\n\n");
}

TEST(ChangeEvent, IsOneLineOfDataWhateverTheValueIs) {
  const Change json{1, key("k"), version(1, 1), ChangedValue{"application/json", ValueForm::json, 9, "{\n\"a\":\r\n1}", {}}};
  const std::string event = change_event(log_id, json);
  EXPECT_EQ(std::ranges::count(event, '\n'), 4) << event;
  EXPECT_EQ(std::ranges::count(event, '\r'), 0) << event;
}

TEST(ChangeEvent, ALargeValueIsNamedBySizeOnly) {
  const Change large{1, key("k"), version(1, 1), ChangedValue{"text/plain", ValueForm::text, 5000, std::nullopt, {}}};
  const std::string event = change_event(log_id, large);
  EXPECT_NE(event.find("\"size\":5000"), event.npos);
  EXPECT_EQ(event.find("\"value"), event.npos);
}

}  // namespace
}  // namespace armazem::http
