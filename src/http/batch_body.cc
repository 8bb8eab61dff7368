#include "http/batch_body.h"

#include <utility>

#include "core/limits.h"
#include "http/batch_fields.h"
#include "http/json_events.h"
#include "http/put_body.h"

namespace armazem::http {
namespace {

namespace json = boost::json;

// A value may be as deep as anywhere else, inside the object, the array and the operation.
constexpr int depth_max = limits::json_depth_max + 3;

// Depths: 1 inside the body, 2 inside "operations", 3 inside an operation; anything deeper belongs to a value.
class BatchHandler : public JsonEvents {
 public:
  explicit BatchHandler(std::size_t value_bytes_max) : value_bytes_max_(value_bytes_max) {}

  std::optional<Problem> problem;
  bool has_operations = false;
  std::vector<BatchOperation> operations;

  bool on_object_begin(Code& ec) {
    if (depth_ == 1) return refuse_list(ec);
    if (depth_ == 2 && operations.size() == limits::batch_operations_max) return refuse_count(ec);
    if (depth_ > 2 && !expect_value(ec, "an object")) return false;
    if (depth_ > 2) rewriter_.begin('{');
    ++depth_;
    return true;
  }
  bool on_object_end(std::size_t, Code& ec) {
    --depth_;
    if (depth_ == 0) return true;
    if (depth_ == 2) return end_operation(ec);
    rewriter_.end('}');
    return end_value();
  }
  bool on_array_begin(Code& ec) {
    if (depth_ == 0) return refuse_body(ec);
    if (depth_ == 2) return refuse_operation(ec);
    if (depth_ > 2 && !expect_value(ec, "an array")) return false;
    if (depth_ > 2) rewriter_.begin('[');
    ++depth_;
    return true;
  }
  bool on_array_end(std::size_t, Code&) {
    if (--depth_ == 1) return true;
    rewriter_.end(']');
    return end_value();
  }

  bool on_key_part(Text part, std::size_t, Code&) { return add(part); }
  bool on_key(Text part, std::size_t, Code& ec) {
    const std::string name = finish(part);
    if (depth_ == 1) return begin_list(name, ec);
    if (depth_ == 3) return begin_member(name, ec);
    rewriter_.name(name);
    return true;
  }

  bool on_string_part(Text part, std::size_t, Code&) { return add(part); }
  bool on_string(Text part, std::size_t, Code& ec) {
    std::string text = finish(part);
    if (depth_ < 3) return refuse_place(ec);
    if (depth_ > 3) {
      rewriter_.string(text);
    } else if (member_ == BatchMember::value) {
      fields_.value = Value{std::move(text), std::string(text_type), ValueForm::text};
    } else if (member_ == BatchMember::ttl) {
      return refuse_ttl(ec);
    } else {
      fields_.text(member_) = std::move(text);
    }
    return true;
  }

  bool on_number_part(Text part, Code&) { return add(part); }
  bool on_int64(std::int64_t number, Text part, Code& ec) { return number_ends(part, number, ec); }
  bool on_uint64(std::uint64_t, Text part, Code& ec) { return number_ends(part, std::nullopt, ec); }
  bool on_double(double, Text part, Code& ec) { return number_ends(part, std::nullopt, ec); }
  bool on_bool(bool value, Code& ec) { return literal(value ? "true" : "false", "a boolean", ec); }
  bool on_null(Code& ec) { return literal("null", "null", ec); }

 private:
  bool add(Text part) {
    text_.append(part);
    return true;
  }
  std::string finish(Text part) {
    text_.append(part);
    return std::exchange(text_, {});
  }

  bool refuse(Code& ec, Problem why) {
    problem = std::move(why);
    ec = json::error::exception;
    return false;
  }
  // Of the operation that is being read: its place goes in front of the detail and into the field.
  bool refuse_here(Code& ec, Problem why) {
    const std::string place = "operations[" + std::to_string(operations.size()) + "]";
    why.detail = place + ": " + why.detail;
    why.field = why.field ? place + "." + *why.field : place;
    return refuse(ec, std::move(why));
  }
  bool refuse_member(Code& ec, std::string_view name, std::string detail, ProblemType type = ProblemType::body_invalid) {
    Problem why{type, std::move(detail)};
    why.field = std::string(name);
    return refuse_here(ec, std::move(why));
  }
  bool refuse_body(Code& ec) { return refuse(ec, {ProblemType::body_invalid, "the body must be an object with \"operations\""}); }
  bool refuse_list(Code& ec) {
    Problem why{ProblemType::body_invalid, "\"operations\" must be an array"};
    why.field = "operations";
    return refuse(ec, std::move(why));
  }
  bool refuse_operation(Code& ec) { return refuse_here(ec, {ProblemType::body_invalid, "an operation must be an object"}); }
  bool refuse_place(Code& ec) { return depth_ == 0 ? refuse_body(ec) : depth_ == 1 ? refuse_list(ec) : refuse_operation(ec); }
  bool refuse_ttl(Code& ec) {
    return refuse_member(ec, "ttl", "\"ttl\" must be a whole number of seconds from 1 to 315360000", ProblemType::ttl_invalid);
  }
  bool refuse_count(Code& ec) {
    Problem why{ProblemType::batch_too_large, "a batch has at most " + std::to_string(limits::batch_operations_max) + " operations"};
    why.limit = limits::batch_operations_max;
    return refuse(ec, std::move(why));
  }

  bool begin_list(const std::string& name, Code& ec) {
    if (name == "operations" && !std::exchange(has_operations, true)) return true;
    Problem why{ProblemType::body_invalid, "only \"operations\" is understood here, once"};
    why.field = name;
    return refuse(ec, std::move(why));
  }
  bool begin_member(const std::string& name, Code& ec) {
    const auto member = batch_member(name);
    if (!member) return refuse_member(ec, name, "unknown member");
    if (fields_.has(*member)) return refuse_member(ec, name, "the member \"" + name + "\" appears twice");
    member_ = *member;
    return true;
  }

  // True when a structure, number, boolean or null may stand here.
  bool expect_value(Code& ec, std::string_view what) {
    if (depth_ > 3 || member_ == BatchMember::value) return true;
    if (member_ == BatchMember::ttl) return refuse_ttl(ec);
    const std::string name(to_string(member_));
    return refuse_member(ec, name, "\"" + name + "\" must be a string, not " + std::string(what));
  }
  bool literal(std::string_view text, std::string_view what, Code& ec) {
    if (depth_ < 3) return refuse_place(ec);
    if (!expect_value(ec, what)) return false;
    rewriter_.literal(text);
    return end_value();
  }
  bool number_ends(Text part, std::optional<std::int64_t> whole, Code& ec) {
    const std::string text = finish(part);
    if (depth_ != 3 || member_ != BatchMember::ttl) return literal(text, "a number", ec);
    if (!whole || *whole < 1 || *whole > limits::ttl_seconds_max) return refuse_ttl(ec);
    fields_.ttl_seconds = whole;
    return true;
  }
  bool end_value() {
    if (depth_ == 3) fields_.value = Value{rewriter_.take(), std::string(json_type), ValueForm::json};
    return true;
  }
  bool end_operation(Code& ec) {
    auto made = make_operation(std::exchange(fields_, {}), value_bytes_max_);
    if (auto* why = std::get_if<Problem>(&made)) return refuse_here(ec, std::move(*why));
    operations.push_back(std::get<BatchOperation>(std::move(made)));
    return true;
  }

  const std::size_t value_bytes_max_;
  int depth_ = 0;
  BatchMember member_ = BatchMember::op;
  std::string text_;
  JsonRewriter rewriter_;
  BatchFields fields_;
};

}  // namespace

std::variant<std::vector<BatchOperation>, Problem> parse_batch_body(std::string_view text, std::size_t value_bytes_max) {
  json::basic_parser<BatchHandler> parser(json_options(depth_max), value_bytes_max);
  if (auto problem = read_json(text, depth_max, parser)) return std::move(*problem);
  BatchHandler& handler = parser.handler();
  if (handler.has_operations) return std::move(handler.operations);
  Problem missing{ProblemType::body_invalid, "the member \"operations\" is missing"};
  missing.field = "operations";
  return missing;
}

}  // namespace armazem::http
