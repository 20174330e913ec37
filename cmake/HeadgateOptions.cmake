# Build-wide settings: language level, warnings, hardening, sanitizers. Chosen through CMakePresets.json.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(HEADGATE_WERROR "Treat warnings as errors" ON)
option(HEADGATE_TESTS "Build the tests" ON)
option(HEADGATE_FUZZERS "Build libFuzzer targets (needs clang)" OFF)
set(HEADGATE_SANITIZE "" CACHE STRING "Sanitizers for -fsanitize=, for example address,undefined or thread")
set(HEADGATE_PROFILE "" CACHE STRING
    "Profile-guided optimisation of the data plane: generate, then use in the same directory (scripts/profiled does both)")
set_property(CACHE HEADGATE_PROFILE PROPERTY STRINGS "" generate use)

add_compile_options(-Wall -Wextra -Wshadow -Woverloaded-virtual
                    -Wimplicit-fallthrough -Wcast-qual -Wvla)
if(HEADGATE_WERROR)
  add_compile_options(-Werror)
endif()

if(HEADGATE_SANITIZE)
  add_compile_options(-fsanitize=${HEADGATE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HEADGATE_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now -Wl,--as-needed)
endif()

find_program(HEADGATE_CCACHE ccache)
if(HEADGATE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HEADGATE_CCACHE})
endif()
