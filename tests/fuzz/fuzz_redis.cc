// What comes from a Redis node: replies, cached entries, the nodes' view of the cluster. The first byte chooses.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/redis/entry_codec.h"
#include "adapters/redis/redis_options.h"
#include "adapters/redis/reply.h"
#include "adapters/redis/topology.h"
#include "core/assert.h"

using namespace armazem;

namespace {

void describe(const redis::Reply& reply, std::string& out) {
  out += std::to_string(static_cast<int>(reply.kind)) + ":" + std::to_string(reply.integer) + ":" + reply.text + "[";
  for (const redis::Reply& item : reply.items) describe(item, out);
  out += "]";
}

// Everything that was read, and whether it broke: the same in pieces of any size.
std::string read_replies(std::string_view bytes, std::size_t piece) {
  redis::ReplyParser parser;
  std::string all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    parser.feed(bytes.substr(at, piece));
    redis::Reply reply;
    redis::ReplyParser::Step step{};
    while ((step = parser.next(reply)) == redis::ReplyParser::Step::reply) {
      ARMAZEM_ASSERT(reply.text.size() <= bytes.size());
      describe(reply, all);
    }
    if (step == redis::ReplyParser::Step::broken) return all + "broken";
  }
  return all;
}

void try_replies(std::string_view bytes) {
  const std::string whole = read_replies(bytes, std::max<std::size_t>(bytes.size(), 1));
  ARMAZEM_ASSERT(whole == read_replies(bytes, 1) && whole == read_replies(bytes, 7));
}

// Nothing but an error or a whole record comes out, and it goes back to the same bytes.
void try_entry(std::string_view bytes) {
  const redis::Head head = redis::read_head(bytes);
  auto entry = redis::decode_entry(std::string(bytes));
  if (!entry) {
    ARMAZEM_ASSERT(entry.error().code == ErrorCode::data_damaged);
    return;
  }
  ARMAZEM_ASSERT(head.kind == redis::Kind::entry);
  const std::optional<Record> record = entry->record;
  std::string again = redis::encode_entry(record, entry->stored_ms);
  redis::set_epoch(again, head.epoch);
  ARMAZEM_ASSERT(again == bytes);
}

void try_nodes(std::string_view bytes) {
  const net::HostPort asked{"h", 1};
  auto nodes = redis::parse_cluster_nodes(bytes, asked);
  if (!nodes) return;
  ARMAZEM_ASSERT(!nodes->empty());
  const std::vector<std::vector<redis::NodeLine>> answers = {std::move(*nodes)};
  const auto view = redis::Topology::merge(answers);
  if (!view) return;
  ARMAZEM_ASSERT(view->same_as(*view) && !view->shards().empty());
  for (std::size_t slot = 0; slot < redis::slot_count; slot += 61) {
    const std::size_t shard = view->shard_of(static_cast<std::uint16_t>(slot));
    ARMAZEM_ASSERT(shard == redis::Topology::none || shard < view->shards().size());
  }
  for (const redis::Shard& shard : view->shards()) {
    ARMAZEM_ASSERT(!shard.primary.host.empty() && shard.primary.port != 0);
    ARMAZEM_ASSERT(view->find(shard.primary) != redis::Topology::none);
  }
}

void try_url(std::string_view bytes) {
  const auto options = parse_redis_url(bytes);
  ARMAZEM_ASSERT(!options || !options->seeds.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'r': try_replies(bytes); break;
    case 'e': try_entry(bytes); break;
    case 'n': try_nodes(bytes); break;
    case 'u': try_url(bytes); break;
    default: break;
  }
  return 0;
}
