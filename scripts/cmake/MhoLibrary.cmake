# SPDX-License-Identifier: Apache-2.0
# One library a layer: mho_library(NAME SOURCES FOLDER... DEPENDS ...) builds mho_NAME, alias mho::NAME,
# from every .cpp directly in the FOLDERs. Headers are included by their path from the project's root.

add_library(mho_flags INTERFACE)
target_compile_features(mho_flags INTERFACE cxx_std_17)
# Contraction to fused multiply-add would change a rounding, and results must not depend on the machine.
target_compile_options(mho_flags INTERFACE $<BUILD_INTERFACE:-ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow>)
if(MHO_SANITIZE)
  target_compile_options(mho_flags INTERFACE
    $<BUILD_INTERFACE:-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer>)
  target_link_options(mho_flags INTERFACE $<BUILD_INTERFACE:-fsanitize=address,undefined>)
endif()
set(MHO_LIBRARIES mho_flags)

function(mho_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS" ${ARGN})
  list(TRANSFORM arg_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/")
  list(TRANSFORM arg_SOURCES APPEND "/*.cpp")
  file(GLOB sources CONFIGURE_DEPENDS ${arg_SOURCES})
  add_library(mho_${name} STATIC ${sources})
  add_library(mho::${name} ALIAS mho_${name})
  set_target_properties(mho_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(mho_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/mho>)
  target_link_libraries(mho_${name} PUBLIC mho_flags ${arg_DEPENDS})
  set(MHO_LIBRARIES ${MHO_LIBRARIES} mho_${name} PARENT_SCOPE)
endfunction()
