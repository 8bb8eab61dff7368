// A database with more table files than RocksDB opens at the start: a read must not take 'the key may exist' for an answer.
#include <rocksdb/db.h>
#include <rocksdb/sst_file_writer.h>

#include "contract/rocksdb_fixture.h"

namespace armazem::test {
namespace {

// RocksDB opens 16 tables at the start when the number of open files is bounded.
constexpr int tables = 64;

std::string name_of(int number) { return "key-" + std::to_string(1000 + number); }

// Copies the record of `from` to one key per table file, behind the store's back. Ingested tables lie on the lowest level,
// where no compaction will open them.
void spread_over_tables(const std::string& path, const std::string& scratch, const std::string& from) {
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open({}, path, families, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> database(raw);
  for (rocksdb::ColumnFamilyHandle* family : handles) {
    std::string record;
    if (database->Get({}, family, from, &record).ok()) {
      for (int i = 0; i < tables; ++i) {
        const std::string file = scratch + "-" + std::to_string(i);
        rocksdb::SstFileWriter writer({}, {}, family);
        ASSERT_TRUE(writer.Open(file).ok() && writer.Put(name_of(i), record).ok() && writer.Finish().ok());
        ASSERT_TRUE(database->IngestExternalFile(family, {file}, {}).ok());
      }
    }
    ASSERT_TRUE(database->DestroyColumnFamilyHandle(family).ok());
  }
}

using RocksdbManyTables = RocksdbTest;

TEST_F(RocksdbManyTables, AReadFromATableThatIsNotOpenYetFindsItsRecord) {
  const std::string path = dir_.sub("data");
  {
    auto store = open(path);
    std::vector<Mutation> batch;
    batch.push_back(put("seed", "the value", 1));
    ASSERT_TRUE(apply(*store, std::move(batch)).has_value());
  }
  ASSERT_NO_FATAL_FAILURE(spread_over_tables(path, dir_.sub("table"), "seed"));
  auto store = open(path);
  for (int i = 0; i < tables; ++i) EXPECT_EQ(bytes(*store, name_of(i)), "the value") << i;
}

}  // namespace
}  // namespace armazem::test
