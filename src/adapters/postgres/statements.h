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

// --- The change log ---

// Positions of changes. Taken one by one (no cache), in the order in which transactions come to write.
inline constexpr Statement create_positions{"create_positions", "CREATE SEQUENCE IF NOT EXISTS armazem_positions"};

inline constexpr Statement create_changes{"create_changes",
                                          "CREATE TABLE IF NOT EXISTS armazem_changes ("
                                          "position bigint PRIMARY KEY, "
                                          "key bytea NOT NULL, "
                                          "version bytea NOT NULL, "
                                          "removed boolean NOT NULL, "
                                          "form bigint NOT NULL, "
                                          "content_type bytea NOT NULL, "
                                          "size bigint NOT NULL, "
                                          "value bytea, "
                                          "expires_at_ms bigint)"};

// $1: the log's name, if it has none yet. `number`: up to here changes were dropped.
inline constexpr Statement create_change_log{
    "create_change_log",
    "INSERT INTO armazem_meta (name, number, holder, held_until) VALUES ('changes', 0, $1::text, now()) "
    "ON CONFLICT (name) DO NOTHING"};

// Last: whoever finds this row finds all of the above.
inline constexpr Statement create_schema_row{
    "create_schema_row",
    "INSERT INTO armazem_meta (name, number, holder, held_until) VALUES ('schema', $1::bigint, '', now()) "
    "ON CONFLICT (name) DO NOTHING"};

inline constexpr Statement raise_schema_row{
    "raise_schema_row", "UPDATE armazem_meta SET number = $1::bigint WHERE name = 'schema' AND number < $1::bigint"};

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

// The last before the COMMIT: every lock is held and every conflict is behind, so a position that was taken is only left
// empty by a COMMIT that fails. In the order given, so of one key in the order of its versions.
inline constexpr Statement log_changes{
    "log_changes",
    "INSERT INTO armazem_changes "
    "(position, key, version, removed, form, content_type, size, value, expires_at_ms) "
    "SELECT nextval('armazem_positions'), d.key, d.version, d.removed, d.form, d.content_type, d.size, d.value, "
    "d.expires_at_ms "
    "FROM unnest($1::bytea[], $2::bytea[], $3::boolean[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[], "
    "$8::bigint[]) AS d (key, version, removed, form, content_type, size, value, expires_at_ms)"};

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

// --- Reads of the change log ---

// $1 < position; $2: rows. One row without a position when there is none. All transactions with a lesser number than
// `oldest_under_way` have ended.
inline constexpr Statement read_changes{
    "read_changes",
    "SELECT c.position, c.key, c.version, c.removed, c.form, c.content_type, c.size, c.value, c.expires_at_ms, "
    "m.number AS dropped, s.last_value AS taken, "
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_under_way "
    "FROM armazem_meta AS m CROSS JOIN armazem_positions AS s LEFT JOIN "
    "(SELECT * FROM armazem_changes WHERE position > $1::bigint ORDER BY position LIMIT $2::bigint) AS c ON true "
    "WHERE m.name = 'changes' ORDER BY c.position"};
// The same where nothing tells which transactions are under way.
inline constexpr Statement read_changes_by_time{
    "read_changes_by_time",
    "SELECT c.position, c.key, c.version, c.removed, c.form, c.content_type, c.size, c.value, c.expires_at_ms, "
    "m.number AS dropped, s.last_value AS taken, 0::bigint AS oldest_under_way "
    "FROM armazem_meta AS m CROSS JOIN armazem_positions AS s LEFT JOIN "
    "(SELECT * FROM armazem_changes WHERE position > $1::bigint ORDER BY position LIMIT $2::bigint) AS c ON true "
    "WHERE m.name = 'changes' ORDER BY c.position"};

// A number greater than that of every transaction that has begun to write.
inline constexpr Statement take_transaction_number{"take_transaction_number", "SELECT pg_current_xact_id()::text::bigint"};
inline constexpr Statement no_transaction_number{"no_transaction_number", "SELECT 0::bigint"};

inline constexpr Statement read_change_log{
    "read_change_log",
    "SELECT m.holder, m.number, COALESCE((SELECT max(position) FROM armazem_changes), m.number) AS newest, "
    "pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_under_way "
    "FROM armazem_meta AS m WHERE m.name = 'changes'"};
inline constexpr Statement read_change_log_by_time{
    "read_change_log_by_time",
    "SELECT m.holder, m.number, COALESCE((SELECT max(position) FROM armazem_changes), m.number) AS newest, "
    "0::bigint AS oldest_under_way "
    "FROM armazem_meta AS m WHERE m.name = 'changes'"};

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

inline constexpr Statement find_change_log_end{
    "find_change_log_end",
    "SELECT m.number, s.last_value FROM armazem_meta AS m CROSS JOIN armazem_positions AS s WHERE m.name = 'changes'"};
inline constexpr Statement drop_changes{
    "drop_changes", "DELETE FROM armazem_changes WHERE position > $1::bigint AND position <= $2::bigint"};
inline constexpr Statement move_change_log_begin{
    "move_change_log_begin", "UPDATE armazem_meta SET number = $1::bigint WHERE name = 'changes' AND number < $1::bigint"};

// What every connection prepares, once the schema is there.
inline constexpr std::array prepared = {
    begin_read_committed, begin_serializable, commit,        rollback,       lock_rows,
    update_rows,          insert_rows,        get_rows,      scan_rows,      scan_keys,
    take_purge_lease,     free_purge_lease,   find_old_rows, delete_old_rows,
    log_changes,          find_change_log_end, drop_changes, move_change_log_begin};
// Of these, one pair each: CockroachDB does not know the other's functions.
inline constexpr std::array prepared_postgresql = {read_changes, read_change_log, take_transaction_number};
inline constexpr std::array prepared_by_time = {read_changes_by_time, read_change_log_by_time, no_transaction_number};
// What is sent once per session or schema.
inline constexpr std::array unprepared = {start_session,  tune_postgresql,    read_schema,        create_meta,
                                          create_records, create_purge_index, create_purge_lease, create_schema_row,
                                          create_positions, create_changes, create_change_log, raise_schema_row};

}  // namespace sql
}  // namespace armazem::pg
