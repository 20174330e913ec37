# A folder is a namespace and a target. These helpers keep every CMakeLists.txt to a line or two.

# headgate_library(name DEPS ...): the library headgate_<name> of all .cc files in the current folder.
function(headgate_library name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(sources)
    add_library(headgate_${name} STATIC ${sources})
    target_include_directories(headgate_${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(headgate_${name} PUBLIC ${ARG_DEPS})
  else()
    add_library(headgate_${name} INTERFACE)
    target_include_directories(headgate_${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(headgate_${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

# headgate_test(name [LABEL l] DEPS ... [TIMEOUT s]): one GoogleTest program of all .cc files in the
# folder; ctest knows every case by itself.
function(headgate_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  # Never empty: gtest_discover_tests would drop the empty value and read TIMEOUT as the label.
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name}_test PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name}_test TEST_PREFIX "${name}." WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
                       DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# headgate_fuzzer(name DEPS ...): fuzz/<name>.cc as a libFuzzer target in the fuzz preset, and everywhere
# as a plain test that replays corpus/<name>/.
function(headgate_fuzzer name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  if(HEADGATE_FUZZERS)
    add_executable(fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cc)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.cc
                   ${CMAKE_CURRENT_SOURCE_DIR}/replay_main.cc)
  endif()
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers fuzz_${name})
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_DEPS})
  add_test(NAME fuzz_replay.${name}
           COMMAND fuzz_${name} -runs=0 ${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name})
  set_tests_properties(fuzz_replay.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()
