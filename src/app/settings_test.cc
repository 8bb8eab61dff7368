// Values with their units, and where a setting comes from: flag, then environment, then file, then default.
#include "app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "app/command_line.h"
#include "app/setting_values.h"
#include "support/temp_dir.h"

namespace armazem {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// Values ---------------------------------------------------------------------------------------------------------------

std::optional<std::int64_t> duration_ms(std::string_view text) {
  const auto parsed = parse_duration(text);
  return parsed ? std::optional(parsed->count()) : std::nullopt;
}
std::optional<std::uint64_t> size_bytes(std::string_view text) {
  const auto parsed = parse_size(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}
bool is_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  return parse_number(text, least, most).has_value();
}

TEST(SettingValues, Durations) {
  EXPECT_EQ(duration_ms("0ms"), 0);
  EXPECT_EQ(duration_ms("500ms"), 500);
  EXPECT_EQ(duration_ms("10s"), 10'000);
  EXPECT_EQ(duration_ms("2m"), 120'000);
  EXPECT_EQ(duration_ms("24h"), 86'400'000);
  for (const char* text : {"", "10", "s", "10 s", " 10s", "10s ", "1.5s", "-1s", "+1s", "10S", "10sec", "1h30m", "10d",
                           "0x10s", "99999999999999999999s", "9223372036854775807s", "18446744073709551615ms"}) {
    EXPECT_EQ(duration_ms(text), std::nullopt) << text;
  }
}

TEST(SettingValues, Sizes) {
  EXPECT_EQ(size_bytes("0"), 0U);
  EXPECT_EQ(size_bytes("4096"), 4096U);
  EXPECT_EQ(size_bytes("7B"), 7U);
  EXPECT_EQ(size_bytes("64KiB"), 65'536U);
  EXPECT_EQ(size_bytes("256MiB"), 268'435'456U);
  EXPECT_EQ(size_bytes("3GiB"), 3'221'225'472U);
  EXPECT_EQ(size_bytes("1KB"), 1'000U);
  EXPECT_EQ(size_bytes("1MB"), 1'000'000U);
  EXPECT_EQ(size_bytes("1GB"), 1'000'000'000U);
  for (const char* text : {"", "KiB", "64 KiB", "64kib", "64K", "1.5GiB", "-1", "+1", "1TiB", "0x10", "1e6",
                           "99999999999999999999", "9223372036854775807KiB"}) {
    EXPECT_EQ(size_bytes(text), std::nullopt) << text;
  }
}

TEST(SettingValues, Numbers) {
  EXPECT_EQ(parse_number("17", 0, 100).value(), 17U);
  EXPECT_TRUE(is_number("5", 5, 5));
  EXPECT_FALSE(is_number("4", 5, 9));
  EXPECT_FALSE(is_number("10", 5, 9));
  for (const char* text :
       {"", " ", "1 ", " 1", "-1", "+1", "1.0", "1e1", "0x1", "one", "1KiB", "18446744073709551616"}) {
    EXPECT_FALSE(is_number(text, 0, ~std::uint64_t{0})) << text;
  }
}

TEST(SettingValues, ErrorsShowWhatWasGivenAndWhatIsWanted) {
  EXPECT_THAT(parse_duration("ten").error().message, testing::AllOf(HasSubstr("'ten'"), HasSubstr("10s")));
  EXPECT_THAT(parse_size("big").error().message, testing::AllOf(HasSubstr("'big'"), HasSubstr("64KiB")));
  EXPECT_THAT(parse_number("0", 1, 9).error().message, testing::AllOf(HasSubstr("'0'"), HasSubstr("from 1 to 9")));
}

// The table ------------------------------------------------------------------------------------------------------------

TEST(Settings, EveryDefaultIsAcceptedByItsOwnParser) {
  for (const Setting& setting : all_settings()) {
    Settings settings;
    const auto done = apply_setting(setting, setting.default_value, settings);
    EXPECT_TRUE(done.has_value()) << setting.name;
  }
}

TEST(Settings, NamesAreUniqueAndMeaningsAreWritten) {
  std::set<std::string_view> names;
  for (const Setting& setting : all_settings()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_FALSE(setting.meaning.empty()) << setting.name;
    EXPECT_FALSE(setting.kind.empty()) << setting.name;
  }
}

TEST(Settings, NothingRefusesSilentlyAndEveryErrorNamesItsSetting) {
  for (const Setting& setting : all_settings()) {
    Settings settings;
    const auto done = apply_setting(setting, "", settings);
    ASSERT_FALSE(done.has_value()) << setting.name << " accepts nothing at all";
    EXPECT_THAT(done.error().message, testing::StartsWith("--" + std::string(setting.name) + ": "));
  }
}

TEST(Settings, EnvironmentNames) {
  EXPECT_EQ(environment_name("port"), "ARMAZEM_PORT");
  EXPECT_EQ(environment_name("block-cache"), "ARMAZEM_BLOCK_CACHE");
}

// Sources --------------------------------------------------------------------------------------------------------------

class CommandLineTest : public testing::Test {
 protected:
  using Texts = std::vector<std::string>;

  std::variant<Invocation, ExitRequest> parse(Texts arguments, Texts environment = {}) {
    arguments.insert(arguments.begin(), "armazem");
    std::vector<char*> argv = pointers(arguments);
    std::vector<char*> envp = pointers(environment);
    return parse_command_line(static_cast<int>(arguments.size()), argv.data(), envp.data());
  }
  Settings serve(Texts flags, Texts environment = {}) {
    flags.insert(flags.begin(), "serve");
    auto parsed = parse(std::move(flags), std::move(environment));
    if (const auto* exit = std::get_if<ExitRequest>(&parsed)) {
      ADD_FAILURE() << exit->err;
      return {};
    }
    return std::get<Invocation>(std::move(parsed)).settings;
  }
  // What it says when it refuses.
  std::string refused(Texts flags, Texts environment = {}) {
    flags.insert(flags.begin(), "serve");
    const auto parsed = parse(std::move(flags), std::move(environment));
    const auto* exit = std::get_if<ExitRequest>(&parsed);
    if (exit == nullptr) return "(accepted)";
    EXPECT_EQ(exit->code, exit_usage);
    EXPECT_EQ(exit->out, "");
    return exit->err;
  }
  static Texts words(const std::string& text) {
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), std::istream_iterator<std::string>()};
  }
  std::string file_with(std::string_view text) {
    const std::string path = dir_.sub("armazem.toml");
    std::ofstream(path) << text;
    return path;
  }

 private:
  static std::vector<char*> pointers(Texts& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }
  test::TempDir dir_;
};

TEST_F(CommandLineTest, DefaultsServeOnLoopbackWithRocksdb) {
  const Settings settings = serve({});
  EXPECT_EQ(settings.server.address, "127.0.0.1");
  EXPECT_EQ(settings.server.port, 8000);
  EXPECT_EQ(settings.store, StoreKind::rocksdb);
  EXPECT_EQ(settings.data, "./data");
  EXPECT_GE(settings.server.threads, 1U) << "0 becomes the usable cores";
  EXPECT_EQ(settings.value_bytes_max, limits::value_bytes_default);
  EXPECT_EQ(settings.retention, std::chrono::hours(24));
  EXPECT_EQ(settings.log_level, log::Level::info);
}

TEST_F(CommandLineTest, EveryFlagReachesItsPlace) {
  const Settings settings = serve(words(
      "--listen ::1 --port=0 --store memory --data /d --threads 3 --value-max 2MiB --block-cache 9MiB --write-buffer 8MiB "
      "--store-reserve 7MiB --max-connections 6 --inflight-bytes 5MiB --header-timeout 4s --body-timeout 3s "
      "--idle-timeout 2s --send-timeout 1s --store-timeout 900ms --retention 2h --purge-interval 3m --grace 0ms "
      "--log-level off --log-format json"));
  EXPECT_EQ(settings.server.address, "::1");
  EXPECT_EQ(settings.server.port, 0);
  EXPECT_EQ(settings.store, StoreKind::memory);
  EXPECT_EQ(settings.data, "/d");
  EXPECT_EQ(settings.server.threads, 3U);
  EXPECT_EQ(settings.value_bytes_max, 2U << 20);
  EXPECT_EQ(settings.block_cache_bytes, 9U << 20);
  EXPECT_EQ(settings.write_buffer_bytes, 8U << 20);
  EXPECT_EQ(settings.store_reserve_bytes, 7U << 20);
  EXPECT_EQ(settings.server.connections_max, 6U);
  EXPECT_EQ(settings.server.inflight_body_bytes_max, 5U << 20);
  EXPECT_EQ(settings.server.header_timeout, milliseconds(4000));
  EXPECT_EQ(settings.server.body_timeout, milliseconds(3000));
  EXPECT_EQ(settings.server.idle_timeout, milliseconds(2000));
  EXPECT_EQ(settings.server.write_timeout, milliseconds(1000));
  EXPECT_EQ(settings.store_timeout, milliseconds(900));
  EXPECT_EQ(settings.retention, std::chrono::hours(2));
  EXPECT_EQ(settings.purge_interval, std::chrono::minutes(3));
  EXPECT_EQ(settings.grace, milliseconds(0));
  EXPECT_EQ(settings.log_level, log::Level::off);
  EXPECT_EQ(settings.log_format, log::Format::json);
}

TEST_F(CommandLineTest, FlagBeforeEnvironmentBeforeFileBeforeDefault) {
  const std::string file = file_with("port = \"3\"\ndata = \"from file\"\ngrace = '3s'\n");
  const Settings settings =
      serve({"--config", file, "--port", "1"}, {"ARMAZEM_PORT=2", "ARMAZEM_DATA=from environment"});
  EXPECT_EQ(settings.server.port, 1);
  EXPECT_EQ(settings.data, "from environment");
  EXPECT_EQ(settings.grace, milliseconds(3000));
  EXPECT_EQ(settings.server.address, "127.0.0.1");
}

TEST_F(CommandLineTest, EachSourceAlone) {
  const std::string file = file_with("# a comment\nport = 3\nlog-level = \"warn\"\n");
  EXPECT_EQ(serve({"--port", "1"}).server.port, 1);
  EXPECT_EQ(serve({}, {"HOME=/root", "ARMAZEM_PORT=2"}).server.port, 2);
  EXPECT_EQ(serve({"--config", file}).server.port, 3);
  EXPECT_EQ(serve({"--config", file}).log_level, log::Level::warn);
}

TEST_F(CommandLineTest, TheFileCanBeNamedByTheEnvironment) {
  const std::string file = file_with("port = \"3\"\n");
  EXPECT_EQ(serve({}, {"ARMAZEM_CONFIG=" + file}).server.port, 3);
  EXPECT_EQ(serve({"--config", file}, {"ARMAZEM_CONFIG=/nowhere/at/all"}).server.port, 3) << "the flag wins";
}

TEST_F(CommandLineTest, UnknownNamesAreRefusedInEverySource) {
  EXPECT_THAT(refused({"--prot", "1"}), HasSubstr("--prot"));
  EXPECT_THAT(refused({}, {"ARMAZEM_PROT=1"}), HasSubstr("ARMAZEM_PROT"));
  EXPECT_THAT(refused({}, {"ARMAZEM_=1"}), HasSubstr("ARMAZEM_"));
  EXPECT_THAT(refused({"--config", file_with("prot = \"1\"\n")}), HasSubstr("'prot'"));
  EXPECT_THAT(refused({"--config", file_with("[server]\nport = \"1\"\n")}), HasSubstr("server.port"));
  EXPECT_THAT(refused({"--config", file_with("config = \"x\"\n")}), HasSubstr("'config'"));
}

TEST_F(CommandLineTest, MalformedValuesAreNamedFromEverySource) {
  EXPECT_THAT(refused({"--port", "many"}), HasSubstr("--port: 'many'"));
  EXPECT_THAT(refused({"--port", "65536"}), HasSubstr("--port: '65536'"));
  EXPECT_THAT(refused({}, {"ARMAZEM_GRACE=soon"}), HasSubstr("--grace: 'soon'"));
  EXPECT_THAT(refused({}, {"ARMAZEM_GRACE="}), HasSubstr("--grace"));
  EXPECT_THAT(refused({"--config", file_with("value-max = \"65MiB\"\n")}), HasSubstr("--value-max: '65MiB'"));
  EXPECT_THAT(refused({"--log-level", "loud"}), HasSubstr("trace, debug, info, warn, error, off"));
  EXPECT_THAT(refused({"--header-timeout", "9ms"}), HasSubstr("too short"));
}

TEST_F(CommandLineTest, FilesThatCannotBeUsedAreNamed) {
  EXPECT_THAT(refused({"--config", "/nowhere/at/all"}), HasSubstr("/nowhere/at/all"));
  EXPECT_THAT(refused({"--config", file_with("port = [1, 2]\n")}), HasSubstr("'port'"));
  EXPECT_THAT(refused({"--config", file_with("port = 1\nport = 2\n")}), HasSubstr("'port'"));
}

// A flag given twice would leave open which one counts.
TEST_F(CommandLineTest, AFlagGivenTwiceIsRefused) { EXPECT_NE(refused({"--port", "1", "--port", "2"}), "(accepted)"); }

TEST_F(CommandLineTest, Commands) {
  const auto exit_of = [&](Texts arguments) { return std::get<ExitRequest>(parse(std::move(arguments))); };
  EXPECT_EQ(exit_of({}).code, exit_usage);
  EXPECT_EQ(exit_of({"dance"}).code, exit_usage);
  EXPECT_EQ(exit_of({"serve", "extra"}).code, exit_usage);
  EXPECT_EQ(exit_of({"--help"}).code, 0);
  EXPECT_THAT(exit_of({"serve", "--help"}).out, HasSubstr("--max-connections"));
  EXPECT_THAT(exit_of({"--version"}).out, testing::StartsWith("armazem "));
  const auto listed = std::get<Invocation>(parse({"settings", "--markdown"}, {"ARMAZEM_PROT=1"}));
  EXPECT_EQ(listed.command, Command::print_settings);
  EXPECT_TRUE(listed.markdown);
}

}  // namespace
}  // namespace armazem
