// A made-up result for tests of the output: a sweep of three rates with an open and a closed loop,
// the last rate refused, texts that try to break out, a server that pauses a second in ten.
#ifndef GW_LOADTEST_TESTING_SAMPLE_H
#define GW_LOADTEST_TESTING_SAMPLE_H

#include "loadtest/result.h"

// On the heap; freed by load_result_free and free. Exits when memory is lacking.
struct load_result *load_sample(uint64_t seed);

#endif
