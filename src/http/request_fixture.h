// Requests as the connection makes them, for tests of the router and of the handlers.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/hybrid_clock.h"
#include "http/request_parser.h"
#include "http/router.h"
#include "support/test_time.h"

namespace armazem::http {

// Owns the block that the views of its request point into.
struct Admitted {
  std::string block;
  Request request;
  std::optional<Problem> problem;

  [[nodiscard]] std::string_view slug() const { return problem ? info(problem->type).slug : "admitted"; }
};

class RequestTest : public testing::Test {
 protected:
  static constexpr std::size_t value_bytes_max = 1000;

  std::unique_ptr<Admitted> admit(std::string_view method, std::string_view target, std::string_view fields = "") {
    auto admitted = std::make_unique<Admitted>();
    admitted->block.append(method)
        .append(" ")
        .append(target)
        .append(" HTTP/1.1\r\nHost: h\r\n")
        .append(fields)
        .append("\r\n");
    const auto malformed = parse_head(admitted->block, admitted->request.head);
    EXPECT_FALSE(malformed.has_value()) << admitted->block;
    admitted->request.begun = MonotonicClock::now();
    if (!malformed) admitted->problem = router_.admit(admitted->request);
    return admitted;
  }

  test::TestTime time_;
  HybridClock clock_{time_};
  Router router_{value_bytes_max, clock_};
};

// The value of a header of an answer; "(none)" when it is not there.
inline std::string header_of(const Response& response, std::string_view name) {
  const std::string line = "\r\n" + std::string(name) + ": ";
  const std::string all = "\r\n" + response.headers;
  const auto at = all.find(line);
  if (at == all.npos) return "(none)";
  const auto begin = at + line.size();
  return all.substr(begin, all.find("\r\n", begin) - begin);
}

}  // namespace armazem::http
