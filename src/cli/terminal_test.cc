#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace armazem::cli {
namespace {

TEST(Terminal, WhatATerminalWouldObeyIsSpeltOut) {
  EXPECT_EQ(printable("plain, ol\u00e1 \U0001F600"), "plain, ol\u00e1 \U0001F600");
  EXPECT_EQ(printable("a\x1b[31m\a\n\x7f"), "a\\x1b[31m\\x07\\x0a\\x7f");
  EXPECT_EQ(printable("\u009b31m"), "\\xc2\\x9b31m") << "a control of eight bits";
  EXPECT_EQ(printable("\u0080"), "\\xc2\\x80");
  EXPECT_EQ(printable("\u00a0"), "\u00a0");
}

TEST(Terminal, BytesThatAreNoTextAreSpeltOut) {
  EXPECT_EQ(printable("a\xff\xc2"), "a\\xff\\xc2");
  EXPECT_EQ(printable("a\\b"), "a\\b");
}

}  // namespace
}  // namespace armazem::cli
