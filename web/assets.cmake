# The target armazem_assets: the pages in this folder, and Swagger UI from npm, inside the binary (web/assets.h).
# Include it after the options are set; it uses ARMAZEM_SWAGGER_UI and PROJECT_VERSION, and armazem_flags if there is such
# a target. Nothing is fetched while configuring: `npm ci` is a build step that runs again only when package.json or
# the lock file changes.
set(assets_source "${CMAKE_CURRENT_LIST_DIR}")
set(assets_build "${CMAKE_BINARY_DIR}/web")
find_program(ARMAZEM_GZIP gzip REQUIRED)

# Each entry: path as served|file.
set(assets
  "/|${assets_source}/dashboard/index.html"
  "/openapi.json|${assets_source}/openapi.json")
foreach(file IN ITEMS dashboard.css dashboard.js format.js metrics.js try.js favicon.svg)
  list(APPEND assets "/ui/${file}|${assets_source}/dashboard/${file}")
endforeach()

set(assets_installed)
if(ARMAZEM_SWAGGER_UI)
  find_program(ARMAZEM_NPM npm)
  if(NOT ARMAZEM_NPM)
    message(FATAL_ERROR "npm was not found; the build takes Swagger UI from it. Install npm (Debian: apt install npm), "
      "or build without Swagger UI: -DARMAZEM_SWAGGER_UI=OFF")
  endif()
  foreach(file IN ITEMS index.html swagger-initializer.js)
    list(APPEND assets "/swagger-ui/${file}|${assets_source}/swagger-ui/${file}")
  endforeach()
  # The licence files belong to what is passed on.
  foreach(file IN ITEMS swagger-ui.css index.css swagger-ui-bundle.js favicon-32x32.png
      swagger-ui-bundle.js.LICENSE.txt LICENSE NOTICE)
    set(installed "${assets_build}/npm/node_modules/swagger-ui-dist/${file}")
    list(APPEND assets "/swagger-ui/${file}|${installed}")
    list(APPEND assets_installed "${installed}")
  endforeach()
  add_custom_command(
    OUTPUT "${assets_build}/npm/installed" ${assets_installed}
    COMMAND "${CMAKE_COMMAND}" "-DNPM=${ARMAZEM_NPM}" "-DFROM=${assets_source}" "-DINTO=${assets_build}/npm"
      -P "${assets_source}/cmake/npm_ci.cmake"
    DEPENDS "${assets_source}/package.json" "${assets_source}/package-lock.json" "${assets_source}/cmake/npm_ci.cmake"
    COMMENT "Fetching Swagger UI from npm" VERBATIM)
else()
  list(APPEND assets "/swagger-ui/index.html|${assets_source}/swagger-ui/absent.html")
endif()

# The list is a file, so that the generator runs again when an entry comes or goes.
list(JOIN assets "\n" assets_list)
file(CONFIGURE OUTPUT "${assets_build}/assets.list" CONTENT "${assets_list}\n" @ONLY)
list(TRANSFORM assets REPLACE "^[^|]*\\|" "" OUTPUT_VARIABLE assets_files)
add_custom_command(
  OUTPUT "${assets_build}/embedded/assets_table.cc"
  COMMAND "${CMAKE_COMMAND}" "-DLIST=${assets_build}/assets.list" "-DINTO=${assets_build}/embedded"
    "-DVERSION=${PROJECT_VERSION}" "-DGZIP=${ARMAZEM_GZIP}" -P "${assets_source}/cmake/embed.cmake"
  DEPENDS "${assets_build}/assets.list" ${assets_files} "${assets_source}/cmake/embed.cmake"
  COMMENT "Embedding the web assets" VERBATIM)

add_library(armazem_assets OBJECT "${assets_source}/assets.cc" "${assets_build}/embedded/assets_table.cc")
target_include_directories(armazem_assets PUBLIC "${assets_source}/..")
target_compile_features(armazem_assets PUBLIC cxx_std_20)
# Link-time optimisation may part top-level assembly from the code that names its symbols.
set_target_properties(armazem_assets PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
target_compile_options(armazem_assets PRIVATE -fno-lto)
if(TARGET armazem_flags)
  target_link_libraries(armazem_assets PRIVATE armazem_flags)
endif()
