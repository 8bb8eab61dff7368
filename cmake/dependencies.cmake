# Everything third-party, all from the distribution's packages. Each becomes one interface target, so that a layer names
# what it uses and nothing else is on its include path.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(PkgConfig REQUIRED)
find_path(ARMAZEM_EXPECTED_INCLUDE tl/expected.hpp REQUIRED)
find_path(ARMAZEM_ROCKSDB_INCLUDE rocksdb/db.h REQUIRED)
find_library(ARMAZEM_ROCKSDB_LIBRARY rocksdb REQUIRED)
find_path(ARMAZEM_HIREDIS_INCLUDE hiredis/hiredis.h REQUIRED)
find_library(ARMAZEM_HIREDIS_LIBRARY hiredis REQUIRED)

add_library(armazem_expected INTERFACE)
target_include_directories(armazem_expected SYSTEM INTERFACE "${ARMAZEM_EXPECTED_INCLUDE}")

add_library(armazem_rocksdb_driver INTERFACE)
target_include_directories(armazem_rocksdb_driver SYSTEM INTERFACE "${ARMAZEM_ROCKSDB_INCLUDE}")
target_link_libraries(armazem_rocksdb_driver INTERFACE "${ARMAZEM_ROCKSDB_LIBRARY}")

# libpq, the client library of PostgreSQL, which CockroachDB's documentation supports too.
find_package(PostgreSQL REQUIRED)
add_library(armazem_libpq INTERFACE)
target_include_directories(armazem_libpq SYSTEM INTERFACE "${PostgreSQL_INCLUDE_DIRS}")
target_link_libraries(armazem_libpq INTERFACE "${PostgreSQL_LIBRARIES}")

# Only its codec of the Redis protocol is used.
add_library(armazem_hiredis INTERFACE)
target_include_directories(armazem_hiredis SYSTEM INTERFACE "${ARMAZEM_HIREDIS_INCLUDE}")
target_link_libraries(armazem_hiredis INTERFACE "${ARMAZEM_HIREDIS_LIBRARY}")

pkg_check_modules(ARMAZEM_RABBITMQ REQUIRED IMPORTED_TARGET librabbitmq)
add_library(armazem_rabbitmq_driver INTERFACE)
target_link_libraries(armazem_rabbitmq_driver INTERFACE PkgConfig::ARMAZEM_RABBITMQ)
