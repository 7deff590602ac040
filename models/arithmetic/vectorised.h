// SPDX-License-Identifier: Apache-2.0
// Marks loops that the compiler vectorises by itself, once for each generation of x86-64 vector units; the loader
// picks the copy. Nothing but speed depends on it.
#pragma once

/// Before the definition of a function outside any class. ThreadSanitizer crashes where the loader has to pick.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define MHO_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MHO_VECTORISED
#endif

/// A function that becomes part of its callers, and so of each of their copies.
#if defined(__GNUC__)
#define MHO_INLINE __attribute__((always_inline)) inline
#else
#define MHO_INLINE inline
#endif
