#include "http/read_answer.h"

#include <algorithm>
#include <utility>

#include "http/byte_range.h"
#include "http/entry_json.h"
#include "http/field_values.h"
#include "http/gzip.h"
#include "http/http_date.h"
#include "http/operation_problems.h"

namespace armazem::http {
namespace {

bool matches(const EntityTags& tags, const Version& version, bool weak_too) {
  if (tags.any) return true;
  const std::string text = version.text();
  return std::ranges::any_of(tags.tags, [&](const EntityTag& tag) { return without_coding(tag.opaque) == text && (weak_too || !tag.weak); });
}

enum class Verdict { proceed, not_modified, failed };

// RFC 9110, section 13.2.2: If-Match first, then If-None-Match.
Verdict judge_conditions(const RequestHead& head, const Version& version) {
  if (const auto if_match = head.header(Header::if_match)) {
    const auto tags = parse_entity_tags(*if_match);
    if (!tags || !matches(*tags, version, false)) return Verdict::failed;
  }
  if (const auto if_none_match = head.header(Header::if_none_match)) {
    const auto tags = parse_entity_tags(*if_none_match);
    if (tags && matches(*tags, version, true)) return Verdict::not_modified;
  }
  return Verdict::proceed;
}

void add_last_modified(Response& response, const Version& version) {
  response.headers.append("Last-Modified: ");
  append_http_date(response.headers, version.ms() / 1000);
  response.headers.append("\r\n");
}

bool wants_json(const Request& request) {
  if (request.raw) return false;
  const auto accept = request.head.header(Header::accept);
  return !accept || *accept == "*/*" || accepts_json_first(*accept);
}

// Where the answer came from and, from the cache, how old it is (RFC 9111, section 5.1).
void add_source(const ReadAnswer& answer, Response& response) {
  if (!answer.from_cache) {
    response.headers.append("Armazem-Source: store\r\n");
    return;
  }
  response.headers.append("Armazem-Source: cache\r\n");
  response.add_header("Age", std::to_string(answer.age_ms / 1000));
}

// Only GET has ranges (RFC 9110, section 14.2), and only of the version that the client has a part of already.
ByteRange range_of(const RequestHead& head, const Record& record) {
  const auto range = head.header(Header::range);
  if (!range || head.method != Method::get) return {};
  const auto if_range = head.header(Header::if_range);
  if (if_range && *if_range != "\"" + record.version.text() + "\"") return {};
  return find_range(*range, record.value.bytes.size());
}

void answer_bytes(const Request& request, Record& record, Response& response) {
  const std::string size = std::to_string(record.value.bytes.size());
  const ByteRange range = range_of(request.head, record);
  if (range.kind == ByteRange::Kind::unsatisfiable) {
    Problem problem{ProblemType::range_not_satisfiable, "the value has " + size + " bytes, and the range begins behind them"};
    problem.size = record.value.bytes.size();
    render(problem, request_id_or_new(request.head), response);
    return response.add_header("Content-Range", "bytes */" + size);
  }
  response.body = std::move(record.value.bytes);
  if (range.kind == ByteRange::Kind::whole) return;
  response.status = 206;
  response.add_header("Content-Range",
                      "bytes " + std::to_string(range.first) + "-" + std::to_string(range.first + range.count - 1) + "/" + size);
  response.body.erase(range.first + range.count);
  response.body.erase(0, range.first);
}

// A part is never compressed: its bytes are counted in what is stored.
bool compress(const Request& request, std::string_view content_type, Response& response) {
  if (response.status != 200 || request.head.header(Header::range)) return false;
  return is_worth_gzip(content_type, response.body.size()) && accepts_gzip(request.head) && gzip_body(response);
}

// Of the representation that is sent.
void add_etag_of(const Version& version, bool compressed, Response& response) {
  if (!compressed) return add_etag(response, version);
  response.add_header("ETag", "\"" + version.text() + std::string(gzip_tag_suffix) + "\"");
}

// The client's copy is the one that it named.
bool names_compressed(const RequestHead& head, const Version& version) {
  const auto tags = head.header(Header::if_none_match);
  return tags && tags->find(version.text() + std::string(gzip_tag_suffix)) != tags->npos;
}

void answer_record(const Request& request, ReadAnswer& answer, Response& response) {
  Record& record = *answer.record;
  response.status = 200;
  add_last_modified(response, record.version);
  add_source(answer, response);
  response.headers.append("Cache-Control: no-cache\r\nVary: Accept, Accept-Encoding\r\n");
  if (record.expires_at_ms) response.add_header("Armazem-Expires", rfc3339(*record.expires_at_ms));
  echo_request_id(request.head, response);
  if (wants_json(request)) {
    response.headers.append("Content-Type: application/json\r\n");
    response.body.push_back('{');
    append_value_member(response.body, record.value);
    response.body.append("}\n");
    add_etag_of(record.version, compress(request, "application/json", response), response);
  } else {
    response.add_header("Content-Type", record.value.content_type);
    // Whoever stores a page must not get to run scripts with the rights of this origin.
    response.headers.append("X-Content-Type-Options: nosniff\r\nContent-Security-Policy: sandbox\r\nAccept-Ranges: bytes\r\n");
    answer_bytes(request, record, response);
    if (response.status >= 400) return;
    add_etag_of(record.version, compress(request, record.value.content_type, response), response);
  }
}

Problem not_matching(const Record& record) {
  Problem problem{ProblemType::precondition_failed, "the current version is not one of those in If-Match"};
  problem.current_etag = "\"" + record.version.text() + "\"";
  return problem;
}

}  // namespace

void add_etag(Response& response, const Version& version) {
  char line[] = "ETag: \"000000000000000000000000000000000000\"\r\n";
  version.write_text(line + 7);
  response.headers.append(line, sizeof line - 1);
}

void echo_request_id(const RequestHead& head, Response& response) {
  const auto id = head.header(Header::x_request_id);
  if (id && is_request_id(*id)) response.add_header("X-Request-Id", *id);
}

void answer_read(const Request& request, Result<ReadAnswer> found, Response& response) {
  if (!found) return render(problem_of(found.error()), request_id_or_new(request.head), response);
  if (!found->record) {
    Problem problem = nothing_stored();
    if (request.head.header(Header::if_match)) {
      problem = {ProblemType::precondition_failed, "no value is stored under this key, so If-Match cannot hold"};
      problem.current_etag = "";
    }
    render(problem, request_id_or_new(request.head), response);
    return add_source(*found, response);
  }
  Record& record = *found->record;
  switch (judge_conditions(request.head, record.version)) {
    case Verdict::failed: return render(not_matching(record), request_id_or_new(request.head), response);
    case Verdict::not_modified:
      response.status = 304;
      add_etag_of(record.version, names_compressed(request.head, record.version), response);
      response.headers.append("Cache-Control: no-cache\r\nVary: Accept, Accept-Encoding\r\n");
      return echo_request_id(request.head, response);
    case Verdict::proceed: return answer_record(request, *found, response);
  }
}

}  // namespace armazem::http
