# Script: installs into INTO what the lock file in FROM pins, with the program NPM, and leaves the mark INTO/installed.
# Scripts of packages are not run.
file(COPY "${FROM}/package.json" "${FROM}/package-lock.json" DESTINATION "${INTO}")
execute_process(
  COMMAND "${NPM}" ci --ignore-scripts --omit=dev --no-audit --no-fund --no-update-notifier --prefer-offline --loglevel=error
  WORKING_DIRECTORY "${INTO}" RESULT_VARIABLE result OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
if(NOT result STREQUAL "0")
  message(FATAL_ERROR "npm could not install Swagger UI (${result}):\n${printed}\n"
    "Without a way to the registry, build without Swagger UI: -DARMAZEM_SWAGGER_UI=OFF")
endif()
# Newer than the lock file, whatever times the packages carry: else the step would run at every build.
file(GLOB_RECURSE files "${INTO}/node_modules/swagger-ui-dist/*")
file(TOUCH_NOCREATE ${files})
file(TOUCH "${INTO}/installed")
