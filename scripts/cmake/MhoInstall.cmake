# SPDX-License-Identifier: Apache-2.0
# Installs libraries, headers, scenarios and the program.
