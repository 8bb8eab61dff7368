# armazem_layer(NAME SOURCES … USES …): one static library per folder of src/. USES are the arrows of docs/architecture.md:
# what is not named there is not linked, and its libraries are not on the include path.
function(armazem_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;PRIVATE_USES" ${ARGN})
  add_library(armazem_${name} STATIC ${arg_SOURCES})
  target_include_directories(armazem_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(armazem_${name} PUBLIC ${arg_USES} PRIVATE armazem_flags ${arg_PRIVATE_USES})
endfunction()

# armazem_test(NAME LABEL … SOURCES … USES …): a GoogleTest program; every case is one ctest entry.
function(armazem_test name)
  if(NOT ARMAZEM_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "LABEL" "SOURCES;USES" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${arg_USES} armazem_flags GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE ARMAZEM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name} TEST_PREFIX "${name}." PROPERTIES LABELS "${arg_LABEL}" TIMEOUT 300 DISCOVERY_TIMEOUT 60)
endfunction()
