# SPDX-License-Identifier: Apache-2.0
# Finds what mho stands on and says which Debian package is missing. SystemC comes from the parent
# project's target, else a SystemCLanguage package, else pkg-config.

function(mho_missing what package)
  message(FATAL_ERROR "mho needs ${what}. On Debian: scripts/setup, or apt-get install ${package}.")
endfunction()

if(NOT TARGET mho::systemc)
  add_library(mho::systemc INTERFACE IMPORTED GLOBAL)
  if(NOT TARGET SystemC::systemc)
    find_package(SystemCLanguage CONFIG QUIET)
  endif()
  if(TARGET SystemC::systemc)
    target_link_libraries(mho::systemc INTERFACE SystemC::systemc)
  else()
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(MHO_SYSTEMC QUIET IMPORTED_TARGET GLOBAL systemc tlm)
    if(NOT MHO_SYSTEMC_FOUND)
      mho_missing("SystemC with TLM-2.0" libsystemc-dev)
    endif()
    target_link_libraries(mho::systemc INTERFACE PkgConfig::MHO_SYSTEMC)
  endif()
endif()

# The CMake package of Debian's oneDNN asks for OpenCL headers that it does not need: an imported target by hand.
if(NOT TARGET mho::dnnl)
  find_path(MHO_DNNL_INCLUDE dnnl.hpp)
  find_library(MHO_DNNL_LIBRARY dnnl)
  if(NOT MHO_DNNL_INCLUDE OR NOT MHO_DNNL_LIBRARY)
    mho_missing("oneDNN" libdnnl-dev)
  endif()
  add_library(mho::dnnl SHARED IMPORTED GLOBAL)
  set_target_properties(mho::dnnl PROPERTIES
    IMPORTED_LOCATION "${MHO_DNNL_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${MHO_DNNL_INCLUDE}")
endif()

if(MHO_ONNX)
  find_package(Protobuf QUIET)
  find_package(ONNX CONFIG QUIET)
  if(NOT ONNX_FOUND OR NOT Protobuf_FOUND)
    mho_missing("ONNX and protobuf" "libonnx-dev libprotobuf-dev protobuf-compiler")
  endif()
  add_library(mho::onnx_proto INTERFACE IMPORTED GLOBAL)
  target_link_libraries(mho::onnx_proto INTERFACE onnx onnx_proto protobuf::libprotobuf)
endif()

if(MHO_SCENARIO)
  find_package(yaml-cpp QUIET)
  find_package(Boost QUIET COMPONENTS program_options)
  find_package(nlohmann_json QUIET)
  if(NOT yaml-cpp_FOUND OR NOT Boost_FOUND OR NOT nlohmann_json_FOUND)
    mho_missing("yaml-cpp, Boost and nlohmann-json"
      "libyaml-cpp-dev libboost-program-options-dev nlohmann-json3-dev")
  endif()
endif()
