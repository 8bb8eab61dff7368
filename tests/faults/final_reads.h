// The end of a run: what every key holds, in cache and store, and what became of every write whose fate was open.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "faults/history_files.h"
#include "faults/recording_client.h"

namespace armazem::faults {

// Reads through these ports, with a thread each. The first failure, empty when there was none.
[[nodiscard]] std::string read_finals(Run& run, const std::vector<std::uint16_t>& ports);

}  // namespace armazem::faults
