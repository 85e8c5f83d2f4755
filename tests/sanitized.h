/* TL_SANITIZED is defined if this program and the library are built with sanitizers. */
#ifndef TL_TESTS_SANITIZED_H
#define TL_TESTS_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
# define TL_SANITIZED
#elif defined(__has_feature)
# if __has_feature(address_sanitizer)
#  define TL_SANITIZED
# endif
#endif

#endif
