// SPDX-License-Identifier: BSD-3-Clause
// The edge, compiled for the tests' vectors.
#include "tests/unit/edge/test_sink.h"

template class pinhole::edge::Edge<pinhole::edge::test::TestSink>;
