set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(ARMAZEM_CCACHE ccache)
if(ARMAZEM_CCACHE)
  # Precompiled headers and ccache agree only when ccache is told that their time stamps do not matter.
  set(ccache_command ${CMAKE_COMMAND} -E env "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime" "${ARMAZEM_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ccache_command})
endif()

find_program(ARMAZEM_MOLD mold)
if(ARMAZEM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
