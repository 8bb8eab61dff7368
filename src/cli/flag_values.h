// Helpers for the flags of CLI11 that several commands use.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace armazem::cli {

// An option whose text goes through a parser of ours; its complaint becomes CLI11's.
template <class Value, class Into>
CLI::Option* add_parsed(CLI::App& command, const std::string& name, Into& into, const std::string& about,
                        const std::string& kind, std::function<Result<Value>(std::string_view)> parse) {
  const auto take = [&into, name, parse = std::move(parse)](const std::string& text) {
    Result<Value> parsed = parse(text);
    if (!parsed) throw CLI::ValidationError("--" + name, parsed.error().message);
    into = *std::move(parsed);
  };
  return command.add_option_function<std::string>("--" + name, take, about)->type_name(kind);
}

}  // namespace armazem::cli
