# Warnings and hardening: OpenSSF "Compiler Options Hardening Guide for C and C++". Sanitizer builds leave the hardening
# out, because FORTIFY and AddressSanitizer contradict each other.
include(CheckCXXCompilerFlag)

add_library(armazem_flags INTERFACE)
target_compile_options(armazem_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wformat=2 -Wconversion -Wshadow -Wimplicit-fallthrough -Wnon-virtual-dtor
  -Woverloaded-virtual -Werror=format-security -Werror=return-type -Werror=unused-result)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports variables inside coroutine frames and optionals that are in fact set (PR 105562 and relatives).
  target_compile_options(armazem_flags INTERFACE -Wno-maybe-uninitialized -Wbidi-chars=any)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # What core/mutex.h says is held is held, always an error.
  target_compile_options(armazem_flags INTERFACE -Wthread-safety -Werror=thread-safety)
  # libstdc++ 12's stable_sort uses its own deprecated get_temporary_buffer, which only Clang reports.
  target_compile_options(armazem_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(ARMAZEM_WERROR)
  target_compile_options(armazem_flags INTERFACE -Werror)
endif()

if(ARMAZEM_SANITIZE)
  target_compile_options(armazem_flags INTERFACE -fsanitize=${ARMAZEM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(armazem_flags INTERFACE -fsanitize=${ARMAZEM_SANITIZE})
else()
  target_compile_options(armazem_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
    -fno-delete-null-pointer-checks -fno-strict-overflow)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(armazem_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
  foreach(flag IN ITEMS -fstrict-flex-arrays=3 -fcf-protection=full)
    string(MAKE_C_IDENTIFIER "has${flag}" known)
    check_cxx_compiler_flag(${flag} ${known})
    if(${known})
      target_compile_options(armazem_flags INTERFACE ${flag})
    endif()
  endforeach()
  target_link_options(armazem_flags INTERFACE -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen -Wl,--as-needed)
endif()
target_compile_definitions(armazem_flags INTERFACE _GLIBCXX_ASSERTIONS)
