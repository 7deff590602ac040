# SPDX-License-Identifier: Apache-2.0
# Installs libraries, headers, scenarios, scripts/sweep and the program, and a package so that find_package(mho) gives mho::accelerator
# and, where they were built, mho::onnx and mho::scenario.
include(CMakePackageConfigHelpers)

set(mho_package "${CMAKE_INSTALL_LIBDIR}/cmake/mho")
install(TARGETS ${MHO_LIBRARIES} EXPORT mhoTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}/mho")
install(EXPORT mhoTargets NAMESPACE mho:: DESTINATION "${mho_package}")
install(DIRECTORY models DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/mho" FILES_MATCHING PATTERN "*.h")
if(MHO_SCENARIO)
  install(DIRECTORY platforms DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/mho" FILES_MATCHING PATTERN "*.h")
  install(DIRECTORY scenarios DESTINATION "${CMAKE_INSTALL_DATADIR}/mho" PATTERN ".slicing" EXCLUDE)
  install(DIRECTORY scripts DESTINATION "${CMAKE_INSTALL_DATADIR}/mho" USE_SOURCE_PERMISSIONS
          FILES_MATCHING PATTERN "sweep*" PATTERN "cmake" EXCLUDE PATTERN "__pycache__" EXCLUDE)
  install(TARGETS mho RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
configure_package_config_file(scripts/cmake/mhoConfig.cmake.in "${PROJECT_BINARY_DIR}/mhoConfig.cmake"
  INSTALL_DESTINATION "${mho_package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/mhoConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/mhoConfig.cmake" "${PROJECT_BINARY_DIR}/mhoConfigVersion.cmake"
              scripts/cmake/FindMhoDependencies.cmake DESTINATION "${mho_package}")
