# Everything third-party, all from the distribution's packages. Each becomes one interface target, so that a layer names
# what it uses and nothing else is on its include path.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(PkgConfig REQUIRED)
find_path(ARMAZEM_EXPECTED_INCLUDE tl/expected.hpp REQUIRED)
find_path(ARMAZEM_ROCKSDB_INCLUDE rocksdb/db.h REQUIRED)
find_library(ARMAZEM_ROCKSDB_LIBRARY rocksdb REQUIRED)

add_library(armazem_expected INTERFACE)
target_include_directories(armazem_expected SYSTEM INTERFACE "${ARMAZEM_EXPECTED_INCLUDE}")

add_library(armazem_rocksdb_driver INTERFACE)
target_include_directories(armazem_rocksdb_driver SYSTEM INTERFACE "${ARMAZEM_ROCKSDB_INCLUDE}")
target_link_libraries(armazem_rocksdb_driver INTERFACE "${ARMAZEM_ROCKSDB_LIBRARY}")

pkg_check_modules(ARMAZEM_RABBITMQ REQUIRED IMPORTED_TARGET librabbitmq)
add_library(armazem_rabbitmq_driver INTERFACE)
target_link_libraries(armazem_rabbitmq_driver INTERFACE PkgConfig::ARMAZEM_RABBITMQ)
