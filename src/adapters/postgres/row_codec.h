// Records as rows of armazem_records.
//
// `history` holds 17 bytes per entry, oldest first: 16 of version, 1 of effect; its last entry is the record's own
// version, which the column `version` repeats for people and for SQL. Eight entries and more that are all that was ever
// applied are followed by one byte, 1; without it, older ones were dropped. Every row is checked when it is read, so that wrong
// bytes become data_damaged and never a wrong record.
#pragma once

#include <string>

#include "adapters/postgres/pg_result.h"
#include "core/record.h"
#include "core/result.h"

namespace armazem::pg {

[[nodiscard]] std::string encode_history(const History& history);

// Columns as in sql::lock_rows; the value stays empty.
[[nodiscard]] Result<Record> decode_metadata(const PgResult& rows, int row);

// Columns as in sql::get_rows, sql::scan_rows and sql::scan_keys. A value that is NULL stays empty.
[[nodiscard]] Result<Record> decode_record(const PgResult& rows, int row);

}  // namespace armazem::pg
