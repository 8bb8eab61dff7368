// The PostgreSQL (or CockroachDB) server that ARMAZEM_TEST_POSTGRES names, and places of their own in it for tests.
#pragma once

#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

namespace armazem::test {

// postgres://USER:PASSWORD@HOST:PORT/DATABASE; the user may create schemas. nullopt: there is none.
inline std::optional<std::string> postgres_url() {
  const char* const url = std::getenv("ARMAZEM_TEST_POSTGRES");
  if (url == nullptr || *url == '\0') return std::nullopt;
  return url;
}

// Blocking, for preparing and looking; throws.
class SqlSession {
 public:
  explicit SqlSession(const std::string& url) : connection_(PQconnectdb(url.c_str()), &PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection_.get()));
    PQsetNoticeReceiver(connection_.get(), [](void*, const PGresult*) {}, nullptr);
  }
  // The first field of the first row, as text; empty when there is none.
  std::string run(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection_.get(), sql.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      throw std::runtime_error(sql + ": " + PQresultErrorMessage(result.get()));
    }
    return PQntuples(result.get()) == 0 ? "" : PQgetvalue(result.get(), 0, 0);
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

// An empty schema, dropped with everything in it. URLs below lead into it.
class PostgresSchema {
 public:
  PostgresSchema() : server_(postgres_url().value()) {
    std::random_device random;
    name_ = "armazem_test_" + std::to_string(random()) + "_" + std::to_string(random());
    SqlSession(server_).run("CREATE SCHEMA " + name_);
  }
  ~PostgresSchema() {
    try {
      SqlSession(server_).run("DROP SCHEMA " + name_ + " CASCADE");
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
  }
  PostgresSchema(const PostgresSchema&) = delete;
  PostgresSchema& operator=(const PostgresSchema&) = delete;

  [[nodiscard]] std::string url() const { return into_schema(server_); }
  // Through another address, for example a proxy's: "127.0.0.1:4711", or several.
  [[nodiscard]] std::string url_at(const std::string& hosts) const {
    const auto at = server_.rfind('@') + 1;
    return into_schema(server_.substr(0, at) + hosts + server_.substr(server_.find('/', at)));
  }
  // "host:port" of the server itself.
  [[nodiscard]] std::string server_address() const {
    const auto at = server_.rfind('@') + 1;
    return server_.substr(at, server_.find('/', at) - at);
  }
  [[nodiscard]] std::string password() const {
    const auto at = server_.find(':', server_.find("://") + 3) + 1;
    return server_.substr(at, server_.rfind('@') - at);
  }
  [[nodiscard]] SqlSession session() const { return SqlSession(url()); }

 private:
  [[nodiscard]] std::string into_schema(const std::string& url) const {
    return url + (url.find('?') == url.npos ? "?" : "&") + "options=-csearch_path%3D" + name_;
  }

  const std::string server_;
  std::string name_;
};

}  // namespace armazem::test
