// Options of the sanitized build of the tests (make test-sanitized), kept in the programs themselves: what a test starts
// has an environment of its own. Swift's static values live for ever, which is no leak.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0:abort_on_error=1"; }
#endif
#endif

typedef int clinux_no_empty_unit;
