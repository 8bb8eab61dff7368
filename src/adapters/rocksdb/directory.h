// What a data directory is, found out without changing anything in it.
#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace armazem::rocks {

enum class DirectoryState {
  missing,   // nothing there yet
  empty,     // may be made a database: empty, or a creation that was cut short before it held anything
  database,  // a RocksDB database; whose, its content must say
};

// Fails when the directory holds something else, cannot be read or cannot be written.
[[nodiscard]] Result<DirectoryState> examine_directory(const std::string& path);

// Creates it with its parents, durably: after a power loss the data may not hang below a directory that is gone.
[[nodiscard]] Result<void> create_directory(const std::string& path);

// Makes what was created or renamed in it last.
[[nodiscard]] Result<void> sync_directory(const std::filesystem::path& path);

}  // namespace armazem::rocks
