// What the server answered to one statement; columns are binary.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace armazem::pg {

class PgResult {
 public:
  explicit PgResult(PGresult* result) noexcept : result_(result) {}

  explicit operator bool() const noexcept { return result_ != nullptr; }
  [[nodiscard]] ExecStatusType status() const noexcept { return PQresultStatus(result_.get()); }
  [[nodiscard]] int rows() const noexcept { return PQntuples(result_.get()); }
  [[nodiscard]] int columns() const noexcept { return PQnfields(result_.get()); }
  // Changed by an INSERT, UPDATE or DELETE.
  [[nodiscard]] std::size_t changed() const noexcept {
    return static_cast<std::size_t>(std::strtoull(PQcmdTuples(result_.get()), nullptr, 10));
  }
  // "COMMIT", "ROLLBACK", "UPDATE 3" and so on.
  [[nodiscard]] std::string_view command() const noexcept { return PQcmdStatus(result_.get()); }
  // PG_DIAG_…; empty when the server said nothing of it.
  [[nodiscard]] std::string_view diagnosis(int field) const noexcept {
    const char* const text = PQresultErrorField(result_.get(), field);
    return text == nullptr ? std::string_view() : text;
  }

  [[nodiscard]] bool is_null(int row, int column) const noexcept {
    return PQgetisnull(result_.get(), row, column) != 0;
  }
  // Points into this result.
  [[nodiscard]] std::string_view bytes(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
  }
  // Of any width; 0 for NULL.
  [[nodiscard]] std::int64_t integer(int row, int column) const noexcept {
    const std::string_view stored = bytes(row, column);
    std::uint64_t value = !stored.empty() && (stored.front() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : stored) value = (value << 8) | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(value);
  }
  [[nodiscard]] bool boolean(int row, int column) const noexcept { return integer(row, column) != 0; }

 private:
  struct Clear {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

}  // namespace armazem::pg
