// The parts of the store that need no server: URL, binary arrays, SQLSTATEs, ranges, and the document of its statements.
#include <fstream>
#include <sstream>

#include "adapters/postgres/binary.h"
#include "adapters/postgres/scanner.h"
#include "adapters/postgres/sqlstate.h"
#include "adapters/postgres/statements.h"
#include "adapters/postgres/target.h"
#include "support/mutations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armazem::pg {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string bytes_of(std::initializer_list<int> bytes) {
  std::string text;
  for (const int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

TEST(PostgresTarget, ReadsSeveralHostsAndHandsTheRestOn) {
  const auto target = parse_target("postgres://ana:p%40ss@db1:26257,db2,[::1]:5433/shop?sslmode=require");
  ASSERT_TRUE(target.has_value()) << target.error().message;
  EXPECT_EQ(target->host_names(), "db1:26257, db2:5432, [::1]:5433");
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(target->parameters, testing::IsSupersetOf({Pair("user", "ana"), Pair("password", "p@ss"),
                                                         Pair("dbname", "shop"), Pair("sslmode", "require")}));
  for (const char* const scheme : {"postgresql", "cockroachdb", "cockroach"}) {
    EXPECT_TRUE(parse_target(std::string(scheme) + "://h/d").has_value());
  }
}

TEST(PostgresTarget, SaysWhatIsWrongAndNeverThePassword) {
  for (const char* const url :
       {"mysql://u:topsecret@h/d", "postgres://u:topsecret@h:port/d", "postgres://u:topsecret@h:99999/d",
        "postgres://u:topsecret@h:0/d", "postgres://u:topsecret@[::1/d", "postgres://u:topsecret@/d",
        "postgres://u:topsecret@h/d?nonsense=1", "postgres://u:topsecret@h1,,h2/d", "topsecret", ""}) {
    const auto target = parse_target(url);
    ASSERT_FALSE(target.has_value()) << url;
    EXPECT_EQ(target.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(target.error().message, Not(HasSubstr("topsecret")));
  }
  EXPECT_THAT(parse_target("postgres://h/d?nonsense=1").error().message, HasSubstr("nonsense"));
}

TEST(PostgresTarget, TakesSecretsOutOfTexts) {
  const auto target = parse_target("postgres://u:abc@h/d").value();
  EXPECT_EQ(target.without_secrets("abc, xabcx"), "***, x***x");
  EXPECT_EQ(parse_target("postgres://u:*@h/d").value().without_secrets("a*b"), "a***b");
}

TEST(PostgresBinary, ArraysAreAsTheServerReadsThem) {
  BinaryArray names(TypeOid::bytea);
  names.add(std::string_view("a"));
  names.add(std::string_view(""));
  EXPECT_EQ(std::move(names).take(),
            bytes_of({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 'a', 0, 0, 0, 0}));
  BinaryArray numbers(TypeOid::bigint);
  numbers.add(std::optional<std::uint64_t>(258));
  numbers.add(std::optional<std::uint64_t>());
  EXPECT_EQ(std::move(numbers).take(), bytes_of({0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 20, 0, 0, 0,   2,   0,   0,
                                                 0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0,  1, 2, 255, 255, 255, 255}));
  BinaryArray flags(TypeOid::boolean);
  flags.add(true);
  EXPECT_EQ(std::move(flags).take(),
            bytes_of({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(binary_bigint(-2), bytes_of({255, 255, 255, 255, 255, 255, 255, 254}));
  EXPECT_EQ(as_bigint(~std::uint64_t{0}), std::numeric_limits<std::int64_t>::max());
}

TEST(PostgresSqlstate, MeansWhatWeDoAboutIt) {
  const std::vector<std::pair<std::string_view, Meaning>> wanted = {
      {"40001", Meaning::conflict},   {"40P01", Meaning::conflict},   {"23505", Meaning::conflict},
      {"40003", Meaning::ambiguous},  {"08006", Meaning::connection}, {"57P01", Meaning::other_host},
      {"57P03", Meaning::other_host}, {"25006", Meaning::other_host}, {"57014", Meaning::timeout},
      {"53100", Meaning::disk_full},  {"53200", Meaning::no_memory},  {"53300", Meaning::other_host},
      {"22021", Meaning::bad_data},   {"23514", Meaning::bad_data},   {"54000", Meaning::bad_data},
      {"42P01", Meaning::not_fit},    {"28P01", Meaning::not_fit},    {"XX001", Meaning::damaged},
      {"XX000", Meaning::unknown},    {"", Meaning::unknown}};
  for (const auto& [state, meaning] : wanted) EXPECT_EQ(meaning_of(state), meaning) << state;
}

KeyRange range(std::string prefix, std::optional<std::string> after = {}) {
  ScanRequest request;
  request.prefix = std::move(prefix);
  request.after = std::move(after);
  return range_of(request);
}

TEST(PostgresScanRange, IsExactOnBytes) {
  EXPECT_EQ(range("").first, "");
  EXPECT_EQ(range("").end, "\xFF");
  EXPECT_EQ(range("ab").end, "ac");
  EXPECT_EQ(range("a\xFF\xFF").end, "b");
  EXPECT_EQ(range("\xFF").end, "\xFF");
  EXPECT_EQ(range("ab", "ab").first, std::string("ab\0", 3));
  EXPECT_EQ(range("ab", "aa").first, "ab");
}

// docs/sql.md shows every statement in a block of its own, under its name.
TEST(PostgresStatements, AreThoseOfTheDocument) {
  std::ifstream file(std::string(ARMAZEM_SOURCE_DIR) + "/docs/sql.md");
  std::map<std::string, std::string> documented;
  std::string name;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("### `")) name = line.substr(5, line.size() - 6);
    if (line == "```sql") {
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      documented[name] += (documented[name].empty() ? "" : " ") + line;
    }
  }
  std::map<std::string, std::string> sent;
  for (const Statement& one : sql::prepared) sent[one.name] = one.text;
  for (const Statement& one : sql::prepared_postgresql) sent[one.name] = one.text;
  for (const Statement& one : sql::prepared_by_time) sent[one.name] = one.text;
  for (const Statement& one : sql::unprepared) sent[one.name] = one.text;
  EXPECT_EQ(documented, sent);

  // And none is missing in those two lists.
  std::ifstream header(std::string(ARMAZEM_SOURCE_DIR) + "/src/adapters/postgres/statements.h");
  std::size_t defined = 0;
  for (std::string line; std::getline(header, line);)
    defined += line.starts_with("inline constexpr Statement ") ? 1 : 0;
  EXPECT_EQ(defined, sent.size());
}

}  // namespace
}  // namespace armazem::pg
