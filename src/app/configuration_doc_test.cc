// docs/configuration.md holds the table that `armazem settings --markdown` prints.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/settings.h"

namespace armazem {
namespace {

TEST(ConfigurationDoc, HoldsExactlyTheTableOfTheProgram) {
  std::ifstream file(ARMAZEM_SOURCE_DIR "/docs/configuration.md");
  ASSERT_TRUE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  const std::string table = settings_as_markdown();
  const std::string page = text.str();
  const auto at = page.find(table);
  ASSERT_NE(at, std::string::npos) << "put the output of `armazem settings --markdown` there";
  const std::string behind = page.substr(at + table.size());
  EXPECT_FALSE(behind.starts_with("|")) << "rows that the program does not know";
  EXPECT_EQ(behind.find("ARMAZEM_PORT` |"), std::string::npos) << "a second, older table";
}

}  // namespace
}  // namespace armazem
