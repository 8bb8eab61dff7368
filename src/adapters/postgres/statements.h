// Every statement that this store sends, and nothing else does. docs/sql.md says for each what PostgreSQL and CockroachDB
// do with it; a test keeps the two equal.
//
// Parameters and results are binary. Integers are bigint on the wire, whatever the column is.
#pragma once

#include <array>

namespace armazem::pg {

struct Statement {
  const char* name;  // of the prepared statement; one per connection
  const char* text;
};

namespace sql {

// --- A session ---

// $1: milliseconds as text. A server that waits longer than we do would hold its locks for nobody.
inline constexpr Statement start_session{
    "start_session",
    "SELECT set_config('statement_timeout', $1::text, false), "
    "set_config('idle_in_transaction_session_timeout', $1::text, false), version()"};

// PostgreSQL only. Every access is by an index, so statistics that are missing or old shall not decide otherwise, and a
// plan need not be made twice. A commit is on disk when it is answered, whatever the server's default.
inline constexpr Statement tune_postgresql{
    "tune_postgresql",
    "SELECT set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false), "
    "set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false), "
    "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, false)"};

// --- The schema ---

inline constexpr Statement read_schema{"read_schema", "SELECT number FROM armazem_meta WHERE name = 'schema'"};

inline constexpr Statement create_meta{"create_meta",
                                       "CREATE TABLE IF NOT EXISTS armazem_meta ("
                                       "name text PRIMARY KEY, "
                                       "number bigint NOT NULL, "
                                       "holder text NOT NULL, "
                                       "held_until timestamptz NOT NULL)"};

inline constexpr Statement create_records{"create_records",
                                          "CREATE TABLE IF NOT EXISTS armazem_records ("
                                          "key bytea PRIMARY KEY, "
                                          "version bytea NOT NULL, "
                                          "tombstone boolean NOT NULL, "
                                          "form bigint NOT NULL, "
                                          "content_type bytea NOT NULL, "
                                          "value bytea NOT NULL, "
                                          "expires_at_ms bigint, "
                                          "history bytea NOT NULL, "
                                          "purge_at_ms bigint)"};

inline constexpr Statement create_purge_index{
    "create_purge_index",
    "CREATE INDEX IF NOT EXISTS armazem_records_purge ON armazem_records (purge_at_ms) WHERE purge_at_ms IS NOT NULL"};

inline constexpr Statement create_purge_lease{
    "create_purge_lease",
    "INSERT INTO armazem_meta (name, number, holder, held_until) VALUES ('purge', 0, '', now()) "
    "ON CONFLICT (name) DO NOTHING"};

// Last: whoever finds this row finds all of the above.
inline constexpr Statement create_schema_row{
    "create_schema_row",
    "INSERT INTO armazem_meta (name, number, holder, held_until) VALUES ('schema', $1::bigint, '', now()) "
    "ON CONFLICT (name) DO NOTHING"};

// --- Transactions ---

inline constexpr Statement begin_read_committed{"begin_read_committed", "BEGIN ISOLATION LEVEL READ COMMITTED"};
inline constexpr Statement begin_serializable{"begin_serializable", "BEGIN ISOLATION LEVEL SERIALIZABLE"};
inline constexpr Statement commit{"commit", "COMMIT"};
inline constexpr Statement rollback{"rollback", "ROLLBACK"};

// --- Apply ---

// What `apply` needs to decide; the value, which it does not, stays where it is. In key order, so that two batches lock
// the rows that they share in the same order.
inline constexpr Statement lock_rows{"lock_rows",
                                     "SELECT key, version, tombstone, expires_at_ms, history FROM armazem_records "
                                     "WHERE key = ANY ($1::bytea[]) ORDER BY key FOR UPDATE"};

inline constexpr Statement update_rows{
    "update_rows",
    "UPDATE armazem_records AS r SET version = d.version, tombstone = d.tombstone, form = d.form, "
    "content_type = d.content_type, value = d.value, expires_at_ms = d.expires_at_ms, history = d.history, "
    "purge_at_ms = d.purge_at_ms "
    "FROM unnest($1::bytea[], $2::bytea[], $3::boolean[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bigint[], "
    "$8::bytea[], $9::bigint[]) "
    "AS d (key, version, tombstone, form, content_type, value, expires_at_ms, history, purge_at_ms) "
    "WHERE r.key = d.key"};

// Without ON CONFLICT: a row that came in meanwhile has not been looked at, so the whole transaction must start again.
inline constexpr Statement insert_rows{
    "insert_rows",
    "INSERT INTO armazem_records "
    "(key, version, tombstone, form, content_type, value, expires_at_ms, history, purge_at_ms) "
    "SELECT d.key, d.version, d.tombstone, d.form, d.content_type, d.value, d.expires_at_ms, d.history, d.purge_at_ms "
    "FROM unnest($1::bytea[], $2::bytea[], $3::boolean[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bigint[], "
    "$8::bytea[], $9::bigint[]) "
    "AS d (key, version, tombstone, form, content_type, value, expires_at_ms, history, purge_at_ms)"};

// --- Reads ---

inline constexpr Statement get_rows{
    "get_rows",
    "SELECT key, version, tombstone, form, content_type, value, expires_at_ms, history FROM armazem_records "
    "WHERE key = ANY ($1::bytea[])"};

// $1 <= key < $2; $3: rows to look at; $4: now; $5: entries wanted; $6: bytes wanted. The page is cut on the server,
// because its rows may be large. Dead rows come without a value, so that the cursor can move over them; `looked_at`
// tells a page that was cut from the end of the range.
inline constexpr Statement scan_rows{
    "scan_rows",
    "SELECT key, version, tombstone, form, content_type, CASE WHEN live THEN value END, expires_at_ms, history, live, "
    "looked_at, value_bytes::bigint FROM (SELECT looked.*, "
    "sum(CASE WHEN live THEN 1 ELSE 0 END) OVER (ORDER BY key) - CASE WHEN live THEN 1 ELSE 0 END AS entries_before, "
    "sum(CASE WHEN live THEN octet_length(key) + value_bytes ELSE 0 END) OVER (ORDER BY key) - "
    "CASE WHEN live THEN octet_length(key) + value_bytes ELSE 0 END AS bytes_before, "
    "count(*) OVER () AS looked_at "
    "FROM (SELECT key, version, tombstone, form, content_type, value, octet_length(value) AS value_bytes, "
    "expires_at_ms, history, "
    "NOT tombstone AND (expires_at_ms IS NULL OR expires_at_ms > $4::bigint) AS live FROM armazem_records "
    "WHERE key >= $1::bytea AND key < $2::bytea ORDER BY key LIMIT $3::bigint) AS looked) AS page "
    "WHERE entries_before < $5::bigint AND bytes_before < $6::bigint ORDER BY key"};

// The same without values, but with their sizes.
inline constexpr Statement scan_keys{
    "scan_keys",
    "SELECT key, version, tombstone, form, content_type, NULL::bytea, expires_at_ms, history, live, looked_at, "
    "value_bytes::bigint FROM (SELECT looked.*, "
    "sum(CASE WHEN live THEN 1 ELSE 0 END) OVER (ORDER BY key) - CASE WHEN live THEN 1 ELSE 0 END AS entries_before, "
    "sum(CASE WHEN live THEN octet_length(key) ELSE 0 END) OVER (ORDER BY key) - "
    "CASE WHEN live THEN octet_length(key) ELSE 0 END AS bytes_before, "
    "count(*) OVER () AS looked_at "
    "FROM (SELECT key, version, tombstone, form, content_type, octet_length(value) AS value_bytes, "
    "expires_at_ms, history, "
    "NOT tombstone AND (expires_at_ms IS NULL OR expires_at_ms > $4::bigint) AS live FROM armazem_records "
    "WHERE key >= $1::bytea AND key < $2::bytea ORDER BY key LIMIT $3::bigint) AS looked) AS page "
    "WHERE entries_before < $5::bigint AND bytes_before < $6::bigint ORDER BY key"};

// --- Purge ---

// One purger at a time: $1 is its name. By the database's clock, which all of them share.
inline constexpr Statement take_purge_lease{
    "take_purge_lease",
    "UPDATE armazem_meta SET holder = $1::text, held_until = now() + INTERVAL '30 seconds' "
    "WHERE name = 'purge' AND (holder = $1::text OR held_until < now())"};
inline constexpr Statement free_purge_lease{
    "free_purge_lease",
    "UPDATE armazem_meta SET holder = '', held_until = now() - INTERVAL '1 second' "
    "WHERE name = 'purge' AND holder = $1::text"};

// Rows that a batch has locked are passed over; a later step finds them.
inline constexpr Statement find_old_rows{
    "find_old_rows",
    "SELECT key FROM armazem_records WHERE purge_at_ms < $1::bigint ORDER BY purge_at_ms LIMIT $2::bigint "
    "FOR UPDATE SKIP LOCKED"};
inline constexpr Statement delete_old_rows{
    "delete_old_rows", "DELETE FROM armazem_records WHERE key = ANY ($1::bytea[]) AND purge_at_ms < $2::bigint"};

// What every connection prepares, once the schema is there.
inline constexpr std::array prepared = {
    begin_read_committed, begin_serializable, commit,        rollback,       lock_rows,
    update_rows,          insert_rows,        get_rows,      scan_rows,      scan_keys,
    take_purge_lease,     free_purge_lease,   find_old_rows, delete_old_rows};
// What is sent once per session or schema.
inline constexpr std::array unprepared = {start_session,  tune_postgresql,    read_schema,        create_meta,
                                          create_records, create_purge_index, create_purge_lease, create_schema_row};

}  // namespace sql
}  // namespace armazem::pg
