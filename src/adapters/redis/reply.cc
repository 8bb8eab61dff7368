#include "adapters/redis/reply.h"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>
#include <utility>

#include "core/assert.h"

namespace armazem::redis {

// hiredis asks these for objects. All live in root_: an element is a place in its parent's items.
struct ReplyParser::Callbacks {
  static Reply* place(const redisReadTask* task) {
    if (task->parent == nullptr) return &static_cast<ReplyParser*>(task->privdata)->root_;
    return &static_cast<Reply*>(task->parent->obj)->items[static_cast<std::size_t>(task->idx)];
  }
  static void* create_string(const redisReadTask* task, char* text, std::size_t size) {
    Reply* const reply = place(task);
    reply->kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::error
                  : task->type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                     : Reply::Kind::bulk;
    reply->text.assign(text, size);
    return reply;
  }
  static void* create_array(const redisReadTask* task, int elements) {
    if (elements < 0 || elements > reply_items_max) return nullptr;  // reported as out of memory
    Reply* const reply = place(task);
    reply->kind = Reply::Kind::array;
    reply->items.resize(static_cast<std::size_t>(elements));
    return reply;
  }
  static void* create_integer(const redisReadTask* task, long long value) {
    Reply* const reply = place(task);
    reply->kind = Reply::Kind::integer;
    reply->integer = value;
    return reply;
  }
  static void* create_nil(const redisReadTask* task) { return place(task); }
  static void free_object(void*) {}

  static inline redisReplyObjectFunctions table{create_string, create_array, create_integer, create_nil, free_object};
};

void ReplyParser::Free::operator()(redisReader* reader) const noexcept { ::redisReaderFree(reader); }

ReplyParser::ReplyParser() : reader_(::redisReaderCreateWithFunctions(&Callbacks::table)) {
  ARMAZEM_ASSERT(reader_ != nullptr);
  reader_->privdata = this;
}

ReplyParser::~ReplyParser() = default;

void ReplyParser::feed(std::string_view bytes) {
  if (bytes.empty() || !error_.empty()) return;
  if (::redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) error_ = reader_->errstr;
}

ReplyParser::Step ReplyParser::next(Reply& reply) {
  if (!error_.empty()) return Step::broken;
  void* done = nullptr;
  if (::redisReaderGetReply(reader_.get(), &done) != REDIS_OK) {
    error_ = std::string("protocol error: ") + reader_->errstr;
    return Step::broken;
  }
  if (done != nullptr) {
    reply = std::exchange(root_, {});
    return Step::reply;
  }
  // A bulk that announces more is refused before it is gathered. The reader has read its '$' and stands at the length.
  const std::string_view left(reader_->buf + reader_->pos, reader_->len - reader_->pos);
  const bool in_bulk = reader_->ridx >= 0 && reader_->rstack[reader_->ridx].type == REDIS_REPLY_STRING;
  std::uint64_t announced = 0;
  if (in_bulk && std::from_chars(left.data(), left.data() + left.size(), announced).ec == std::errc::result_out_of_range) {
    announced = UINT64_MAX;
  }
  if (announced > reply_bytes_max || left.size() > reply_bytes_max) {
    error_ = "protocol error: a reply above " + std::to_string(reply_bytes_max) + " bytes";
    return Step::broken;
  }
  return Step::more;
}

void append_command(std::string& out, std::span<const std::string_view> arguments) {
  ARMAZEM_ASSERT(arguments.size() <= command_arguments_max);
  std::array<const char*, command_arguments_max> texts{};
  std::array<std::size_t, command_arguments_max> sizes{};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    texts[i] = arguments[i].data();
    sizes[i] = arguments[i].size();
  }
  char* formatted = nullptr;
  const int size = ::redisFormatCommandArgv(&formatted, static_cast<int>(arguments.size()), texts.data(), sizes.data());
  ARMAZEM_ASSERT(size > 0);
  out.append(formatted, static_cast<std::size_t>(size));
  ::redisFreeCommand(formatted);
}

}  // namespace armazem::redis
