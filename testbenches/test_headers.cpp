// SPDX-License-Identifier: Apache-2.0
// A program without tests of its own: what all tests include is precompiled with it, once.
