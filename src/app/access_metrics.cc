#include "app/access_metrics.h"

#include "access/key_ring.h"
#include "app/families.h"
#include "http/access.h"
#include "http/exposition.h"

namespace armazem {

void add_access_metrics(const http::Access& access, const KeyRing* keys, Families& all) {
  using http::Access;
  std::vector<LabelledValue> denied;
  for (std::size_t i = 0; i < Access::denial_count; ++i) {
    const auto denial = static_cast<Access::Denial>(i);
    denied.push_back({Access::to_string(denial), access.denied(denial)});
  }
  all.push_back(labelled_counter("armazem_access_denied_total", "Requests refused by API keys, rights and rates.", "reason", denied));
  all.push_back(http::counter_family("armazem_access_unlogged_total", "Log lines about access left out, because one client caused too many.",
                                     static_cast<double>(access.unlogged())));
  if (keys == nullptr) return;
  const KeyRing::Figures figures = keys->figures();
  all.push_back(http::gauge_family("armazem_keys", "API keys in force, revoked and expired ones included.", static_cast<double>(figures.keys)));
  all.push_back(labelled_counter("armazem_keys_reloads_total", "Times the keys file was read again.", "result",
                                 {{"ok", figures.reloads}, {"failed", figures.failures}}));
  all.push_back(http::gauge_family("armazem_keys_file_broken", "1 while the keys file cannot be used and older keys stay in force.",
                                   figures.broken ? 1 : 0));
}

}  // namespace armazem
