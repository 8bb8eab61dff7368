// Values of settings: accepted or refused with an error that names the setting, whatever they are.
//
// Input: one byte that chooses the setting, then its value.
#include <cstddef>
#include <cstdint>
#include <string>

#include "app/setting_values.h"
#include "app/settings.h"
#include "core/assert.h"

using namespace armazem;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Setting& setting = all_settings()[data[0] % all_settings().size()];
  Settings settings;
  const auto applied = apply_setting(setting, text, settings);
  ARMAZEM_ASSERT(applied || applied.error().message.find(setting.name) != std::string::npos);

  if (const auto duration = parse_duration(text)) ARMAZEM_ASSERT(duration->count() >= 0);
  if (const auto number = parse_number(text, 3, 70'000)) ARMAZEM_ASSERT(*number >= 3 && *number <= 70'000);
  (void)parse_size(text);
  return 0;
}
