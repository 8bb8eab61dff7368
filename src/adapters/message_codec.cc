#include "adapters/message_codec.h"

#include <algorithm>

#include "adapters/byte_codec.h"
#include "adapters/crc32c.h"
#include "core/assert.h"

namespace armazem {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::size_t checksum_at = 2;
constexpr std::size_t head_size = 6;
constexpr char mutations_kind = 'M';
constexpr char replies_kind = 'R';

constexpr std::uint8_t remove_flag = 1;
constexpr std::uint8_t expiry_flag = 2;
constexpr int form_shift = 2;
constexpr std::uint8_t mutation_flags_used = 0x0F;

constexpr std::uint8_t effect_mask = 3;
constexpr std::uint8_t replayed_flag = 4;
constexpr std::uint8_t version_flag = 8;
constexpr std::uint8_t current_flag = 16;
constexpr std::uint8_t reply_flags_used = 0x1F;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "queued message: " + std::string(what));
}

std::uint32_t checksum_of(std::string_view body) noexcept {
  return crc32c({body.substr(0, checksum_at), body.substr(head_size)});
}

std::string begin_body(char kind, std::size_t count, std::size_t size_hint) {
  std::string out;
  out.reserve(size_hint);
  out.push_back(kind);
  out.push_back(static_cast<char>(format));
  out.append(4, '\0');
  put_varint(out, count);
  return out;
}

void seal(std::string& body) noexcept {
  const std::uint32_t checksum = checksum_of(body);
  for (std::size_t i = 0; i < 4; ++i) body[checksum_at + i] = static_cast<char>(checksum >> (24 - 8 * i));
}

// The bytes behind kind, format and checksum, when these are right.
Result<ByteReader> open_body(std::string_view body, char kind) {
  if (body.size() <= head_size) return damaged("too short");
  if (body[0] != kind) return damaged("wrong kind");
  if (static_cast<std::uint8_t>(body[1]) != format) return damaged("unknown format");
  std::uint32_t written = 0;
  for (std::size_t i = 0; i < 4; ++i) written = written << 8 | static_cast<unsigned char>(body[checksum_at + i]);
  if (written != checksum_of(body)) return damaged("wrong checksum");
  return ByteReader(body.substr(head_size));
}

void put_version(std::string& out, const Version& version) {
  out.append(version.bytes().begin(), version.bytes().end());
}

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

void put_mutation(std::string& out, const Mutation& mutation) {
  const bool remove = mutation.kind == Mutation::Kind::remove;
  ARMAZEM_ASSERT(mutation.condition.kind == Condition::Kind::none);
  ARMAZEM_ASSERT(!mutation.version.is_nil());
  ARMAZEM_ASSERT(!remove || (mutation.value == Value{} && !mutation.expires_at_ms));
  unsigned flags = remove ? remove_flag : static_cast<unsigned>(mutation.value.form) << form_shift;
  if (mutation.expires_at_ms) flags |= expiry_flag;
  out.push_back(static_cast<char>(flags));
  put_version(out, mutation.version);
  put_text(out, mutation.key.text());
  if (remove) return;
  put_text(out, mutation.value.content_type);
  if (mutation.expires_at_ms) put_varint(out, *mutation.expires_at_ms);
  put_text(out, mutation.value.bytes);
}

// A text with its length, of at most `size_max` bytes.
std::string_view read_text(ByteReader& in, std::size_t size_max, bool& ok) noexcept {
  const std::uint64_t size = in.varint();
  const std::string_view text = in.ok() && size <= size_max ? in.take(size) : std::string_view{};
  ok = ok && in.ok() && size <= size_max;
  return text;
}

Result<Mutation> read_mutation(ByteReader& in) {
  const std::uint8_t flags = in.byte();
  const bool remove = (flags & remove_flag) != 0;
  const std::uint8_t form = flags >> form_shift;
  const bool known = (flags & ~mutation_flags_used) == 0 && form <= static_cast<std::uint8_t>(ValueForm::json);
  if (!in.ok() || !known || (remove && flags != remove_flag)) return damaged("wrong flags");
  const auto version = Version::from_bytes(in.take(sizeof(Version)));
  if (!version) return damaged("wrong version");
  bool ok = true;
  auto key = Key::parse(std::string(read_text(in, limits::key_bytes_max, ok)));
  if (!ok || !key) return damaged("wrong key");
  Mutation mutation{remove ? Mutation::Kind::remove : Mutation::Kind::put, std::move(*key), {}, *version, {}, {}};
  if (remove) return mutation;
  mutation.value.form = ValueForm{form};
  mutation.value.content_type = read_text(in, limits::content_type_bytes_max, ok);
  if ((flags & expiry_flag) != 0) mutation.expires_at_ms = in.varint();
  mutation.value.bytes = read_text(in, limits::value_bytes_max, ok);
  if (!ok) return damaged("wrong value");
  return mutation;
}

void put_reply(std::string& out, const Reply& reply) {
  const Outcome& outcome = reply.outcome;
  ARMAZEM_ASSERT(!reply.sent.is_nil());
  unsigned flags = static_cast<unsigned>(outcome.effect);
  if (outcome.replayed) flags |= replayed_flag;
  if (!outcome.version.is_nil()) flags |= version_flag;
  if (!outcome.current.is_nil()) flags |= current_flag;
  out.push_back(static_cast<char>(outcome.verdict));
  out.push_back(static_cast<char>(flags));
  put_version(out, reply.sent);
  if (!outcome.version.is_nil()) put_version(out, outcome.version);
  if (!outcome.current.is_nil()) put_version(out, outcome.current);
}

Result<Reply> read_reply(ByteReader& in) {
  const std::uint8_t verdict = in.byte();
  const std::uint8_t flags = in.byte();
  const bool known = verdict <= static_cast<std::uint8_t>(Verdict::too_old) && (flags & ~reply_flags_used) == 0;
  if (!in.ok() || !known) return damaged("wrong outcome");
  Reply reply;
  reply.outcome.verdict = Verdict{verdict};
  reply.outcome.effect = Effect{static_cast<std::uint8_t>(flags & effect_mask)};
  reply.outcome.replayed = (flags & replayed_flag) != 0;
  const auto read_version = [&in](Version& into) {
    const auto version = Version::from_bytes(in.take(sizeof(Version)));
    if (version) into = *version;
    return version.has_value();
  };
  if (!read_version(reply.sent)) return damaged("wrong version");
  if ((flags & version_flag) != 0 && !read_version(reply.outcome.version)) return damaged("wrong version");
  if ((flags & current_flag) != 0 && !read_version(reply.outcome.current)) return damaged("wrong version");
  return reply;
}

template <class Item, class ReadItem>
Result<std::vector<Item>> decode_items(std::string_view body, char kind, std::size_t count_max, ReadItem read_item) {
  auto in = open_body(body, kind);
  if (!in) return fail(std::move(in.error()));
  const std::uint64_t count = in->varint();
  if (!in->ok() || count == 0 || count > count_max) return damaged("wrong count");
  std::vector<Item> items;
  // What is not there needs no room: every item has more than 16 bytes.
  items.reserve(std::min<std::size_t>(count, in->rest().size() / sizeof(Version)));
  for (std::uint64_t i = 0; i < count; ++i) {
    Result<Item> item = read_item(*in);
    if (!item) return fail(std::move(item.error()));
    items.push_back(std::move(*item));
  }
  if (!in->rest().empty()) return damaged("more bytes than it has content");
  return items;
}

}  // namespace

std::string encode_message(std::span<const Mutation> mutations) {
  ARMAZEM_ASSERT(!mutations.empty() && mutations.size() <= limits::message_mutations_max);
  std::size_t size = head_size + 2;
  for (const Mutation& mutation : mutations) size += mutation.size_bytes() + 20;
  std::string body = begin_body(mutations_kind, mutations.size(), size);
  for (const Mutation& mutation : mutations) put_mutation(body, mutation);
  seal(body);
  return body;
}

Result<std::vector<Mutation>> decode_message(std::string_view body) {
  return decode_items<Mutation>(body, mutations_kind, limits::message_mutations_max, read_mutation);
}

std::string encode_replies(std::span<const Reply> replies) {
  ARMAZEM_ASSERT(!replies.empty() && replies.size() <= replies_max);
  std::string body = begin_body(replies_kind, replies.size(), head_size + 2 + replies.size() * sizeof(Version) * 4);
  for (const Reply& reply : replies) put_reply(body, reply);
  seal(body);
  return body;
}

Result<std::vector<Reply>> decode_replies(std::string_view body) {
  return decode_items<Reply>(body, replies_kind, replies_max, read_reply);
}

}  // namespace armazem
