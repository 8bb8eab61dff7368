// What nodes say about the cluster, and what is made of it when they do not agree.
#include "adapters/redis/topology.h"

#include <gtest/gtest.h>

#include "adapters/redis/breaker.h"

namespace armazem::redis {
namespace {

std::string id(char c) { return std::string(40, c); }
const net::HostPort asked{"asked.example", 7000};

std::vector<NodeLine> parse(const std::string& text) { return parse_cluster_nodes(text, asked).value(); }

std::shared_ptr<const Topology> merge(const std::vector<std::string>& answers) {
  std::vector<std::vector<NodeLine>> parsed;
  for (const std::string& answer : answers) parsed.push_back(parse(answer));
  return Topology::merge(parsed);
}

std::string owner_of(const std::shared_ptr<const Topology>& view, std::uint16_t slot) {
  const std::size_t shard = view->shard_of(slot);
  if (shard == Topology::none) return "nobody";
  return view->shards()[shard].primary.text() + " " + std::to_string(view->shards()[shard].epoch);
}

// As Redis 7.0.15 writes it, with slots on their way.
TEST(ClusterNodes, AreReadAsTheServerWritesThem) {
  const auto nodes = parse(id('a') + " 127.0.0.1:22967@23067 myself,master - 0 1795574351000 3 connected 5461 10923-16383 "
                           "[93->-" + id('b') + "] [77-<-" + id('b') + "]\n" +
                           id('b') + " 127.0.0.1:22969@23069,node-b,shard-id=1 slave " + id('a') +
                           " 0 1795574351037 2 disconnected\n");
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].address, (net::HostPort{"127.0.0.1", 22967}));
  EXPECT_TRUE(nodes[0].primary);
  EXPECT_EQ(nodes[0].epoch, 3U);
  ASSERT_EQ(nodes[0].slots.size(), 2U);
  EXPECT_EQ(nodes[0].slots[0].first, 5461);
  EXPECT_EQ(nodes[0].slots[0].last, 5461);
  EXPECT_EQ(nodes[0].slots[1].first, 10923);
  EXPECT_FALSE(nodes[1].primary);
  EXPECT_EQ(nodes[1].hostname, "node-b");
}

TEST(ClusterNodes, AddressesInEveryForm) {
  EXPECT_EQ(parse(id('a') + " :7001@17001 myself,master - 0 0 1 connected\n")[0].address.text(), "asked.example:7001");
  EXPECT_EQ(parse(id('a') + " :0@0 myself,master - 0 0 1 connected\n")[0].address.text(), "asked.example:7000");
  EXPECT_EQ(parse(id('a') + " ::1:7001@17001 master - 0 0 1 connected\n")[0].address.text(), "[::1]:7001");
  EXPECT_EQ(parse(id('a') + " 10.0.0.1:7001 master - 0 0 1 connected")[0].address.text(), "10.0.0.1:7001");
  EXPECT_EQ(parse(id('a') + " :7001@17001,host-a master - 0 0 1 connected\r\n")[0].address.text(), "host-a:7001");
  EXPECT_FALSE(parse(id('a') + " :0@0 master,noaddr - 0 0 1 disconnected")[0].usable);
  EXPECT_FALSE(parse(id('a') + " 10.0.0.1:1@2 handshake - 0 0 0 connected")[0].usable);
}

TEST(ClusterNodes, UnknownFlagsArePassedOver) {
  const auto nodes = parse(id('a') + " 10.0.0.1:1@2 master,fail?,nofailover,brand-new - 0 0 1 connected 0-5");
  EXPECT_TRUE(nodes[0].primary);
  EXPECT_TRUE(nodes[0].usable);
}

TEST(ClusterNodes, AnythingElseIsRefused) {
  const std::string good = " 10.0.0.1:1@2 master - 0 0 1 connected";
  for (const std::string& text :
       {std::string(), std::string("\n"), "short" + good, std::string(40, 'g') + good, id('a'), id('a') + " noport master - 0 0 1 connected",
        id('a') + " 10.0.0.1:99999@1 master - 0 0 1 connected", id('a') + " 10.0.0.1:1@2 master - 0 0 x connected",
        id('a') + " 10.0.0.1:1@2 master - 0 0 -1 connected", id('a') + " 10.0.0.1:1@2 master - 0 0 1",
        id('a') + good + " 16384", id('a') + good + " 5-4", id('a') + good + " 1-", id('a') + good + " -1",
        id('a') + good + " 0-99999", id('a') + good + " x"}) {
    const auto nodes = parse_cluster_nodes(text, asked);
    ASSERT_FALSE(nodes.has_value()) << text;
    EXPECT_EQ(nodes.error().code, ErrorCode::data_damaged);
  }
}

TEST(Topology, TheNewestEpochWinsEachSlot) {
  // A primary that was cut off still claims what its replica has taken over.
  const std::string cut_off = id('a') + " 10.0.0.1:1@2 myself,master - 0 0 1 connected 0-100\n" +
                              id('b') + " 10.0.0.2:1@2 slave " + id('a') + " 0 0 1 connected\n";
  const std::string majority = id('a') + " 10.0.0.1:1@2 master,fail - 0 0 1 disconnected\n" +
                               id('b') + " 10.0.0.2:1@2 myself,master - 0 0 7 connected 0-100\n";
  for (const auto& view : {merge({cut_off, majority}), merge({majority, cut_off}), merge({majority})}) {
    EXPECT_EQ(owner_of(view, 50), "10.0.0.2:1 7");
    EXPECT_EQ(owner_of(view, 101), "nobody");
    EXPECT_EQ(view->newest_epoch(), 7U);
    EXPECT_EQ(view->nodes().size(), 2U);
  }
  EXPECT_EQ(owner_of(merge({cut_off}), 50), "10.0.0.1:1 1");
  EXPECT_FALSE(merge({cut_off})->same_as(*merge({majority})));
  EXPECT_TRUE(merge({cut_off})->same_as(*merge({cut_off})));
}

TEST(Topology, WithoutAnySlotThereIsNone) {
  EXPECT_EQ(Topology::merge({}), nullptr);
  EXPECT_EQ(merge({id('a') + " 10.0.0.1:1@2 myself,master - 0 0 0 connected"}), nullptr);
}

TEST(Topology, APrimaryIsFoundByAddressOrName) {
  const auto view = merge({id('a') + " 10.0.0.1:1@2,host-a master - 0 0 1 connected 0-100"});
  EXPECT_EQ(view->find({"10.0.0.1", 1}), 0U);
  EXPECT_EQ(view->find({"host-a", 1}), 0U);
  EXPECT_EQ(view->find({"host-a", 2}), Topology::none);
  EXPECT_EQ(view->find({"", 1}), Topology::none);
}

// Values that the server itself gave for CLUSTER KEYSLOT.
TEST(Slot, IsThatOfTheServer) {
  static_assert(slot_of("foo") == 12182);
  static_assert(slot_of("123456789") == 12739);
  EXPECT_EQ(slot_of(""), 0);
  EXPECT_EQ(slot_of("a{foo}b"), slot_of("foo"));
  EXPECT_EQ(slot_of("{foo}{bar}"), slot_of("foo"));
  EXPECT_EQ(slot_of("a{}{foo}"), crc16("a{}{foo}") % slot_count) << "an empty tag is none, and no other is looked for";
  EXPECT_EQ(slot_of("a{{foo}}"), slot_of("{foo")) << "up to the first closing brace";
  EXPECT_EQ(slot_of("a}{foo"), crc16("a}{foo") % slot_count);
  EXPECT_EQ(slot_of("}{foo}"), slot_of("foo"));
}

TEST(Breaker, OpensAfterFailuresInARowAndClosesByAProbe) {
  std::mt19937_64 random(1);
  Breaker breaker(3, std::chrono::milliseconds(100));
  const MonotonicTime now{};
  EXPECT_FALSE(breaker.failed(now, random));
  EXPECT_FALSE(breaker.failed(now, random));
  breaker.request_succeeded();
  EXPECT_FALSE(breaker.failed(now, random));
  EXPECT_FALSE(breaker.failed(now, random));
  EXPECT_TRUE(breaker.failed(now, random));
  EXPECT_FALSE(breaker.allows());
  EXPECT_FALSE(breaker.failed(now, random)) << "opened once";
  EXPECT_FALSE(breaker.take_probe(now + std::chrono::milliseconds(49)));
  EXPECT_TRUE(breaker.take_probe(now + std::chrono::milliseconds(100)));
  EXPECT_FALSE(breaker.take_probe(now + std::chrono::milliseconds(100))) << "one probe";
  breaker.request_succeeded();
  EXPECT_FALSE(breaker.allows()) << "only the probe closes it";
  EXPECT_TRUE(breaker.failed(now + std::chrono::milliseconds(100), random)) << "the probe failed";
  EXPECT_TRUE(breaker.take_probe(now + std::chrono::milliseconds(200)));
  breaker.succeeded();
  EXPECT_TRUE(breaker.allows());
}

}  // namespace
}  // namespace armazem::redis
