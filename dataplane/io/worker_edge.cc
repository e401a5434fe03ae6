// SPDX-License-Identifier: BSD-3-Clause
// The edge, compiled for mbufs and rings.
#include "dataplane/io/worker_sink.h"

template class pinhole::edge::Edge<pinhole::io::WorkerSink>;
