// A whole list as lines of JSON, made page by page while it is sent: memory is one piece, however long the list is.
//
//   {"key":…}                                    one entry per line
//   {"end":true,"entries":N,"next":"…"?}         the last line; with `next`, more follows: `limit` is reached, or the
//                                                server stops
//   {"problem":{…}}                              instead of it, when the store failed; the connection is then cut
//
// Thread rule: the connection's loop.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "http/body_stream.h"
#include "http/message.h"
#include "service/lister.h"

namespace armazem::http {

class ListStream final : public BodyStream {
 public:
  // `lister` must outlive the stream. `page_timeout` is for each page.
  ListStream(Lister& lister, ListQuery query, std::chrono::milliseconds page_timeout, std::string request_id)
      : lister_(lister), query_(std::move(query)), page_timeout_(page_timeout), request_id_(std::move(request_id)) {}

  // Makes the first piece, so that a store that cannot be asked is still answered with a problem of its own.
  Task<Result<void>> begin();

  Task<Result<std::string>> next() override;
  void stop() noexcept override { stopped_ = true; }

 private:
  Task<Result<ScanPage>> next_page();
  void append_page(std::string& piece, const ScanPage& page);
  void append_end(std::string& piece);
  [[nodiscard]] std::string last_words(const Error& error);
  [[nodiscard]] std::size_t entries_left() const noexcept;

  Lister& lister_;
  ListQuery query_;  // `after` moves on
  const std::chrono::milliseconds page_timeout_;
  const std::string request_id_;
  std::optional<ScanPage> first_;
  std::size_t entries_ = 0;
  bool more_ = true;
  bool ended_ = false;
  bool stopped_ = false;
  bool failed_ = false;
};

}  // namespace armazem::http
