// The query of a list: what is understood, and that everything else is refused by name.
#include "http/list_query.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "core/list_cursor.h"

namespace armazem::http {
namespace {

ListQuery understood(std::string_view query) {
  auto parsed = parse_list_query(query);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << query << ": " << problem->detail;
    return {};
  }
  return std::get<ListQuery>(std::move(parsed));
}

std::string refused(std::string_view query) {
  const auto parsed = parse_list_query(query);
  const auto* problem = std::get_if<Problem>(&parsed);
  return problem ? std::string(info(problem->type).slug) : "understood";
}

TEST(ListQueryTest, NothingAskedFor) {
  const ListQuery query = understood("");
  EXPECT_EQ(query.prefix, "");
  EXPECT_EQ(query.after, std::nullopt);
  EXPECT_EQ(query.limit, std::nullopt);
  EXPECT_FALSE(query.keys_only);
  EXPECT_FALSE(query.base64);
}

TEST(ListQueryTest, Everything) {
  const std::string cursor = encode_list_cursor("a/b +", "a/b +c");
  const ListQuery query = understood("limit=7&keys_only=true&after=" + cursor + "&values=base64&prefix=a/b%20+");
  EXPECT_EQ(query.prefix, "a/b +") << "a plus is a plus";
  EXPECT_EQ(query.after, "a/b +c");
  EXPECT_EQ(query.limit, 7U);
  EXPECT_TRUE(query.keys_only);
  EXPECT_TRUE(query.base64);
}

TEST(ListQueryTest, Flags) {
  EXPECT_TRUE(understood("keys_only").keys_only);
  EXPECT_FALSE(understood("keys_only=false").keys_only);
  EXPECT_FALSE(understood("values=readable").base64);
  EXPECT_EQ(understood("prefix=").prefix, "");
  EXPECT_EQ(understood("prefix=%C3").prefix, "\xC3") << "half a character is the beginning of many keys";
  EXPECT_EQ(understood("prefix=%26%3D").prefix, "&=");
}

TEST(ListQueryTest, Bounds) {
  EXPECT_EQ(understood("limit=1").limit, 1U);
  EXPECT_EQ(understood("limit=1000").limit, 1000U);
  const std::string longest(limits::key_bytes_max, 'p');
  EXPECT_EQ(understood("prefix=" + longest).prefix, longest);
  EXPECT_EQ(refused("prefix=" + longest + "p"), "query-invalid");
  for (const char* query : {"limit=0", "limit=1001", "limit=", "limit", "limit=-1", "limit=1x", "limit=+1", "limit=%31",
                            "limit=99999999999999999999"}) {
    EXPECT_EQ(refused(query), "query-invalid") << query;
  }
}

TEST(ListQueryTest, AnythingElseIsRefused) {
  for (const char* query : {"x", "Prefix=a", "prefix=a&prefix=b", "limit=1&limit=1", "keys_only&keys_only", "&", "prefix=a&&limit=1",
                            "keys_only=1", "keys_only=", "values", "values=raw", "raw"}) {
    EXPECT_EQ(refused(query), "query-invalid") << query;
  }
  EXPECT_EQ(refused("prefix=%"), "percent-encoding-invalid");
  EXPECT_EQ(refused("prefix=%2"), "percent-encoding-invalid");
}

TEST(ListQueryTest, OnlyACursorOfThePrefix) {
  const std::string cursor = encode_list_cursor("a", "ab");
  EXPECT_EQ(understood("after=" + cursor + "&prefix=a").after, "ab");
  for (const std::string& query : {"after=" + cursor, "prefix=b&after=" + cursor, std::string("after="), std::string("after"),
                                   std::string("after=ab"), "prefix=a&after=" + cursor + "%20"}) {
    EXPECT_EQ(refused(query), "cursor-invalid") << query;
  }
}

}  // namespace
}  // namespace armazem::http
