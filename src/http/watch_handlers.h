// GET /watch: what changes under a key or a prefix, as server-sent events (WHATWG HTML, section 9.2).
//
// Events `put` and `delete`, each with an id by which a watcher that comes back goes on behind it, at any server of the
// same store: `<log>-<position>`. A comment with an id every few seconds when nothing happens; `reset` when changes were
// lost, so that the watcher reads the state anew.
//
// Thread rule: any loop; a watch stays on the loop it came from.
#pragma once

#include "http/handler.h"
#include "service/change_hub.h"

namespace armazem::http {

class WatchHandlers {
 public:
  // The hub must outlive the handlers and their answers.
  explicit WatchHandlers(ChangeHub& hub) noexcept : hub_(hub) {}

  Task<Done> handle(Request& request, Response& response);

 private:
  ChangeHub& hub_;
};

// What a watch asks for, from its query and its Last-Event-ID.
struct WatchRequest {
  ChangeFilter filter;
  std::string log_id;           // empty: from now on
  std::uint64_t position = 0;
};
[[nodiscard]] std::optional<Problem> parse_watch(std::string_view query, std::optional<std::string_view> last_event_id,
                                                 WatchRequest& into);

// A change as one event, ready to be sent.
[[nodiscard]] std::string change_event(std::string_view log_id, const Change& change);

}  // namespace armazem::http
